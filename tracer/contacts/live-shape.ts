/**
 * The memory of a live table (view.ts), shared with the threads that walk: taken for all rows at once, touched
 * row by row.
 */
import { sharedInt32, sharedUint16, sharedUint32, sharedUint8 } from './live-memory.js';
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
    head: sharedInt32(people),
    next: sharedInt32(2 * rows),
    person: sharedUint32(2 * rows),
    start: sharedUint32(rows),
    duration: sharedUint16(rows),
    signal: sharedUint8(rows),
    immediate: sharedUint16(rows),
    near: sharedUint16(rows),
    medium: sharedUint16(rows),
    nearInDay: sharedUint16(rows),
    weight: sharedUint16(rows),
    died: sharedUint32(rows),
  };
}
