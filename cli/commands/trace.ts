/** `firebreak trace`: who was in contact with a case, in which order, and why. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import pc from 'picocolors';
import { toHex } from '../../protocol/bytes.js';
import type { LedgerReader } from '../../protocol/ledger-reader.js';
import { askTracer } from '../../tracer/http-client.js';
import type { LookUp, LookUpAnswer } from '../../tracer/trace-message.js';
import { signerFrom } from '../deployment.js';
import { usage } from '../exit.js';
import { readKeyFile } from '../key-files.js';
import { openFolderReader, startLedger } from '../parts/ledger.js';
import { answerLookUp, startTracer } from '../parts/tracer.js';
import { startWriter } from '../parts/writer.js';
import { prunedReportsLine } from '../present/show-retention.js';
import { requireWritable, showTrace } from '../present/show-trace.js';
import { terminalProgress } from '../progress.js';
import { findRunning } from '../run-files.js';
import { inFolder, withFolderOptions } from '../session.js';
import type { FolderOptions, Session } from '../session.js';
import { addTraceOptions } from '../trace-options.js';
import type { TraceOptions } from '../trace-options.js';

interface TraceCommandOptions extends FolderOptions, TraceOptions {
  readonly case: string;
  readonly officer: string;
  readonly purpose: string;
}

export function addTraceCommand(program: Command): void {
  const command = withFolderOptions(
    program
      .command('trace')
      .description('trace a case; the look is recorded in the ledger before it is answered'),
  )
    .requiredOption('--case <id>', 'the index case: a tag number')
    .option('--officer <name>', 'who looks, as it is recorded', userInfo().username)
    .option('--purpose <text>', 'why, as it is recorded', 'outbreak investigation');
  addTraceOptions(command).action((options: TraceCommandOptions) => run(options));
}

async function run(options: TraceCommandOptions): Promise<void> {
  if (options.from !== undefined && options.to !== undefined && options.from > options.to) {
    throw usage('the window ends before it begins: see --from and --to');
  }
  await requireWritable(options);
  await inFolder('trace', options, async (session) => {
    const question = questionOf(options);
    const { result, accessIndex } = await ask(session, question);
    console.log(
      pc.dim(`recorded as ledger entry ${accessIndex}: ${question.officer}, ${question.purpose}\n`),
    );
    await showTrace(result, options);
  });
}

function questionOf(options: TraceCommandOptions): LookUp {
  const { officer, purpose, direction, hops, from, to, minSeconds, latentSeconds, infectiousSeconds } =
    options;
  return {
    officer,
    purpose,
    request: {
      case: options.case,
      direction,
      hops,
      minSeconds,
      latentSeconds,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(infectiousSeconds !== undefined && { infectiousSeconds }),
    },
  };
}

/** Asks the tracer that runs on the folder; without one, reads the ledger itself. */
async function ask(session: Session, question: LookUp): Promise<LookUpAnswer> {
  const { folder } = session;
  const running = await findRunning(folder, 'tracer');
  if (running) return askTracer(running.http, toHex(await readKeyFile(folder.tracer.apiToken)), question);
  return answerAlone(session, question);
}

/** No entry, no answer: where no ledger runs, one is started for as long as it takes to record the look. */
async function answerAlone(session: Session, question: LookUp): Promise<LookUpAnswer> {
  const { folder, signal, onClose } = session;
  const log = { ...session.log, info: () => {} };
  const { mqttUrl, reader } = await reachLedger({ ...session, log });
  onClose(() => reader.close());
  const signer = await signerFrom(folder.tracer.writerKey);
  const writer = await startWriter({ ...session, log }, { signer, spoolDir: folder.tracer.spool, mqttUrl });
  onClose(writer.close);
  const tracer = startTracer({ ...session, reader, courier: writer.courier });
  const progress = terminalProgress(process.stderr);
  const show = (done: number, size: number): void =>
    progress.update(`reading ${done} of ${size} entries`, done / size);
  await tracer.catchUp(show, signal).finally(() => progress.done());
  const { prunedPayloads } = tracer.status();
  if (prunedPayloads > 0) console.log(pc.dim(prunedReportsLine(prunedPayloads)));
  return answerLookUp(tracer, question);
}

async function reachLedger(
  session: Session,
): Promise<{ readonly mqttUrl: string; readonly reader: LedgerReader }> {
  const { folder, config, onClose } = session;
  const running = await findRunning(folder, 'ledger');
  if (running) return { mqttUrl: running.mqtt, reader: await openFolderReader(folder, config) };
  const { ledger, mqttUrl, close } = await startLedger(session, { mqttPort: 0 });
  onClose(close);
  return { mqttUrl, reader: ledger.reader() };
}
