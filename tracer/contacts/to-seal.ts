/** Contacts that are to go into a segment, as columns with what they rest on. */
import type { SealedColumns } from './segment-build.js';

/** In any order. Arrays over shared memory reach the thread that seals without being copied. */
export interface ToSeal extends SealedColumns {
  /** Immediate, near, medium, other seconds: four a contact, at most 65,535 each. */
  readonly buckets: Uint16Array;
  /** 1: proven by one beacon only. */
  readonly partial: Uint8Array;
  /**
   * For each contact in turn: length u32, little-endian, and as many bytes of `encodeDetails`
   * (cold-contact.ts); 0 for one from columns.
   */
  readonly details: Uint8Array;
}

const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);

/** Of zeros, in shared memory. */
export function newColumns(count: number) {
  return {
    lower: new Uint32Array(shared(4 * count)),
    upper: new Uint32Array(shared(4 * count)),
    start: new Uint32Array(shared(4 * count)),
    duration: new Uint16Array(shared(2 * count)),
    near: new Uint16Array(shared(2 * count)),
    signal: new Uint8Array(shared(count)),
    nearInDay: new Uint16Array(shared(2 * count)),
    weight: new Uint16Array(shared(2 * count)),
    buckets: new Uint16Array(shared(8 * count)),
    partial: new Uint8Array(shared(count)),
  };
}

type SealBuffers = ReturnType<typeof newColumns>;

/** The first contacts of columns that have room for more, in the same memory. */
export function firstOf(columns: SealBuffers, count: number, details: Uint8Array<SharedArrayBuffer>): ToSeal {
  const { lower, upper, start, duration, near, signal, nearInDay, weight, buckets, partial } = columns;
  return {
    count,
    lower: lower.subarray(0, count),
    upper: upper.subarray(0, count),
    start: start.subarray(0, count),
    duration: duration.subarray(0, count),
    near: near.subarray(0, count),
    signal: signal.subarray(0, count),
    nearInDay: nearInDay.subarray(0, count),
    weight: weight.subarray(0, count),
    buckets: buckets.subarray(0, 4 * count),
    partial: partial.subarray(0, count),
    details,
  };
}
