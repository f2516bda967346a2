/** `firebreak ledger …`: run it, name its key, copy it out, check it. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { exportLog } from '../../ledger/export/export-log.js';
import type { Ledger } from '../../ledger/ledger.js';
import { defaultCheckThreads } from '../../ledger/intake/checker-threads.js';
import { WHAT_TO_DO } from '../../ledger/store/store-damage.js';
import { verifyFolder } from '../../ledger/verify/verify-folder.js';
import { damagedInWords, lostInWords } from '../../ledger/verify/verify-payloads.js';
import { verifyLog } from '../../ledger/verify/verify.js';
import type { VerifiedSummary } from '../../ledger/verify/verify.js';
import { toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { plain } from '../../protocol/plain-text.js';
import { readConfig } from '../folder/config.js';
import { EXPORT_OPTION, namedLog, VKEY_OPTION } from '../folder/exported-log.js';
import type { LogOptions } from '../folder/exported-log.js';
import { folderAt } from '../folder/folder.js';
import { requireWell, STATUS_EXIT_CODES } from '../terminal/exit.js';
import { brokerUrl, wholeNumber } from '../terminal/options.js';
import { requireName } from '../files/output-file.js';
import { logVerifier, openFolderReader, startLedger, startLedgerHttp } from '../parts/ledger.js';
import { POLICY_OPTION, policyOption } from '../files/policy-files.js';
import { terminalProgress } from '../terminal/progress.js';
import { requireAskedHere } from '../folder/ledger-place.js';
import { keepPorts, onPort, portsBefore } from '../folder/ledger-ports.js';
import { announce } from '../files/run-files.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions } from '../folder/session.js';
import { untilStopped } from '../terminal/shutdown.js';
import { count, counted } from '../present/counts.js';
import { typeLine } from '../present/entry-names.js';
import {
  isLedgerWell,
  ledgerScreen,
  ledgerStatusOf,
  ledgerStatusSchema,
  refusedInWords,
} from '../present/ledger-screen.js';
import { keepStatus, readStatus } from '../files/status-file.js';
import { cosignedLines } from '../present/show-cosigners.js';
import { prunedLine } from '../present/show-retention.js';
import { addLedgerClockCommand } from './ledger-clock.js';
import { addLedgerFsckCommand } from './ledger-fsck.js';
import { addLedgerHeadCommand } from './ledger-head.js';
import { addLedgerProofCommands } from './ledger-proofs.js';

const port = wholeNumber(0, 65_535);
const threads = wholeNumber(0, 64);

interface RunOptions extends FolderOptions {
  readonly mqttPort?: number;
  readonly httpPort?: number;
  readonly broker?: string;
  readonly policy?: string;
  readonly checkThreads: number;
}

export function addLedgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('the log: run it, copy it out, check it');
  addRunCommands(ledger);
  ledger
    .command('vkey')
    .description('print the public key that checkpoints verify with (C2SP signed-note)')
    .requiredOption('--data-dir <dir>', 'the data folder of the deployment')
    .action(async ({ dataDir }: FolderOptions) => {
      console.log((await readConfig(folderAt(dataDir))).logKey);
    });
  withFolderOptions(
    ledger.command('export').description('write the log as a static folder (C2SP tlog-tiles)'),
  )
    .requiredOption('--out <dir>', 'where to; an earlier export there is brought up to date')
    .action((options: FolderOptions & { readonly out: string }) => exportTo(options, options.out));
  ledger
    .command('verify')
    .description('recompute the whole log and compare: entries, hash chain, tiles, root, signature')
    .option('--data-dir <dir>', 'the data folder of the deployment')
    .option(...EXPORT_OPTION)
    .option(...VKEY_OPTION)
    .option(...POLICY_OPTION)
    .action((options: VerifyOptions) => verify(options));
  addLedgerClockCommand(ledger);
  addLedgerFsckCommand(ledger);
  addLedgerHeadCommand(ledger);
  addLedgerProofCommands(ledger);
}

function addRunCommands(ledger: Command): void {
  withFolderOptions(
    ledger.command('run').description('run the ledger with its MQTT broker and HTTP, on loopback'),
  )
    .option('--mqtt-port <port>', 'port of the broker; by default the one it had before, or a free one', port)
    .option(
      '--http-port <port>',
      'port of the HTTP for readers; by default the one it had before, or a free one',
      port,
    )
    .option(
      '--broker <url>',
      'use this MQTT 3.1.1 broker instead of an own one, such as mqtt://127.0.0.1:1883; a login for it goes into broker.login of the data folder',
      brokerUrl,
    )
    .option(
      '--policy <file>',
      'show readers only what these witnesses cosigned (C2SP tlog-policy); kept until another is given',
    )
    .option('--check-threads <count>', 'threads that check signatures', threads, defaultCheckThreads())
    .action((options: RunOptions) => run(options));
  ledger
    .command('status')
    .description(`is it well, what do readers see, which witnesses cosigned; ${STATUS_EXIT_CODES}`)
    .requiredOption('--data-dir <dir>', 'the data folder of the deployment')
    .action(({ dataDir }: FolderOptions) => status(dataDir));
}

async function run(options: RunOptions): Promise<void> {
  await inFolder('ledger', options, async (session) => {
    const { folder, log, signal, onClose } = session;
    const before = await portsBefore(folder);
    const { broker, policy } = options;
    const given = {
      ...(broker !== undefined && { brokerUrl: broker }),
      ...(policy !== undefined && { policyFile: policy }),
    };
    const running = await onPort(options.mqttPort, before.mqtt, (mqttPort) =>
      startLedger(session, { mqttPort, checkThreads: options.checkThreads, ...given }),
    );
    onClose(() => running.close());
    const http = await onPort(options.httpPort, before.http, (at) =>
      startLedgerHttp(session, running.ledger, at),
    );
    onClose(() => http.close());
    await keepPorts(folder, running.mqttUrl, http.url);
    onClose(await announce(folder, 'ledger', { mqtt: running.mqttUrl, http: http.url }));
    const statusNow = () => ledgerStatusOf(running.ledger.status(), running.hearing());
    onClose(await keepStatus(folder.ledger.status, statusNow));
    const { size, origin, publication } = running.ledger.status();
    log.info('the ledger is up; stop it with Ctrl-C', {
      origin,
      entries: size,
      mqtt: running.mqttUrl,
      http: http.url,
      ...(publication.quorum !== undefined && { witnesses: publication.quorum }),
    });
    await whileWell(running.ledger, signal);
    const status = ledgerStatusOf(running.ledger.status());
    log.info('stopping: answering what was taken in', {
      entries: status.size,
      refusedBatches: refusedInWords(status.refused),
    });
  });
}

/** Resolves when the signal aborts; rejects with what to do when the ledger's store failed and it takes nothing any more. */
async function whileWell(ledger: Ledger, signal: AbortSignal): Promise<void> {
  const failure = await Promise.race([untilStopped(signal), ledger.failed]);
  if (failure instanceof FirebreakError) throw failure;
}

async function status(dataDir: string): Promise<void> {
  const folder = folderAt(dataDir);
  await requireAskedHere(folder);
  const read = await readStatus(folder, folder.ledger.status, 'the ledger', ledgerStatusSchema);
  console.log(ledgerScreen(read));
  requireWell(isLedgerWell(read));
}

async function exportTo(options: FolderOptions, out: string): Promise<void> {
  requireName(out, 'folder');
  await inFolder('ledger', options, async ({ folder, config, onClose, signal }) => {
    const reader = await openFolderReader(folder, config, { isForOthers: true });
    onClose(() => reader.close());
    const done = await exportLog(reader, out, logVerifier(config), { signal });
    console.log(
      `${counted(done.size, 'entry', 'entries')} exported to ${out}: ${counted(done.written, 'file')} written, ${count(done.removed)} removed`,
    );
  });
}

interface VerifyOptions extends LogOptions {
  readonly policy?: string;
}

async function verify(options: VerifyOptions): Promise<void> {
  const asked = await policyOption(options.policy);
  const progress = terminalProgress(process.stderr);
  const onProgress = (done: number, size: number) =>
    progress.update(`${done} of ${size} entries`, done / size);
  const named = await namedLog(options);
  if ('exported' in named) {
    const verified = verifyFolder(named.exported, named.verifier, { onProgress, ...asked });
    const summary = await verified.finally(progress.done);
    return report(summary, named.exported);
  }
  await inFolder('ledger', named, async ({ folder, config, onClose, signal }) => {
    const reader = await openFolderReader(folder, config);
    onClose(() => reader.close());
    const verifier = options.vkey ?? logVerifier(config);
    const { retentionDays } = config.settings;
    const how = { payloads: true, retentionDays, onProgress, signal, ...asked };
    const summary = await verifyLog(reader, verifier, how).finally(progress.done);
    requirePayloads(summary, folder.dir);
    report(summary, folder.dir);
  });
}

/** Throws `damaged` for a log that is whole with payloads that are not. */
function requirePayloads(summary: VerifiedSummary, where: string): void {
  const { checkpoint, lost, withoutPayload, damaged, withDamagedPayload, unproven } = summary;
  const wrong = [
    ...(damaged > 0 ? [damagedInWords(damaged, withDamagedPayload)] : []),
    ...(unproven > 0
      ? [`${counted(unproven, 'payload')} said to be pruned by one of these could not be checked`]
      : []),
    ...(lost > 0 ? [lostInWords(lost, withoutPayload)] : []),
  ];
  if (wrong.length === 0) return;
  throw new FirebreakError(
    'damaged',
    `the log of ${checkpoint.size} entries in ${where} is whole, but ${wrong.join('; ')}. ${WHAT_TO_DO}`,
  );
}

function report(summary: VerifiedSummary, where: string): void {
  const { checkpoint, cosigned, entriesByType, payloads, pruned } = summary;
  console.log(
    `${pc.green('verified')} ${counted(checkpoint.size, 'entry', 'entries')} of ${plain(checkpoint.origin)} in ${where}`,
  );
  console.log(`  root ${toHex(checkpoint.root)}`);
  for (const line of cosignedLines(cosigned)) console.log(line);
  for (const [type, entries] of [...entriesByType].sort(([a], [b]) => a - b))
    console.log(typeLine(type, entries));
  if (payloads > 0)
    console.log(`  ${counted(payloads, 'payload')} stored, each with the hash its entry names`);
  for (const day of pruned) console.log(`  ${prunedLine(day)}`);
}
