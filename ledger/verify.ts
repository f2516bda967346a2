/**
 * Recomputes a whole log from its entries and compares everything with what is served: the checkpoint's signature, each
 * entry and its chain, every byte of every tile, the root. It throws at the first thing that is wrong and names it.
 */
import { equalBytes } from '../protocol/bytes.js';
import type { Checkpoint } from '../protocol/checkpoint.js';
import { CompactRange } from '../protocol/compact-range.js';
import { FirebreakError } from '../protocol/errors.js';
import { sha256 } from '../protocol/hash.js';
import { isPruned, type FoundPayload, type LedgerReader } from '../protocol/ledger-reader.js';
import {
  confirmLog,
  extendLog,
  newLog,
  type ExtendedLog,
  type IndexedEntry,
  type VerifiedLog,
} from '../protocol/log-verifier.js';
import { HASH_LENGTH, leafHash } from '../protocol/merkle.js';
import type { NoteVerifier } from '../protocol/note.js';
import { DEFAULT_SETTINGS } from '../protocol/settings.js';
import { entriesPath, TILE_WIDTH, tilePath, tileWidthAt } from '../protocol/tile.js';
import { TileEdge, type TileBytes } from '../protocol/tile-edge.js';
import { openWitnessedCheckpoint, type WitnessPolicy } from '../protocol/witness-policy.js';
import { readEntries } from './log-view.js';
import { PrunedClaims, type PrunedCount } from './verify-pruned.js';

export interface VerifiedSummary {
  readonly checkpoint: Checkpoint;
  /** Entries by type (protocol.md §10). */
  readonly entriesByType: ReadonlyMap<number, number>;
  /** Payloads that are stored; 0 unless asked for. */
  readonly payloads: number;
  /** Payloads pruned by an entry of the log that says so; empty unless asked for. */
  readonly pruned: readonly PrunedCount[];
  /** Payloads that are neither stored nor pruned: they are lost. 0 unless asked for. */
  readonly lost: number;
  /** Indexes of entries whose payload is lost, the first hundred. */
  readonly withoutPayload: readonly number[];
}

export interface VerifyOptions {
  /** Also reads the payload of each entry, and holds it against the length and the hash that the entry names. */
  readonly payloads?: boolean;
  /** Of the deployment (protocol.md §8), for what a payload that is said to be pruned may have been of; the default's by default. */
  readonly retentionDays?: number;
  /** Who must have cosigned the checkpoint. */
  readonly policy?: WitnessPolicy;
  /** Told how many entries are done, after each bundle. */
  readonly onProgress?: (done: number, size: number) => void;
  readonly signal?: AbortSignal;
}

const MAX_NAMED = 100;

const damaged = (why: string): FirebreakError => new FirebreakError('damaged', why);

/**
 * An entry and its hash in the tile disagree; the entry after it, which names the hash, says which of them was altered.
 */
function requireLeaves(
  entries: readonly Uint8Array[],
  leaves: readonly Uint8Array[],
  tile: Uint8Array,
  bundle: number,
): void {
  const hashAt = (i: number): Uint8Array => tile.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH);
  const at = leaves.findIndex((leaf, i) => !equalBytes(leaf, hashAt(i)));
  if (at === -1) return;
  const index = bundle * TILE_WIDTH + at;
  const path = tilePath(0, bundle, entries.length);
  const named = entries[at + 1]?.slice(-HASH_LENGTH);
  const tileIsRight = named && equalBytes(named, hashAt(at));
  const entryIsRight = named && equalBytes(named, leaves[at] ?? named.slice(1));
  if (tileIsRight)
    throw damaged(`entry ${index} in ${entriesPath(bundle, entries.length)} is not the one that was logged`);
  if (entryIsRight) throw damaged(`hash ${at} of ${path} is not that of entry ${index}`);
  throw damaged(`entry ${index} and hash ${at} of ${path} do not belong together`);
}

async function requireTiles(reader: LedgerReader, tiles: readonly TileBytes[]): Promise<void> {
  for (const { level, index, width, bytes } of tiles) {
    if (equalBytes(await reader.tile(level, index, width), bytes)) continue;
    throw damaged(`${tilePath(level, index, width)} is not what the entries below it hash to`);
  }
}

class Tally {
  readonly entriesByType = new Map<number, number>();
  readonly withoutPayload: number[] = [];
  readonly pruned: PrunedClaims;
  readonly #withPayloads: boolean;
  payloads = 0;
  lost = 0;

  constructor({ payloads = false, retentionDays = DEFAULT_SETTINGS.retentionDays }: VerifyOptions) {
    this.#withPayloads = payloads;
    this.pruned = new PrunedClaims(retentionDays);
  }

  async count(entries: readonly IndexedEntry[], reader: LedgerReader): Promise<void> {
    for (const { type } of entries) this.entriesByType.set(type, (this.entriesByType.get(type) ?? 0) + 1);
    if (!this.#withPayloads) return;
    const payloads = await reader.payloads(entries.map(({ payloadSha256 }) => payloadSha256));
    entries.forEach((entry, i) => this.#countPayload(entry, payloads[i]));
  }

  #countPayload(entry: IndexedEntry, found: FoundPayload): void {
    if (found === undefined) this.#countLost(entry);
    else if (isPruned(found)) this.pruned.claim(entry, found);
    else if (found.length !== entry.payloadLength || !equalBytes(sha256(found), entry.payloadSha256))
      throw damaged(`the payload of entry ${entry.index} is not the one that was logged`);
    else {
      this.payloads += 1;
      this.pruned.see(entry, found);
    }
  }

  #countLost({ index }: IndexedEntry): void {
    this.lost += 1;
    if (this.lost <= MAX_NAMED) this.withoutPayload.push(index);
  }
}

/** A verification under way: the log so far, and partial tiles that later entries may still change. */
class Verification {
  readonly #reader: LedgerReader;
  readonly #tally: Tally;
  readonly #edge = new TileEdge(new CompactRange(), []);
  readonly #partial = new Map<number, TileBytes>();
  #log: VerifiedLog | ExtendedLog = newLog();

  constructor(reader: LedgerReader, options: VerifyOptions) {
    this.#reader = reader;
    this.#tally = new Tally(options);
  }

  async addBundle(bundle: number, width: number): Promise<void> {
    const reader = this.#reader;
    const entries = await readEntries(reader, bundle, width);
    const leaves = entries.map(leafHash);
    requireLeaves(entries, leaves, await reader.tile(0, bundle, width), bundle);
    const extended = extendLog(this.#log, entries);
    this.#log = extended.log;
    for (const leaf of leaves) this.#edge.append(leaf);
    await this.#compareTiles();
    await this.#tally.count(extended.entries, reader);
  }

  async finish(checkpoint: Checkpoint): Promise<VerifiedSummary> {
    await requireTiles(this.#reader, [...this.#partial.values()]);
    confirmLog(this.#log, checkpoint);
    const { entriesByType, payloads, pruned, lost, withoutPayload } = this.#tally;
    const days = pruned.confirmed(checkpoint.size);
    return { checkpoint, entriesByType, payloads, pruned: days, lost, withoutPayload };
  }

  /** Full tiles are compared as soon as they are full, the partial ones once all entries are in. */
  async #compareTiles(): Promise<void> {
    const changed = this.#edge.takeChanged();
    const full = changed.filter(({ width }) => width === TILE_WIDTH);
    await requireTiles(this.#reader, full);
    for (const { level } of full) this.#partial.delete(level);
    for (const tile of changed) if (tile.width < TILE_WIDTH) this.#partial.set(tile.level, tile);
  }
}

/**
 * Verifies the log behind `reader` up to its current checkpoint.
 *
 * Throws `signature`, `format`, `foreign` or `witness` for the checkpoint; `damaged`, `chain`, `format` or `not-found` naming the first
 * bad entry, tile or file; `consistency` when the entries do not give the root; `unconfirmed` when payloads were pruned by an
 * entry that the checkpoint does not reach yet.
 */
export async function verifyLog(
  reader: LedgerReader,
  verifier: NoteVerifier,
  options: VerifyOptions = {},
): Promise<VerifiedSummary> {
  const { policy, onProgress, signal } = options;
  const checkpoint = openWitnessedCheckpoint(await reader.checkpoint(), verifier, policy);
  const verification = new Verification(reader, options);
  for (let bundle = 0; bundle * TILE_WIDTH < checkpoint.size; bundle++) {
    signal?.throwIfAborted();
    const width = tileWidthAt(0, bundle, checkpoint.size);
    await verification.addBundle(bundle, width);
    onProgress?.(bundle * TILE_WIDTH + width, checkpoint.size);
  }
  return verification.finish(checkpoint);
}
