/**
 * The memory of a live table (view.ts), shared with the threads that walk: taken for all rows at once, touched
 * row by row.
 */
import type { LiveTable } from './view.js';

export interface LiveShape {
  readonly id: number;
  /** Version of the first row. */
  readonly firstVersion: number;
  readonly rows: number;
  /** Persons below this number have a head. */
  readonly people: number;
}

export function newTable({ id, firstVersion, rows, people }: LiveShape): LiveTable {
  return {
    id,
    firstVersion,
    head: new Int32Array(new SharedArrayBuffer(4 * people)),
    next: new Int32Array(new SharedArrayBuffer(8 * rows)),
    person: new Uint32Array(new SharedArrayBuffer(8 * rows)),
    start: new Uint32Array(new SharedArrayBuffer(4 * rows)),
    duration: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    signal: new Uint8Array(new SharedArrayBuffer(rows)),
    immediate: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    near: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    medium: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    nearInDay: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    weight: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    died: new Uint32Array(new SharedArrayBuffer(4 * rows)),
  };
}
