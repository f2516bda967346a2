/**
 * Follows a ledger: reads what a new checkpoint adds, verifies chain and root against all that was verified before, and
 * only then hands entries on. A fork or a rollback is refused with `consistency`, and nothing of it is used.
 */
import { equalBytes } from '../protocol/bytes.js';
import { openCheckpoint } from '../protocol/checkpoint.js';
import type { Checkpoint } from '../protocol/checkpoint.js';
import { FirebreakError } from '../protocol/errors.js';
import { sha256 } from '../protocol/hash.js';
import type { LedgerReader } from '../protocol/ledger-reader.js';
import { confirmLog, extendLog, newLog, sizeOf } from '../protocol/log-verifier.js';
import type { ExtendedLog, IndexedEntry, VerifiedLog } from '../protocol/log-verifier.js';
import type { NoteVerifier } from '../protocol/note.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../protocol/tile.js';
import type { CheckpointStore } from './checkpoint-store.js';

/** As many as a reader hands out at once. */
const PAYLOADS_AT_ONCE = 256;

export interface FollowerDeps {
  readonly reader: LedgerReader;
  readonly verifier: NoteVerifier;
  readonly checkpoints: CheckpointStore;
  /** Given verified entries in order, each with its payload, or undefined where it is pruned. */
  readonly onEntry: (entry: IndexedEntry, payload: Uint8Array | undefined) => void;
  readonly wantsPayload: (entry: IndexedEntry) => boolean;
}

export interface CatchUp {
  readonly checkpoint: Checkpoint;
  readonly added: number;
}

export class Follower {
  readonly #deps: FollowerDeps;
  #log: VerifiedLog = newLog();
  /** What an earlier run verified; to be met again on the way. */
  #milestone: Checkpoint | undefined;
  #started = false;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return sizeOf(this.#log);
  }

  /** Reads up to the current checkpoint. Throws `consistency`, `chain`, `signature`, or what the reader throws. */
  async catchUp(onProgress?: (done: number, size: number) => void, signal?: AbortSignal): Promise<CatchUp> {
    await this.#start();
    const note = await this.#deps.reader.checkpoint();
    const checkpoint = openCheckpoint(note, this.#deps.verifier);
    this.#requireForward(checkpoint);
    const from = this.size;
    const entries = await this.#verify(checkpoint, signal);
    await this.#deps.checkpoints.save(note);
    for (let at = 0; at < entries.length; at += PAYLOADS_AT_ONCE) {
      signal?.throwIfAborted();
      await this.#handOn(entries.slice(at, at + PAYLOADS_AT_ONCE));
      onProgress?.(Math.min(from + at + PAYLOADS_AT_ONCE, checkpoint.size), checkpoint.size);
    }
    return { checkpoint, added: entries.length };
  }

  async #start(): Promise<void> {
    if (this.#started) return;
    const saved = await this.#deps.checkpoints.load();
    this.#milestone = saved === undefined ? undefined : openCheckpoint(saved, this.#deps.verifier);
    this.#started = true;
  }

  #requireForward(checkpoint: Checkpoint): void {
    const known = Math.max(this.size, this.#milestone?.size ?? 0);
    if (checkpoint.size >= known) return;
    throw new FirebreakError(
      'consistency',
      `the ledger shows ${checkpoint.size} entries, and ${known} were seen before: it was rolled back`,
    );
  }

  /** All entries that are new, once their chain and root hold. */
  async #verify(checkpoint: Checkpoint, signal: AbortSignal | undefined): Promise<IndexedEntry[]> {
    const fresh: IndexedEntry[] = [];
    let log: VerifiedLog | ExtendedLog = this.#log;
    while (sizeOf(log) < checkpoint.size) {
      signal?.throwIfAborted();
      const extended = this.#extend(log, await this.#nextEntries(sizeOf(log), checkpoint.size));
      log = extended.log;
      for (const entry of extended.entries) fresh.push(entry);
    }
    this.#log = confirmLog(log, checkpoint);
    return fresh;
  }

  /** The rest of a bundle; `from` may lie inside it. */
  async #nextEntries(from: number, size: number): Promise<Uint8Array[]> {
    const bundle = Math.floor(from / TILE_WIDTH);
    const width = tileWidthAt(0, bundle, size);
    const entries = entriesOf(await this.#deps.reader.entryBundle(bundle, width), width);
    return entries.slice(from - bundle * TILE_WIDTH);
  }

  /** Extends past the milestone only by way of its root. */
  #extend(log: VerifiedLog | ExtendedLog, entries: readonly Uint8Array[]) {
    const toMilestone = (this.#milestone?.size ?? 0) - sizeOf(log);
    if (this.#milestone === undefined || toMilestone < 0 || toMilestone > entries.length)
      return extendLog(log, entries);
    const before = extendLog(log, entries.slice(0, toMilestone));
    const reached = confirmLog(before.log, this.#milestone);
    this.#milestone = undefined;
    const after = extendLog(reached, entries.slice(toMilestone));
    return { log: after.log, entries: [...before.entries, ...after.entries] };
  }

  async #handOn(entries: readonly IndexedEntry[]): Promise<void> {
    const wanted = entries.filter((entry) => this.#deps.wantsPayload(entry));
    const payloads = await this.#deps.reader.payloads(wanted.map((entry) => entry.payloadSha256));
    const byIndex = new Map(wanted.map((entry, k) => [entry.index, payloads[k]]));
    for (const entry of entries) this.#deps.onEntry(entry, genuine(entry, byIndex.get(entry.index)));
  }
}

/** A payload that is not the one its entry names counts as missing. */
function genuine(entry: IndexedEntry, payload: Uint8Array | undefined): Uint8Array | undefined {
  return payload && equalBytes(sha256(payload), entry.payloadSha256) ? payload : undefined;
}
