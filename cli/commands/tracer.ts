/** `firebreak tracer run`: follows the ledger and answers traces, until stopped. */
import type { Command } from 'commander';
import { toHex } from '../../protocol/bytes.js';
import { follow } from '../../tracer/follow.js';
import { serveTracerHttp } from '../../tracer/http.js';
import type { LookUp, LookUpAnswer } from '../../tracer/trace-message.js';
import type { Tracer } from '../../tracer/tracer.js';
import { signerFrom } from '../deployment.js';
import { readKeyFile } from '../key-files.js';
import { wholeNumber } from '../options.js';
import { openFolderReader } from '../parts/ledger.js';
import { answerLookUp, startTracer } from '../parts/tracer.js';
import { startWriter } from '../parts/writer.js';
import { POLICY_OPTION, policyOption } from '../policy-files.js';
import { announce, waitForRunning } from '../run-files.js';
import { inFolder, withFolderOptions } from '../session.js';
import type { FolderOptions, Session } from '../session.js';

const LEDGER_WAIT_MS = 60_000;
const FOLLOW_EVERY_MS = 500;

export function addTracerCommands(program: Command): void {
  const tracer = program.command('tracer').description('opens reports, keeps contacts, answers traces');
  withFolderOptions(tracer.command('run').description('follow the ledger and answer traces until stopped'))
    .option('--http-port <port>', 'port for questions; 0 takes a free one', wholeNumber(0, 65_535), 0)
    .option(...POLICY_OPTION)
    .action((options: RunOptions) => run(options));
}

interface RunOptions extends FolderOptions {
  readonly httpPort: number;
  readonly policy?: string;
}

async function run(options: RunOptions): Promise<void> {
  const asked = await policyOption(options.policy);
  await inFolder('tracer', options, async (session) => {
    const { folder, config, log, signal, onClose } = session;
    const { mqtt: mqttUrl } = await waitForRunning(folder, 'ledger', LEDGER_WAIT_MS, signal);
    const signer = await signerFrom(folder.tracer.writerKey);
    const writer = await startWriter(session, { signer, spoolDir: folder.tracer.spool, mqttUrl });
    onClose(writer.close);
    const reader = await openFolderReader(folder, config);
    onClose(() => reader.close());
    const tracer = await startTracer({ ...session, reader, signer, courier: writer.courier, ...asked });
    onClose(() => tracer.close());
    const { added } = await tracer.catchUp(undefined, signal);
    const answer = (question: LookUp): Promise<LookUpAnswer> => answerLookUp(tracer, question);
    const token = toHex(await readKeyFile(folder.tracer.apiToken));
    const http = await serveTracerHttp({ answer, token, port: options.httpPort, log });
    onClose(() => http.close());
    onClose(await announce(folder, 'tracer', { http: http.url }));
    log.info('the tracer is up; stop it with Ctrl-C', {
      entries: added,
      contacts: tracer.status().contacts,
      pruned: tracer.status().prunedPayloads,
      http: http.url,
    });
    await keepUp(tracer, session);
    log.info('stopping');
  });
}

function keepUp(tracer: Tracer, { log, signal }: Session): Promise<void> {
  const onAdded = (entries: number): void =>
    log.info('read on', { entries, contacts: tracer.status().contacts });
  return follow(tracer, { pollMs: FOLLOW_EVERY_MS, signal, log, onAdded });
}
