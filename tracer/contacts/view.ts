/**
 * What a walk sees: the contacts as they stood at one moment, sealed ones in segments, newer ones in live tables. Plain
 * objects over shared memory, so that a view can be posted to another thread; whoever has one may use it as long as it
 * likes, while the store goes on.
 *
 * Every contact that is added, and every one that takes the place of an older word on the same meeting, has the next
 * version. A view of version V holds what was added up to V and not replaced up to V.
 */
import type { People } from './people.js';
import type { Segment } from './segment.js';

/** Contacts that came lately: rows in the order they came, linked per person, newest first. Fields as in a segment. */
export interface LiveTable {
  readonly id: number;
  /** Version of row 0; row r has version firstVersion + r. */
  readonly firstVersion: number;
  /** By person: 1 + the newest link, 0 for none. A link is 2·row + side; side 0 is the lower person number. */
  readonly head: Int32Array;
  /** By link: 1 + the link before it of the same person, 0 for none. */
  readonly next: Int32Array;
  /** By link: the person on that side. */
  readonly person: Uint32Array;
  /** By row, unix seconds. */
  readonly start: Uint32Array;
  readonly duration: Uint16Array;
  /** Mutual and attenuation, as the low byte of a segment's startSignal. */
  readonly signal: Uint8Array;
  readonly immediate: Uint16Array;
  readonly near: Uint16Array;
  readonly medium: Uint16Array;
  readonly nearInDay: Uint16Array;
  readonly weight: Uint16Array;
  /** The version that took the place of the row; 0 for none. */
  readonly died: Uint32Array;
}

/** Entries of segments that another version took the place of: open addressing, three numbers a slot. */
export interface Replaced {
  /** segment id + 1 (0: empty) | entry | version, per slot; a power of two of slots. */
  readonly slots: Int32Array;
  /** 1 by person who has any such entry: the others need not be looked up. */
  readonly touched: Uint8Array;
}

export interface ContactView {
  readonly version: number;
  readonly people: People;
  readonly segments: readonly Segment[];
  readonly live: readonly LiveTable[];
  readonly replaced: Replaced;
  /**
   * Entries of segments that ended before this are past retention and not seen, unix seconds; 0: all are. Rows
   * of live tables that did are dead.
   */
  readonly keepFrom: number;
}

/** Where a contact stands in a view. */
export interface Place {
  /** Of a segment or a live table. */
  readonly table: number;
  readonly isLive: boolean;
  /** Entry of a segment, row of a live table. */
  readonly at: number;
}

/** Numbers a slot of {@link Replaced} has. */
export const SLOT_WORDS = 3;

/** Whether a live row belongs to the view. */
export function isVisible({ firstVersion, died }: LiveTable, row: number, version: number): boolean {
  if (firstVersion + row > version) return false;
  const end = died[row] ?? 0;
  return end === 0 || end > version;
}

/** Whether an entry of a segment was replaced at this version. Only to be asked of a person who is `touched`. */
export function isReplaced({ slots }: Replaced, segment: number, entry: number, version: number): boolean {
  const mask = slots.length / SLOT_WORDS - 1;
  for (let slot = replacedSlot(segment, entry) & mask; ; slot = (slot + 1) & mask) {
    const id = Atomics.load(slots, slot * SLOT_WORDS);
    if (id === 0) return false;
    if (id === segment + 1 && slots[slot * SLOT_WORDS + 1] === (entry | 0))
      return (slots[slot * SLOT_WORDS + 2] ?? 0) >>> 0 <= version;
  }
}

/** Where a writer of {@link Replaced} begins to look for a free slot; it stores the segment last, atomically. */
export const replacedSlot = (segment: number, entry: number): number =>
  (Math.imul(entry ^ Math.imul(segment + 1, 0x85ebca6b), 0x9e3779b1) >>> 0) >>> 4;
