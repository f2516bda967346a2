/**
 * Follows a ledger for its access entries: reads what a new checkpoint adds, verifies chain and root against all that was
 * verified before, and only then hands on the entries of type 6. It keeps nothing on disk: a new start reads the log again.
 */
import type { Checkpoint } from '../protocol/checkpoint.js';
import { ENTRY_TYPE } from '../protocol/entry.js';
import { FirebreakError } from '../protocol/errors.js';
import type { LedgerReader } from '../protocol/ledger-reader.js';
import { confirmLog, extendLog, newLog, sizeOf } from '../protocol/log-verifier.js';
import type { ExtendedLog, IndexedEntry, VerifiedLog } from '../protocol/log-verifier.js';
import type { NoteVerifier } from '../protocol/note.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../protocol/tile.js';
import { openWitnessedCheckpoint, type WitnessPolicy } from '../protocol/witness-policy.js';
import { AccessRows, type AccessRow } from './access-rows.js';

export interface AccessFollowerDeps {
  readonly reader: LedgerReader;
  readonly verifier: NoteVerifier;
  /** Who must have cosigned a checkpoint before anything under it is used. */
  readonly policy?: WitnessPolicy;
}

export class AccessFollower {
  readonly #deps: AccessFollowerDeps;
  #log: VerifiedLog = newLog();
  #note: string | undefined;

  constructor(deps: AccessFollowerDeps) {
    this.#deps = deps;
  }

  /** The signed checkpoint up to which the log was verified; `undefined` before the first. */
  get note(): string | undefined {
    return this.#note;
  }

  /**
   * Reads up to the current checkpoint and adds its access entries to `rows`. One call at a time; a failure adds none.
   *
   * Throws `consistency`, `chain`, `signature` or `foreign` for a log that does not add up, `witness` for a checkpoint that
   * too few cosigned, what the reader throws, and the signal's reason.
   */
  async readOn(rows: AccessRows, signal?: AbortSignal): Promise<void> {
    const note = await this.#deps.reader.checkpoint();
    const checkpoint = openWitnessedCheckpoint(note, this.#deps.verifier, this.#deps.policy);
    this.#requireForward(checkpoint);
    const found = new AccessRows();
    let log: VerifiedLog | ExtendedLog = this.#log;
    while (sizeOf(log) < checkpoint.size) {
      signal?.throwIfAborted();
      const extended = extendLog(log, await this.#nextEntries(sizeOf(log), checkpoint));
      for (const entry of extended.entries) if (entry.type === ENTRY_TYPE.access) found.push(rowOf(entry));
      log = extended.log;
    }
    this.#log = confirmLog(log, checkpoint);
    this.#note = note;
    for (let place = 0; place < found.length; place += 1) rows.push(found.at(place));
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

const rowOf = (entry: IndexedEntry): AccessRow => ({
  index: entry.index,
  leaf: entry.leaf,
  source: entry.source,
  payloadSha256: entry.payloadSha256,
  writtenAtMs: entry.sourceTimeMs,
  appendedAtMs: entry.appendedAtMs,
});
