/** `firebreak ledger prove`, `check-proof` and `consistency`: what a third party can check without us (docs/ledger-proofs.md). */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { checkProof } from '../../ledger/proofs/check-proof.js';
import { openLogView } from '../../ledger/readers/log-view.js';
import type { LogView } from '../../ledger/readers/log-view.js';
import { proveGrowth } from '../../ledger/proofs/prove-growth.js';
import { readerOfFolder } from '../../ledger/readers/reader-folder.js';
import { proveEntry, provePayload } from '../../ledger/proofs/prove.js';
import type { MadeProof } from '../../ledger/proofs/prove.js';
import { fromHex } from '../../protocol/bytes.js';
import { isPruned } from '../../protocol/tlog/ledger-reader.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { MAX_ENTRY_BYTES } from '../../protocol/tlog/merkle.js';
import { noteText } from '../../protocol/tlog/note.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { writeNew } from '../files/atomic-file.js';
import { usage } from '../terminal/exit.js';
import { EXPORT_OPTION, namedLog, VKEY_OPTION } from '../folder/exported-log.js';
import type { LogOptions } from '../folder/exported-log.js';
import { readInputFile } from '../files/input-file.js';
import { wholeNumber } from '../terminal/options.js';
import { requireNew, requireWritableFile } from '../files/output-file.js';
import { logVerifier, openFolderReader } from '../parts/ledger.js';
import { POLICY_OPTION, policyOption } from '../files/policy-files.js';
import { growthLines, proofLines } from '../present/show-proof.js';
import { prunedPayloadLine } from '../present/show-retention.js';
import { terminalProgress } from '../terminal/progress.js';
import { inFolder } from '../folder/session.js';
import type { Session } from '../folder/session.js';

/** What a signed note may have (protocol/tlog/note.ts). */
const MAX_CHECKPOINT_BYTES = 1 << 20;
const MAX_PROOF_BYTES = 2 << 20;
const DATA_DIR = ['--data-dir <dir>', 'the data folder of the deployment'] as const;

export function addLedgerProofCommands(ledger: Command): void {
  ledger
    .command('prove')
    .description('prove that an entry is in the log, as a file that anyone can check (C2SP tlog-proof)')
    .requiredOption(...DATA_DIR)
    .option('--index <n>', 'the entry with this number, counted from 0', entryIndex)
    .option('--payload <hex>', 'the entry of the payload with this SHA-256, as a receipt names it', sha256Hex)
    .option('--checkpoint <file>', 'prove it under this saved checkpoint instead of the latest')
    .option('--out <file>', 'a new file to write it to, by custom *.tlog-proof; by default standard output')
    .action((options: ProveOptions) => prove(options));
  ledger
    .command('check-proof')
    .description('check a proof, with the public key of the log and nothing else')
    .argument('<file>', 'the proof')
    .requiredOption(...VKEY_OPTION)
    .option('--entry <file>', 'the bytes of the entry that it must be about; by default those it carries')
    .option(...POLICY_OPTION)
    .action((file: string, options: CheckOptions) => check(file, options));
  ledger
    .command('consistency')
    .description('prove that the log still begins with what an older checkpoint of it signed')
    .option(...DATA_DIR)
    .option(...EXPORT_OPTION)
    .option(...VKEY_OPTION)
    .requiredOption('--old <file>', 'the older checkpoint, as saved from /checkpoint or an export')
    .option(
      '--new <file>',
      'a newer checkpoint; by default the latest of the ledger or the export, of a stopped ledger its last commit, unless --policy asks for witnesses',
    )
    .option(...POLICY_OPTION)
    .action((options: ConsistencyOptions) => consistency(options));
}

const entryIndex = wholeNumber(0, Number.MAX_SAFE_INTEGER);

function sha256Hex(text: string): Uint8Array {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return fromHex(text);
  throw new InvalidArgumentError('It must be a SHA-256 in 64 hex digits.');
}

const textOf = async (file: string): Promise<string> =>
  noteText(await readInputFile(file, MAX_CHECKPOINT_BYTES));

const savedText = async (file: string | undefined): Promise<string | undefined> =>
  file === undefined ? undefined : textOf(file);

/** The log of the folder. */
async function readerOf(
  { folder, config, onClose }: Session,
  reading: { readonly isWhole?: boolean } = {},
): Promise<LedgerReader> {
  const reader = await openFolderReader(folder, config, reading);
  onClose(() => reader.close());
  return reader;
}

interface ProveOptions {
  readonly dataDir: string;
  readonly index?: number;
  readonly payload?: Uint8Array;
  readonly checkpoint?: string;
  readonly out?: string;
}

async function prove(options: ProveOptions): Promise<void> {
  if ((options.index === undefined) === (options.payload === undefined))
    throw usage('name the entry: either --index N or --payload HEX');
  const { dataDir, checkpoint, out } = options;
  if (out === '-') throw usage('- does not stand for standard output here: leave --out away for that');
  if (out !== undefined) {
    await requireWritableFile(out, { dataDir, inputs: [checkpoint] });
    await requireNew(out);
  }
  await inFolder('ledger', { dataDir }, async (session) => {
    const { made, pruned } = await proofFor(session, options);
    const { file, checked } = made;
    if (out === undefined) return void process.stdout.write(file);
    await writeNew(out, file);
    console.log(proofLines(checked).join('\n'));
    if (pruned !== undefined) console.log(prunedPayloadLine(pruned));
    console.log(`  written to ${out}`);
  });
}

async function proofFor(session: Session, options: ProveOptions) {
  const saved = await savedText(options.checkpoint);
  const reader = await readerOf(session);
  const verifier = logVerifier(session.config);
  const view = await openLogView(reader, verifier, saved);
  const made = await madeFor(session, view, verifier, options);
  const hash = made.checked.entry?.payloadSha256;
  // Only a remark, for readers who may see payloads: the proof does not rest on it.
  const [found] = hash === undefined ? [] : await reader.payloads([hash]).catch(() => []);
  return { made, pruned: isPruned(found) ? found : undefined };
}

async function madeFor(
  session: Session,
  view: LogView,
  verifier: NoteVerifier,
  { index, payload }: ProveOptions,
): Promise<MadeProof> {
  if (payload === undefined) return proveEntry(view, verifier, index ?? 0);
  const progress = terminalProgress(process.stderr);
  const onProgress = (done: number, size: number) =>
    progress.update(`looked at ${done} of ${size} entries`, done / size);
  const { signal } = session;
  return provePayload(view, verifier, payload, { onProgress, signal }).finally(progress.done);
}

interface CheckOptions {
  readonly vkey: NoteVerifier;
  readonly entry?: string;
  readonly policy?: string;
}

async function check(file: string, { vkey, entry, policy: asked }: CheckOptions): Promise<void> {
  const claimed = entry === undefined ? undefined : { entry: await readInputFile(entry, MAX_ENTRY_BYTES) };
  const { policy } = await policyOption(asked);
  const checked = checkProof(await readInputFile(file, MAX_PROOF_BYTES), vkey, claimed, policy);
  console.log(proofLines(checked).join('\n'));
}

interface ConsistencyOptions extends LogOptions {
  readonly old: string;
  readonly new?: string;
  readonly policy?: string;
}

/** The log of a stopped ledger goes to its last commit: a witness, or a receipt, may know more than the quorum cosigned. */
async function consistency(options: ConsistencyOptions): Promise<void> {
  const named = await namedLog(options);
  const { policy } = await policyOption(options.policy);
  const asked = { ...options, policy };
  if ('exported' in named) return growth(readerOfFolder(named.exported), named.verifier, asked);
  await inFolder('ledger', named, async (session) => {
    const reader = await readerOf(session, { isWhole: policy?.quorum === undefined });
    return growth(reader, options.vkey ?? logVerifier(session.config), asked);
  });
}

interface GrowthAsked extends Pick<ConsistencyOptions, 'old' | 'new'> {
  readonly policy: WitnessPolicy | undefined;
}

async function growth(
  reader: LedgerReader,
  verifier: NoteVerifier,
  { old, new: newer, policy }: GrowthAsked,
): Promise<void> {
  const older = await textOf(old);
  const view = await openLogView(reader, verifier, await savedText(newer), policy);
  console.log(growthLines(await proveGrowth(view, verifier, older)).join('\n'));
}
