/** The rows of a ledger's store, by key and by kind (store-keys.ts), as a reader of the store would see them. */
import { toHex } from '../../protocol/bytes.js';
import type { Findings } from './findings.js';
import { mergeRows, type KeyRange, type LiveRow, type RowSource } from './leveldb-rows.js';

/** First byte and length of the keys of each kind of row. */
const KINDS = { b: 23, e: 7, f: 1, g: 17, h: 7, i: 5, j: 1, p: 11, s: 1, t: 8, x: 5 } as const;
export type RowKind = keyof typeof KINDS;

/** In the order of their keys. */
const KIND_NAMES = Object.keys(KINDS) as readonly RowKind[];
const LONGEST_NAMED = 24;

const byteOf = (kind: RowKind): number => kind.charCodeAt(0);
const rangeOf = (kind: RowKind) => ({
  gte: Uint8Array.of(byteOf(kind)),
  lt: Uint8Array.of(byteOf(kind) + 1),
});

export class RowView {
  readonly #sources: readonly RowSource[];
  readonly #findings: Findings;

  /** `sources`: of equal keys, the row with the highest sequence number counts. */
  constructor(sources: readonly RowSource[], findings: Findings) {
    this.#sources = sources;
    this.#findings = findings;
  }

  range(range: KeyRange): Generator<LiveRow> {
    return mergeRows(this.#sources, range);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    for (const row of this.range({ gte: key, lt: Buffer.concat([key, Uint8Array.of(0)]) })) return row.value;
    return undefined;
  }

  /**
   * All rows of a kind in order, or those of a range of its keys. One whose key has another length is found
   * damaged.
   */
  *ofKind(kind: RowKind, range: KeyRange = rangeOf(kind)): Generator<LiveRow> {
    for (const row of this.range(range)) {
      if (row.key.length === KINDS[kind]) yield row;
      else this.#stranger(row.key);
    }
  }

  /** Finds the rows of no kind. */
  checkStrangers(): void {
    let from = 0;
    for (const kind of KIND_NAMES) {
      for (const { key } of this.range({ gte: Uint8Array.of(from), lt: rangeOf(kind).gte }))
        this.#stranger(key);
      from = byteOf(kind) + 1;
    }
    for (const { key } of this.range({ gte: Uint8Array.of(from), lt: undefined })) this.#stranger(key);
  }

  /** Whether there is a row at or after `gte` and before `lt`. */
  hasFrom(gte: Uint8Array, lt: Uint8Array): boolean {
    for (const _ of this.range({ gte, lt })) return true;
    return false;
  }

  #stranger(key: Uint8Array): void {
    const name = toHex(key.subarray(0, LONGEST_NAMED)) + (key.length > LONGEST_NAMED ? '…' : '');
    this.#findings.damage('rows', `the row ${name} is none that a ledger writes`);
  }
}
