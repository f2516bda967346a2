/** A ledger in memory that signs whatever it is told to hold, honest or not. */
import { asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { concat, toHex } from '../../protocol/bytes.js';
import { signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { CompactRange } from '../../protocol/tlog/compact-range.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { encodeEntry, NO_PREVIOUS_LEAF } from '../../protocol/tlog/entry.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { LedgerReader, PrunedPayload } from '../../protocol/tlog/ledger-reader.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { bundleOf, TILE_WIDTH } from '../../protocol/tlog/tile.js';
import { ReferenceTree } from '../protocol/reference-tree.js';

export const logKey = noteSigner('log.example/test', fastSigner(new Uint8Array(32).fill(7)));

export interface Appended {
  readonly type: number;
  readonly payload: Uint8Array;
  readonly source?: Uint8Array;
  readonly sourceTimeMs?: number;
}

export class MemoryLog {
  readonly entries: Uint8Array[] = [];
  readonly payloads = new Map<string, Uint8Array | PrunedPayload>();
  /** Names of the reader's calls, in order. */
  readonly calls: string[] = [];
  /** Thrown by the reader's next call of that name. */
  failing: { call: string; error: Error } | undefined;
  nowMs = 1_790_000_000_000;
  signer = logKey;

  /** The index it got. */
  append({ type, payload, source = new Uint8Array(16), sourceTimeMs = this.nowMs }: Appended): number {
    const last = this.entries.at(-1);
    const payloadSha256 = sha256(payload);
    const entry = encodeEntry({
      type,
      appendedAtMs: asUnixMs(this.nowMs),
      source,
      sourceSeq: this.entries.length,
      sourceTimeMs: asUnixMs(sourceTimeMs),
      payloadLength: payload.length,
      payloadSha256,
      previousLeaf: last ? leafHash(last) : NO_PREVIOUS_LEAF,
    });
    this.payloads.set(toHex(payloadSha256), payload);
    return this.entries.push(entry) - 1;
  }

  /** Entries of a type the tracer does not look into. */
  fill(count: number, salt = 0): this {
    for (let k = 0; k < count; k += 1)
      this.append({ type: 9, payload: Uint8Array.of(salt, k >> 8, k & 255) });
    return this;
  }

  /** Goes on to this time, unix ms, with an entry of no interest each day. */
  passTo(nowMs: number): this {
    while (this.nowMs < nowMs) {
      this.nowMs = Math.min(nowMs, this.nowMs + 86_400_000);
      this.fill(1, 1);
    }
    return this;
  }

  /** Goes on to this time in one step. */
  leapTo(nowMs: number): this {
    this.nowMs = nowMs;
    return this.fill(1, 2);
  }

  /** As a ledger says it of a day that left the window. */
  pruneBy(payload: Uint8Array, pruned: PrunedPayload): void {
    this.payloads.set(toHex(sha256(payload)), pruned);
  }

  prune(payload: Uint8Array): void {
    this.payloads.delete(toHex(sha256(payload)));
  }

  checkpoint(size = this.entries.length): string {
    const range = new CompactRange();
    for (const entry of this.entries.slice(0, size)) range.append(leafHash(entry));
    return signCheckpoint(
      { origin: this.signer.name, size: asTreeSize(size), root: range.root() },
      this.signer,
    );
  }

  reader(): LedgerReader {
    return {
      checkpoint: async () => this.#called('checkpoint', () => this.checkpoint()),
      tile: async (level, index, width) => this.#tile(level, index, width),
      entryBundle: async (index, width) =>
        this.#called('entryBundle', () => bundleOf(this.entries.slice(index * TILE_WIDTH).slice(0, width))),
      payloads: async (hashes) =>
        this.#called('payloads', () => hashes.map((hash) => this.payloads.get(toHex(hash)))),
      close: async () => {},
    };
  }

  async #tile(level: number, index: number, width: number): Promise<Uint8Array> {
    const tree = new ReferenceTree(this.entries);
    const at = Array.from({ length: width }, (_, k) => ({ level: 8 * level, index: index * TILE_WIDTH + k }));
    return concat(...(await tree.read(at)));
  }

  #called<T>(call: string, answer: () => T): T {
    this.calls.push(call);
    if (this.failing?.call !== call) return answer();
    const { error } = this.failing;
    this.failing = undefined;
    throw error;
  }
}
