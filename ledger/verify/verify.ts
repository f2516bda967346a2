/**
 * Recomputes a whole log from its entries and compares everything with what is served: the checkpoint's
 * signature, each entry and its chain, every byte of every tile, the root. It throws at the first thing that
 * is wrong and names it; payloads that are lost or damaged are counted, and it goes on.
 */
import { equalBytes } from '../../protocol/bytes.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { CompactRange } from '../../protocol/tlog/compact-range.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import {
  confirmLog,
  extendLog,
  newLog,
  type ExtendedLog,
  type VerifiedLog,
} from '../../protocol/tlog/log-verifier.js';
import { HASH_LENGTH, leafHash } from '../../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { entriesPath, TILE_WIDTH, tilePath, tileWidthAt } from '../../protocol/tlog/tile.js';
import { TileEdge, type TileBytes } from '../../protocol/tlog/tile-edge.js';
import {
  NO_WITNESSES,
  openCosigned,
  type WitnessedCheckpoint,
  type WitnessPolicy,
} from '../../protocol/tlog/witness-policy.js';
import { judgeLeaves } from './judge-leaves.js';
import { readEntries } from '../readers/log-view.js';
import { PayloadTally } from './verify-payloads.js';
import type { PayloadCounts, PayloadOptions } from './verify-payloads.js';

export interface VerifiedSummary extends PayloadCounts {
  readonly checkpoint: Checkpoint;
  /** When each witness of the policy cosigned it; empty without a policy. */
  readonly cosigned: WitnessedCheckpoint['cosigned'];
}

export interface VerifyOptions extends PayloadOptions {
  /** Who must have cosigned the checkpoint. */
  readonly policy?: WitnessPolicy;
  /** Told how many entries are done, after each bundle. */
  readonly onProgress?: (done: number, size: number) => void;
  readonly signal?: AbortSignal;
}

const damaged = (why: string): FirebreakError => new FirebreakError('damaged', why);

/**
 * Where an entry and its hash in the tile disagree, the entry after it, which names the hash, says which was
 * altered.
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
  const evidence = { leaf: leaves[at], previousLeaf: undefined, tileHash: hashAt(at) };
  const wrong = judgeLeaves([evidence], named)[0]?.wrong;
  if (wrong === 'entry')
    throw damaged(`entry ${index} in ${entriesPath(bundle, entries.length)} is not the one that was logged`);
  if (wrong === 'tile') throw damaged(`hash ${at} of ${path} is not that of entry ${index}`);
  throw damaged(`entry ${index} and hash ${at} of ${path} do not belong together`);
}

async function requireTiles(reader: LedgerReader, tiles: readonly TileBytes[]): Promise<void> {
  for (const { level, index, width, bytes } of tiles) {
    if (equalBytes(await reader.tile(level, index, width), bytes)) continue;
    throw damaged(`${tilePath(level, index, width)} is not what the entries below it hash to`);
  }
}

/** A verification under way: the log so far, and the right edge of its tiles, which later entries may still change. */
class Verification {
  readonly #reader: LedgerReader;
  readonly #tally: PayloadTally;
  readonly #edge = new TileEdge(new CompactRange(), []);
  #log: VerifiedLog | ExtendedLog = newLog();

  constructor(reader: LedgerReader, options: VerifyOptions) {
    this.#reader = reader;
    this.#tally = new PayloadTally(options);
  }

  async addBundle(bundle: number, width: number): Promise<void> {
    const reader = this.#reader;
    const entries = await readEntries(reader, bundle, width);
    const leaves = entries.map(leafHash);
    requireLeaves(entries, leaves, await reader.tile(0, bundle, width), bundle);
    const extended = extendLog(this.#log, entries);
    this.#log = extended.log;
    for (const leaf of leaves) this.#edge.append(leaf);
    await requireTiles(reader, this.#edge.takeFull());
    await this.#tally.count(extended.entries, reader);
  }

  async finish({ checkpoint, cosigned }: WitnessedCheckpoint): Promise<VerifiedSummary> {
    await requireTiles(this.#reader, this.#edge.partial());
    confirmLog(this.#log, checkpoint);
    return { checkpoint, cosigned, ...this.#tally.summary(checkpoint.size) };
  }

  /** The error a verification ends with, and in its message the damaged payloads that were counted before. */
  withDamageSeen(error: unknown): unknown {
    const damage = this.#tally.damageInWords();
    if (!(error instanceof FirebreakError) || damage === undefined) return error;
    return new FirebreakError(error.code, `${error.message}. Before that: ${damage}`, { cause: error });
  }
}

/**
 * Verifies the log behind `reader` up to its current checkpoint. Payloads that are lost or damaged are
 * counted: it goes on.
 *
 * Throws `signature`, `format`, `foreign` or `witness` for the checkpoint; `damaged`, `chain`, `format` or
 * `not-found` naming the first bad entry, tile or file; `consistency` when the entries do not give the root;
 * `unconfirmed` when payloads were pruned by an entry that the checkpoint does not reach yet.
 */
export async function verifyLog(
  reader: LedgerReader,
  verifier: NoteVerifier,
  options: VerifyOptions = {},
): Promise<VerifiedSummary> {
  const { policy = NO_WITNESSES, onProgress, signal } = options;
  const witnessed = openCosigned(await reader.checkpoint(), verifier, policy);
  const { size } = witnessed.checkpoint;
  const verification = new Verification(reader, options);
  try {
    for (let bundle = 0; bundle * TILE_WIDTH < size; bundle++) {
      signal?.throwIfAborted();
      const width = tileWidthAt(0, bundle, size);
      await verification.addBundle(bundle, width);
      onProgress?.(bundle * TILE_WIDTH + width, size);
    }
    return await verification.finish(witnessed);
  } catch (error) {
    throw verification.withDamageSeen(error);
  }
}
