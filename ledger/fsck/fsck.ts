/**
 * Checks a ledger's folder from the stored bytes alone: first every byte of every file, then everything the
 * rows in them say (docs/ledger-fsck.md). Nothing is opened for writing, copied or mended.
 *
 * Memory: about 65 bytes an entry and 36 for each size of the log that was signed for, and the newest write-ahead logs.
 */
import { asUnixMs } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { requirePolicyFor, type WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { storeLocation } from '../store/folder.js';
import type { Head } from '../store/head-slot.js';
import { STATE_KEY } from '../store/store-keys.js';
import { decodeStateRow, type StateRow } from '../store/store-state.js';
import { checkBatches, wantBatchRoots } from './check-batches.js';
import { checkDays } from './check-days.js';
import { checkGateways } from './check-gateways.js';
import { checkLog, type LogSummary } from './check-log.js';
import { checkPayloadIndex } from './check-payload-index.js';
import { checkPayloads } from './check-payloads.js';
import { checkGonePayloads, prunedDays } from './check-pruned.js';
import { checkPublished, readPublishedFile, type Published } from './check-published.js';
import { checkCheckpoint, checkFormat, checkHead, checkState, readState } from './check-state.js';
import { EntryColumns } from './entry-columns.js';
import { reachOfEntries } from './entry-stream.js';
import { Findings } from './findings.js';
import {
  checkOwnFiles,
  payloadFilesOf,
  requireHead,
  requireLedgerFolder,
  stampOf,
  type OwnFiles,
} from './folder-files.js';
import { replayedRows } from './journal-check.js';
import { checkLevelFolder } from './leveldb-folder.js';
import type { RowSource } from './leveldb-rows.js';
import { Pace, type PaceOptions } from './pace.js';
import { PayloadSource } from './payload-source.js';
import { RootBook } from './root-book.js';
import { RowView } from './row-view.js';

export interface FsckOptions extends PaceOptions {
  /** The folder with `store` and `head` in it. */
  readonly dir: string;
  readonly verifier: NoteVerifier;
  /** Without it, what the log says of gateways is not checked. */
  readonly issuerPublicKey?: Uint8Array;
  /** Without it, cosignatures on the published checkpoint are not checked. */
  readonly policy?: WitnessPolicy;
  /** The ledger asked witnesses: what it published must be there. Absent: nobody knows. */
  readonly wasWitnessed?: boolean;
  /** What is wrong with the policy that the ledger keeps beside this folder, naming the file, and what to do. */
  readonly policyDamage?: string;
}

export interface FsckReport {
  readonly findings: Findings;
  /** What was counted on the way; `undefined` when no row could be read. */
  readonly counted: Counted | undefined;
}

export interface Counted {
  /** Entries of the log, by its state row. */
  readonly size: number;
  readonly entriesByType: ReadonlyMap<number, number>;
  readonly batches: number;
  readonly payloadsStored: number;
  /** Gone with a day that the log says was pruned. */
  readonly payloadsPruned: number;
  readonly gatewaysChecked: boolean;
  /** All that are on the published checkpoint; true where nothing is published. */
  readonly cosignaturesChecked: boolean;
}

class Fsck {
  readonly #options: FsckOptions;
  readonly #pace: Pace;
  readonly #findings = new Findings();

  constructor(options: FsckOptions) {
    this.#options = options;
    this.#pace = new Pace(options);
  }

  async run(): Promise<FsckReport> {
    const { dir, verifier, policyDamage } = this.#options;
    if (policyDamage !== undefined) this.#findings.damage('files', policyDamage, {}, 'nothing');
    const own = checkOwnFiles(dir, this.#findings, verifier);
    const stored = await this.#readStore();
    const whole = stored && this.#withJournal(stored, own);
    try {
      return { findings: this.#findings, counted: whole && (await this.#checkRows(whole, own)) };
    } finally {
      whole?.source.close();
    }
  }

  #readStore(): Promise<RowSource[] | undefined> {
    return checkLevelFolder({
      dir: storeLocation(this.#options.dir),
      name: 'store/',
      findings: this.#findings,
      pace: this.#pace.of('files'),
    });
  }

  /** The rows as they are once the ledger has started: with the commits that only the journal holds. */
  #withJournal(stored: readonly RowSource[], { frames }: OwnFiles): Stored {
    const { dir } = this.#options;
    const rows = new RowView(stored, this.#findings);
    try {
      const replayed = replayedRows(frames, commitOf(rows), dir);
      const view = new RowView([replayed.source, ...stored], this.#findings);
      return { rows: view, source: new PayloadSource(dir, replayed.pieces) };
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      this.#findings.damage('rows', error.message);
      return { rows, source: new PayloadSource(dir, []) };
    }
  }

  async #checkRows({ rows, source }: Stored, own: OwnFiles): Promise<Counted> {
    const { dir, verifier } = this.#options;
    checkFormat(rows, verifier, dir, this.#findings);
    const row = readState(rows, this.#findings);
    if (row !== undefined) checkCheckpoint(row, verifier, this.#findings);
    rows.checkStrangers();
    const reach = reachOfEntries(rows);
    const size = row?.state.size ?? reach;
    requireHead(dir, (row?.commit ?? size) > 0, own.heads, this.#findings);
    if (reach < size)
      this.#findings.damage('entries', `and all up to ${size - 1} are missing`, { index: reach });
    const parts = {
      rows,
      source,
      findings: this.#findings,
      columns: new EntryColumns(Math.min(size, reach)),
      roots: new RootBook(Math.min(size, reach)),
    };
    const published = readPublishedFile(this.#options, this.#findings);
    return this.#checkParts(parts, { row, size, heads: own.heads, published });
  }

  async #checkParts(parts: Parts, { row, size, heads, published }: Known): Promise<Counted> {
    const { roots } = parts;
    for (const head of heads) roots.want(head.size);
    if (published) roots.want(published.size);
    await wantBatchRoots(parts.rows, roots, this.#pace.of('batches'));
    const log = await this.#checkEntries(parts, row, size);
    const payloads = await this.#checkPayloads(parts, log, row);
    const batches = await checkBatches({ ...parts, pace: this.#pace.of('batches') });
    if (row !== undefined) checkState(row, log, batches, this.#findings);
    const { verifier } = this.#options;
    checkHead(heads, { size, commit: row?.commit }, { roots, verifier, findings: this.#findings });
    if (published) checkPublished(published, size, roots, this.#findings);
    return {
      size,
      entriesByType: log.entriesByType,
      batches: batches.batches,
      ...payloads,
      gatewaysChecked: this.#options.issuerPublicKey !== undefined,
      cosignaturesChecked: published?.cosignaturesChecked ?? true,
    };
  }

  async #checkEntries(parts: Parts, row: StateRow | undefined, size: number): Promise<LogSummary> {
    const isWhole = parts.columns.size === size;
    const log = await checkLog({
      ...parts,
      size: parts.columns.size,
      previousLeaf: isWhole ? row?.state.previousLeaf : undefined,
      pace: this.#pace.of('entries'),
    });
    return isWhole ? log : { ...log, complete: false, root: undefined };
  }

  async #checkPayloads(parts: Parts, log: LogSummary, row: StateRow | undefined) {
    const { issuerPublicKey } = this.#options;
    const holder = (index: number): number => parts.columns.holderOf(index);
    const { gatewayEntries, dayKeyEntries, pruningEntries, complete } = log;
    const read = [...gatewayEntries, ...dayKeyEntries, ...pruningEntries.keys()];
    const wanted = new Set(read.map(holder));
    const files = payloadFilesOf(this.#options.dir);
    const { stored, payloads, faults } = await checkPayloads({
      ...parts,
      files,
      wanted,
      pace: this.#pace.of('payloads'),
    });
    const withPayloads = (entries: Iterable<number>) =>
      Array.from(entries, (index) => ({ index, payload: payloads.get(holder(index)) }));
    const pruning = withPayloads(pruningEntries.keys()).map((entry) => ({
      ...entry,
      appendedAtMs: pruningEntries.get(entry.index) ?? asUnixMs(0),
    }));
    const dayRows = [...parts.rows.ofKind('x')];
    const days = prunedDays({ ...parts, issuerPublicKey, entries: pruning, dayRows });
    for (const { day, what, ...place } of faults)
      if (!days.has(day)) parts.findings.damage('payloads', what, place);
    const pruned = checkGonePayloads(parts, days, files);
    const ends = { pruned: days, pruningEntries: pruning, dayKeyEntries: withPayloads(dayKeyEntries) };
    checkDays({ ...parts, ...ends, issuerPublicKey, complete, dayRows });
    const indexedTo = row?.indexedTo ?? 0;
    await checkPayloadIndex({ ...parts, indexedTo, pace: this.#pace.of('payload index') });
    const entries = withPayloads(gatewayEntries);
    if (issuerPublicKey !== undefined) checkGateways({ ...parts, issuerPublicKey, entries, complete });
    return { payloadsStored: stored, payloadsPruned: pruned };
  }
}

/** What is stored, with what only the journal holds. */
interface Stored {
  readonly rows: RowView;
  readonly source: PayloadSource;
}

interface Parts extends Stored {
  readonly findings: Findings;
  readonly columns: EntryColumns;
  readonly roots: RootBook;
}

interface Known {
  readonly row: StateRow | undefined;
  readonly size: number;
  readonly heads: readonly Head[];
  readonly published: Published | undefined;
}

/** The commit the database ends with; 0 when it does not say, so that all of the journal counts. */
function commitOf(rows: RowView): number {
  const row = rows.get(STATE_KEY);
  try {
    return row === undefined ? 0 : decodeStateRow(row).commit;
  } catch (error) {
    if (error instanceof FirebreakError) return 0;
    throw error;
  }
}

/**
 * Checks the ledger in `dir`, which must not run. What is wrong with it is in the report; it throws
 * `not-found` when there is none, `foreign` for that of another log or format and for a policy of other logs,
 * `locked` when it was written to meanwhile, and what the disk says.
 */
export async function fsckLedger(options: FsckOptions): Promise<FsckReport> {
  const { dir, signal, verifier, policy } = options;
  requireLedgerFolder(dir);
  if (policy) requirePolicyFor(policy, verifier);
  const before = stampOf(dir);
  const requireUntouched = (cause?: unknown): void => {
    if (stampOf(dir) !== before) throw writtenMeanwhile(dir, cause);
  };
  const report = await new Fsck(options).run().catch((error: unknown) => {
    if (signal?.aborted !== true) requireUntouched(error); // a file may be gone that was there when it began
    throw error;
  });
  requireUntouched();
  return report;
}

const writtenMeanwhile = (dir: string, cause: unknown): FirebreakError =>
  new FirebreakError(
    'locked',
    `the ledger in ${dir} was written to while it was checked: stop it, then check again`,
    { cause },
  );
