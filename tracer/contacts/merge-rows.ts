/**
 * Merging segments into one in memory. Each person's row is in order of start and then of peer already, as it is built
 * (time-order.ts), and so is what comes of it: the same, byte for byte, as building a segment of all contacts.
 */
import assert from 'node:assert/strict';
import { standFast } from './stand-aside.js';
import type { StandAside } from './stand-aside.js';
import { durationAt, MAX_SPAN_SECONDS, segmentBytes, segmentIn, startAt } from './segment.js';
import type { Segment } from './segment.js';
import { FirebreakError } from '../../protocol/errors.js';

/** A segment, and which of its entries are left out: ascending. */
export interface Part {
  readonly segment: Segment;
  readonly dropped: Uint32Array;
}

export interface MergeSettings {
  readonly id: number;
  /** Rows of the new segment. */
  readonly people: number;
  /** What ends before this is left out, unix seconds. */
  readonly keepFrom: number;
  /** Told how many people are done, now and then. */
  readonly onPeople?: ((people: number) => void) | undefined;
  readonly standAside?: StandAside;
}

const PEOPLE_A_REPORT = 2 ** 16;
const PEOPLE_A_LOOK = 256;
const ENTRIES_A_LOOK = 16_384;
/** Seconds since the base, below 2^24, and a person make one number to compare. */
const MAX_PEOPLE = 2 ** 28;

/** Gives `undefined` when nothing is left. Of contacts alike in start and people those of the first part
 * come first. Throws `input` for more than half a year. */
export function mergeRows(parts: readonly Part[], settings: MergeSettings): Segment | undefined {
  const { id, people, keepFrom, standAside = standFast } = settings;
  assert(people <= MAX_PEOPLE, 'no city has so many people');
  const kept = parts.map((part) => keptOf(part, keepFrom, standAside));
  const entries = kept.reduce((sum, { count }) => sum + count, 0);
  if (entries === 0) return undefined;
  const baseSeconds = Math.min(...kept.map((part) => part.firstSeconds));
  const lastSeconds = Math.max(...kept.map((part) => part.lastSeconds));
  if (lastSeconds - baseSeconds > MAX_SPAN_SECONDS)
    throw new FirebreakError('input', 'segments of more than half a year cannot be merged into one');
  const shape = { id, baseSeconds, lastSeconds, people, entries };
  const target = segmentIn(new SharedArrayBuffer(segmentBytes(shape)), shape);
  fill(
    target,
    parts.map((part) => new Cursor(part, keepFrom, baseSeconds)),
    { ...settings, standAside },
  );
  return target;
}

function keptOf({ segment, dropped }: Part, keepFrom: number, standAside: StandAside) {
  let [count, firstSeconds, lastSeconds, next] = [0, Infinity, 0, 0];
  for (let entry = 0; entry < segment.entries; entry++) {
    if (entry % ENTRIES_A_LOOK === 0) standAside();
    if (dropped[next] === entry) {
      next += 1;
      continue;
    }
    const start = startAt(segment, entry);
    const end = start + durationAt(segment, entry);
    if (end < keepFrom) continue;
    count += 1;
    if (start < firstSeconds) firstSeconds = start;
    if (end > lastSeconds) lastSeconds = end;
  }
  return { count, firstSeconds, lastSeconds };
}

/** Stands at an entry that is kept, in one row after another. */
class Cursor {
  readonly segment: Segment;
  readonly #dropped: Uint32Array;
  readonly #keepFrom: number;
  #nextDropped = 0;
  #rowEnd = 0;
  readonly #baseSeconds: number;
  entry = 0;
  start = 0;
  /** By which the entries of a row are in order; Infinity at the end of the row. */
  key = Infinity;

  constructor({ segment, dropped }: Part, keepFrom: number, baseSeconds: number) {
    this.#baseSeconds = baseSeconds;
    this.segment = segment;
    this.#dropped = dropped;
    this.#keepFrom = keepFrom;
  }

  /** Rows are entered in order. */
  enter(person: number): void {
    const { rows, people } = this.segment;
    this.entry = person < people ? rows[person]! : 0;
    this.#rowEnd = person < people ? rows[person + 1]! : 0;
    this.#settle();
  }

  advance(): void {
    this.entry += 1;
    this.#settle();
  }

  #settle(): void {
    const { segment } = this;
    for (; this.entry < this.#rowEnd; this.entry++) {
      if (this.#dropped[this.#nextDropped] === this.entry) {
        this.#nextDropped += 1;
        continue;
      }
      this.start = startAt(segment, this.entry);
      if (this.start + durationAt(segment, this.entry) < this.#keepFrom) continue;
      this.key = (this.start - this.#baseSeconds) * MAX_PEOPLE + segment.peer[this.entry]!;
      return;
    }
    this.key = Infinity;
  }
}

function fill(
  target: Segment,
  cursors: readonly Cursor[],
  { onPeople, standAside }: MergeSettings & { readonly standAside: StandAside },
): void {
  let at = 0;
  for (let person = 0; person < target.people; person++) {
    if (person % PEOPLE_A_LOOK === 0) standAside();
    for (const cursor of cursors) cursor.enter(person);
    at = fillRow(target, cursors, at);
    target.rows[person + 1] = at;
    if (person % PEOPLE_A_REPORT === 0) onPeople?.(person);
  }
}

/** As long as the first of the cursors stays the first, nothing is compared but with the second. */
function fillRow(target: Segment, cursors: readonly Cursor[], from: number): number {
  let at = from;
  for (;;) {
    let [first, second] = [0, Infinity];
    for (let i = 1; i < cursors.length; i++) if (cursors[i]!.key < cursors[first]!.key) first = i;
    // Of equals the earlier cursor's come first: one before `first` has a greater key than it.
    for (let i = 0; i < cursors.length; i++) {
      const limit = i < first ? cursors[i]!.key - 1 : cursors[i]!.key;
      if (i !== first && limit < second) second = limit;
    }
    const cursor = cursors[first]!;
    if (cursor.key === Infinity) return at;
    for (; cursor.key <= second && cursor.key !== Infinity; cursor.advance()) copy(cursor, target, at++);
  }
}

function copy({ segment, entry, start }: Cursor, target: Segment, at: number): void {
  target.peer[at] = segment.peer[entry]!;
  target.startSignal[at] = ((start - target.baseSeconds) << 8) | (segment.startSignal[entry]! & 0xff);
  target.span[at] = segment.span[entry]!;
  target.nearLow[at] = segment.nearLow[entry]!;
  target.nearInDay[at] = segment.nearInDay[entry]!;
  target.weight[at] = segment.weight[entry]!;
}
