/** The access entries of a log, packed: 104 bytes each, so that millions of looks can be held. */
import { asUnixMs, type UnixMs } from '../../protocol/brands.js';

/** What is kept of an entry of type 6. */
export interface AccessRow {
  readonly index: number;
  /** Its leaf hash, 32 bytes. */
  readonly leaf: Uint8Array;
  /** Whoever wrote it, 16 bytes. */
  readonly source: Uint8Array;
  readonly payloadSha256: Uint8Array;
  readonly writtenAtMs: UnixMs;
  readonly appendedAtMs: UnixMs;
}

const LEAF_AT = 24;
const SHA_AT = 56;
const SOURCE_AT = 88;
const ROW_BYTES = 104;

export class AccessRows {
  #bytes = Buffer.alloc(ROW_BYTES * 16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push({ index, leaf, source, payloadSha256, writtenAtMs, appendedAtMs }: AccessRow): void {
    const at = this.#length * ROW_BYTES;
    if (at === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], at * 2);
    this.#bytes.writeDoubleBE(index, at);
    this.#bytes.writeDoubleBE(writtenAtMs, at + 8);
    this.#bytes.writeDoubleBE(appendedAtMs, at + 16);
    this.#bytes.set(leaf, at + LEAF_AT);
    this.#bytes.set(payloadSha256, at + SHA_AT);
    this.#bytes.set(source, at + SOURCE_AT);
    this.#length += 1;
  }

  /** A copy of the row at this place; there must be one. */
  at(place: number): AccessRow {
    const row = new Uint8Array(this.#bytes.subarray(place * ROW_BYTES, (place + 1) * ROW_BYTES));
    const view = new DataView(row.buffer);
    return {
      index: view.getFloat64(0),
      writtenAtMs: asUnixMs(view.getFloat64(8)),
      appendedAtMs: asUnixMs(view.getFloat64(16)),
      leaf: row.subarray(LEAF_AT, SHA_AT),
      payloadSha256: row.subarray(SHA_AT, SOURCE_AT),
      source: row.subarray(SOURCE_AT),
    };
  }
}
