/**
 * The reports of all tags (protocol.md §8): each (tag, seq) counts once, and each report names one before it by hash.
 * Reports travel by different gateways, so they are logged in any order: a missing link is one that has not come yet.
 *
 * A report that was never receipted leaves a hole in seq and none in the chain, so links are judged by hash, not by seq.
 * Of a hash 16 bytes are kept: nobody can make two reports that share them. Reports are forgotten with their day.
 */
import type { TagNumber } from '../protocol/brands.js';
import { ByteReader, ByteWriter, concat, isZero } from '../protocol/bytes.js';
import { NO_ROW, WordTable } from './word-table.js';

export type ChainVerdict =
  | { readonly kind: 'new' }
  /** The same plaintext again: a retry under a new nonce. */
  | { readonly kind: 'retry' }
  /** Another plaintext under the same seq; `firstIndex` is where the one that stands was logged. */
  | { readonly kind: 'clone'; readonly firstIndex: number };

export interface ChainLink {
  readonly tag: TagNumber;
  readonly seq: number;
  /** Of the report. */
  readonly day: number;
  readonly prev: Uint8Array;
  /** H(report), signature included: a retry has its own. */
  readonly reportHash: Uint8Array;
  readonly plaintextHash: Uint8Array;
  readonly ledgerIndex: number;
}

/** Only those just before the window are named by reports inside it. Beyond it, the oldest count as gaps. */
const MAX_PRUNED = 262_144;
const TWO_TO_32 = 2 ** 32;

export class ReportChains {
  /** The one that stands: tag 2, seq 1 | day 1, index 2, plaintext hash 4. */
  readonly #standing = new WordTable(10, 3);
  /** Of every report, retries included, since a successor may name any: tag 2, report hash 4 | day 1. */
  readonly #seen = new WordTable(7, 6);
  /** Named by a report, not seen yet: tag 2, report hash 4 | day 1 of the one that names it. */
  readonly #missing = new WordTable(7, 6);
  /** Seen once, and pruned since: report hash 4. */
  readonly #pruned = new WordTable(4, 4);
  readonly #maxPruned: number;

  constructor(maxPruned = MAX_PRUNED) {
    this.#maxPruned = maxPruned;
  }

  /** Reports that are named by another and have not come. */
  get gaps(): number {
    let gaps = 0;
    for (let at = 0; at < this.#missing.count; at++)
      if (this.#pruned.find(this.#missing.row(at).subarray(2, 6)) === NO_ROW) gaps += 1;
    return gaps;
  }

  add({ tag, seq, day, prev, reportHash, plaintextHash, ledgerIndex }: ChainLink): ChainVerdict {
    const key = Uint32Array.of(...wordsOf(tag), seq);
    const plaintext = hashWords(plaintextHash);
    const known = this.#standing.find(key);
    if (known !== NO_ROW) {
      const [, , , , low = 0, high = 0, ...standing] = this.#standing.row(known);
      if (standing.some((word, k) => word !== plaintext[k]))
        return { kind: 'clone', firstIndex: high * TWO_TO_32 + low };
    }
    const seen = Uint32Array.of(...wordsOf(tag), ...hashWords(reportHash), day);
    this.#seen.add(seen);
    this.#missing.delete(seen);
    if (known !== NO_ROW) return { kind: 'retry' };
    this.#standing.add(Uint32Array.of(...key, day, ...wordsOf(ledgerIndex), ...plaintext));
    const named = Uint32Array.of(...wordsOf(tag), ...hashWords(prev), day);
    if (!isZero(prev) && this.#seen.find(named) === NO_ROW) this.#missing.add(named);
    return { kind: 'new' };
  }

  /** A report that came and is pruned: whoever names it as the one before leaves no gap. */
  notePruned(reportHash: Uint8Array): void {
    this.#pruned.add(hashWords(reportHash));
    if (this.#pruned.count <= this.#maxPruned) return;
    let spare = this.#pruned.count - this.#maxPruned / 2;
    this.#pruned.filter(() => spare-- <= 0);
  }

  /** Forgets reports of days before this one, and what they named. */
  forgetBefore(firstDay: number): void {
    this.#standing.filter((row) => (row[3] ?? 0) >= firstDay);
    for (const table of [this.#seen, this.#missing]) table.filter((row) => (row[6] ?? 0) >= firstDay);
  }

  /** Four tables, each with its length before it, u32. */
  encode(): Uint8Array {
    const parts = this.#tables().flatMap((table) => {
      const bytes = table.encode();
      return [new ByteWriter(4).u32(bytes.length).finish(), bytes];
    });
    return concat(...parts);
  }

  /** Takes the place of what is in it. Throws `format`. */
  decode(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes, 'the chains of reports');
    for (const table of this.#tables()) table.decode(reader.view(reader.u32()));
    reader.end();
  }

  #tables(): readonly WordTable[] {
    return [this.#standing, this.#seen, this.#missing, this.#pruned];
  }
}

/** Low word first. */
const wordsOf = (value: number): readonly [number, number] => [
  value % TWO_TO_32,
  Math.floor(value / TWO_TO_32),
];

function hashWords(hash: Uint8Array): Uint32Array {
  const view = new DataView(hash.buffer, hash.byteOffset, 16);
  return Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
}
