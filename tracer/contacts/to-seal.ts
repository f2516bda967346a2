/** Contacts that are to go into a segment, as columns with what they rest on. */
import { sharedUint16, sharedUint32, sharedUint8 } from './live-memory.js';
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

/** Of zeros, in shared memory. */
export function newColumns(count: number) {
  return {
    lower: sharedUint32(count),
    upper: sharedUint32(count),
    start: sharedUint32(count),
    duration: sharedUint16(count),
    near: sharedUint16(count),
    signal: sharedUint8(count),
    nearInDay: sharedUint16(count),
    weight: sharedUint16(count),
    buckets: sharedUint16(4 * count),
    partial: sharedUint8(count),
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
