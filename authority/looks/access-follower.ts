/**
 * Follows a ledger for its access entries: reads what a new checkpoint adds, verifies chain and root against all that was
 * verified before, and only then hands on the entries of type 6. It keeps nothing on disk: a new start reads the log again.
 */
import { equalBytes } from '../../protocol/bytes.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { confirmLog, extendLog, newLog, sizeOf } from '../../protocol/tlog/log-verifier.js';
import type { ExtendedLog, IndexedEntry, VerifiedLog } from '../../protocol/tlog/log-verifier.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../../protocol/tlog/tile.js';
import { openWitnessedCheckpoint, type WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { dayOf } from '../../protocol/time.js';
import { AccessRows, type AccessRow } from './access-rows.js';
import { withEntryOf, type LogDays } from '../days/clock-trust.js';

export interface AccessFollowerDeps {
  readonly reader: LedgerReader;
  readonly verifier: NoteVerifier;
  /** Who must have cosigned a checkpoint before anything under it is used. */
  readonly policy?: WitnessPolicy;
  /** Whose entries of types 3 and 8 are handed on as well. */
  readonly ownSource?: Uint8Array;
}

/** An entry in which the authority said something. */
export interface OwnRow {
  readonly index: number;
  readonly type: number;
  readonly payloadSha256: Uint8Array;
}

/** Entries that were read, and hold together; nothing of it may be used before a checkpoint confirmed it. */
interface ReadAhead {
  readonly log: VerifiedLog | ExtendedLog;
  readonly found: AccessRows;
  readonly own: OwnRow[];
  readonly days: LogDays | undefined;
}

export class AccessFollower {
  readonly #deps: AccessFollowerDeps;
  #log: VerifiedLog = newLog();
  #note: string | undefined;
  #days: LogDays | undefined;
  #ahead: ReadAhead | undefined;

  constructor(deps: AccessFollowerDeps) {
    this.#deps = deps;
  }

  /** The signed checkpoint up to which the log was verified; `undefined` before the first. */
  get note(): string | undefined {
    return this.#note;
  }

  /** The ledger's own times of the entries that were verified; `undefined` before the first. */
  get days(): LogDays | undefined {
    return this.#days;
  }

  /**
   * Reads up to the current checkpoint and adds its access entries to `rows`, and the authority's own to `own`. One call at a
   * time; a failure adds none. Pages read before a read that failed are kept, and the next call goes on from them.
   *
   * Throws `consistency`, `chain`, `signature` or `foreign` for a log that does not add up, `witness` for a checkpoint that
   * too few cosigned, what the reader throws, and the signal's reason.
   */
  async readOn(rows: AccessRows, own: OwnRow[], signal?: AbortSignal): Promise<void> {
    const note = await this.#deps.reader.checkpoint();
    const checkpoint = openWitnessedCheckpoint(note, this.#deps.verifier, this.#deps.policy);
    this.#requireForward(checkpoint);
    const read = await this.#readTo(checkpoint, signal);
    this.#ahead = undefined; // of a log that the checkpoint does not confirm, nothing is kept
    this.#log = confirmLog(read.log, checkpoint);
    this.#note = note;
    this.#days = read.days;
    for (let place = 0; place < read.found.length; place += 1) rows.push(read.found.at(place));
    for (const row of read.own) own.push(row);
  }

  async #readTo(checkpoint: Checkpoint, signal: AbortSignal | undefined): Promise<ReadAhead> {
    let read = this.#start(checkpoint);
    while (sizeOf(read.log) < checkpoint.size) {
      this.#ahead = read;
      signal?.throwIfAborted();
      const bundle = await this.#nextEntries(sizeOf(read.log), checkpoint);
      this.#ahead = undefined;
      read = extended(read, bundle, this.#deps.ownSource);
    }
    return read;
  }

  /** Where an earlier call had come to, unless the log is shorter than that now. */
  #start({ size }: Checkpoint): ReadAhead {
    if (this.#ahead !== undefined && sizeOf(this.#ahead.log) <= size) return this.#ahead;
    return { log: this.#log, found: new AccessRows(), own: [], days: this.#days };
  }

  #requireForward({ size }: Checkpoint): void {
    const known = sizeOf(this.#log);
    if (size >= known) return;
    throw new FirebreakError(
      'consistency',
      `the ledger shows ${size} entries, and ${known} were seen before: it was rolled back`,
    );
  }

  /** The rest of the bundle that `from` lies in. */
  async #nextEntries(from: number, { size }: Checkpoint): Promise<Uint8Array[]> {
    const bundle = Math.floor(from / TILE_WIDTH);
    const width = tileWidthAt(0, bundle, size);
    return entriesOf(await this.#deps.reader.entryBundle(bundle, width), width).slice(from % TILE_WIDTH);
  }
}

function extended(
  { log, found, own, days }: ReadAhead,
  bundle: readonly Uint8Array[],
  ownSource: Uint8Array | undefined,
): ReadAhead {
  const { log: longer, entries } = extendLog(log, bundle);
  let known = days;
  for (const entry of entries) {
    if (entry.type === ENTRY_TYPE.access) found.push(rowOf(entry));
    if (isOwn(entry, ownSource)) own.push(ownRowOf(entry));
    known = withEntryOf(dayOf(entry.appendedAtMs / 1000), known);
  }
  return { log: longer, found, own, days: known };
}

function isOwn({ type, source }: IndexedEntry, ownSource: Uint8Array | undefined): boolean {
  const isTold = type === ENTRY_TYPE.gateway || type === ENTRY_TYPE.notices;
  return isTold && ownSource !== undefined && equalBytes(source, ownSource);
}

const ownRowOf = ({ index, type, payloadSha256 }: IndexedEntry): OwnRow => ({ index, type, payloadSha256 });

const rowOf = (entry: IndexedEntry): AccessRow => ({
  index: entry.index,
  leaf: entry.leaf,
  source: entry.source,
  payloadSha256: entry.payloadSha256,
  writtenAtMs: entry.sourceTimeMs,
  appendedAtMs: entry.appendedAtMs,
});
