/**
 * What the threads of an import do with the columns of one day (protocol/contact-columns.ts): first they count who is in
 * them, then, when every contact's place is known from the counts, they write each to its place. Days do not touch each other's
 * places, so they are written side by side into the same segment.
 */
import { MUTUAL, PARTIAL, readContactColumns } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { FirebreakError } from '../../protocol/errors.js';
import { dayOf } from '../../protocol/time.js';
import { EvidenceWriter, MUTUAL as MUTUAL_RECORD, PARTIAL as PARTIAL_RECORD } from './evidence-file.js';
import { RECORD_WORDS } from './evidence-file.js';
import { MAX_CONTACT_SECONDS, packSignal } from './segment.js';
import type { Segment } from './segment.js';
import { getFile, withFile } from './store-disk.js';
import type { StoreDisk } from './store-disk.js';
import { TagCounter, TagPlaces } from './tag-table.js';
import type { CountedTags, PlacedTags } from './tag-table.js';
import { weightOf } from './to-seal.js';

/** Contacts whose people are looked up before any of them is written: misses of the cache wait for each other less. */
const STRETCH = 2 ** 12;

export interface CountTask {
  readonly kind: 'count';
  readonly path: string;
}

export interface DayCount extends CountedTags {
  readonly day: number;
  readonly contacts: number;
  /** Unix seconds; of no contacts, Infinity and 0. */
  readonly baseSeconds: number;
  readonly lastSeconds: number;
}

/** Throws `damaged` or `format` for a file that is not whole, is none of contact columns, or is out of order. */
export async function countDay(disk: StoreDisk, { path }: CountTask): Promise<DayCount> {
  const columns = readContactColumns(await getFile(disk, path));
  checkOrder(path, columns);
  const { day, count, lower, upper, start, duration } = columns;
  const counter = new TagCounter();
  let lastSeconds = 0;
  for (let k = 0; k < count; k++) {
    counter.add(lower[k]!);
    counter.add(upper[k]!);
    const end = start[k]! + Math.min(duration[k]!, MAX_CONTACT_SECONDS);
    if (end > lastSeconds) lastSeconds = end;
  }
  return { day, contacts: count, baseSeconds: start[0] ?? Infinity, lastSeconds, ...counter.counted() };
}

/** Evidence is found by this order. */
function checkOrder(path: string, { day, count, lower, upper, start }: ContactColumns): void {
  let [beforeStart, beforeLower, beforeUpper] = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const [s, a, b] = [start[k]!, lower[k]!, upper[k]!];
    const later = s - beforeStart || a - beforeLower || b - beforeUpper;
    if (a >= b || later <= 0 || dayOf(s) !== day)
      throw new FirebreakError(
        'format',
        `contact ${k} of ${path} is out of place: contacts are of one day, by start and then both tag numbers, ` +
          'the lower one first',
      );
    [beforeStart, beforeLower, beforeUpper] = [s, a, b];
  }
}

export interface FillTask {
  readonly kind: 'fill';
  readonly path: string;
  /** All of {@link DayCount}'s, with persons in the same order. */
  readonly tags: PlacedTags;
  readonly segment: Segment;
  readonly evidencePath: string;
  /** Where in that file the day's blocks begin. */
  readonly evidencePosition: number;
}

/** Gives the index of the day's blocks of evidence. `nearInDay` is left for near-in-day.ts. Throws `damaged`. */
export async function fillDay(disk: StoreDisk, task: FillTask): Promise<Uint32Array> {
  const columns = readContactColumns(await getFile(disk, task.path));
  const filler = new DayFiller(columns, new TagPlaces(task.tags), task.segment);
  return withFile(disk, task.evidencePath, 'r+', async (fd) => {
    const writer = new EvidenceWriter(disk, fd, task.evidencePosition);
    for (let from = 0; from < columns.count; from += STRETCH) {
      const to = Math.min(from + STRETCH, columns.count);
      filler.place(from, to);
      filler.fillEntries(from, to);
      filler.addEvidence(writer, from, to);
      if (writer.isFull) await writer.flush();
    }
    return (await writer.end()).index;
  });
}

class DayFiller {
  readonly #columns: ContactColumns;
  readonly #places: TagPlaces;
  readonly #segment: Segment;
  /** Of the stretch, for the lower side and the upper: persons, and the entries they go to. */
  readonly #lower = new Uint32Array(STRETCH);
  readonly #upper = new Uint32Array(STRETCH);
  readonly #atLower = new Uint32Array(STRETCH);
  readonly #atUpper = new Uint32Array(STRETCH);
  readonly #record = new Uint32Array(RECORD_WORDS);

  constructor(columns: ContactColumns, places: TagPlaces, segment: Segment) {
    this.#columns = columns;
    this.#places = places;
    this.#segment = segment;
  }

  place(from: number, to: number): void {
    const { lower, upper } = this.#columns;
    const { table } = this.#places;
    for (let k = from; k < to; k++) {
      const [a, b] = [this.#places.find(lower[k]!), this.#places.find(upper[k]!)];
      this.#lower[k - from] = table[a + 1]!;
      this.#atLower[k - from] = table[a + 2]!++;
      this.#upper[k - from] = table[b + 1]!;
      this.#atUpper[k - from] = table[b + 2]!++;
    }
  }

  fillEntries(from: number, to: number): void {
    const { start, duration, immediate, near, medium, attenuationDb, flags } = this.#columns;
    const base = this.#segment.baseSeconds;
    for (let k = from; k < to; k++) {
      const mutual = (flags[k]! & MUTUAL) !== 0;
      const startSignal = ((start[k]! - base) << 8) | packSignal(attenuationDb[k]!, mutual);
      const nearSeconds = Math.min(immediate[k]! + near[k]!, MAX_CONTACT_SECONDS);
      const span = (Math.min(duration[k]!, MAX_CONTACT_SECONDS) << 4) | (nearSeconds >> 8);
      const weight = weightOf(immediate[k]!, near[k]!, medium[k]!, mutual);
      const i = k - from;
      this.#put(this.#atLower[i]!, this.#upper[i]!, startSignal, span, nearSeconds, weight);
      this.#put(this.#atUpper[i]!, this.#lower[i]!, startSignal, span, nearSeconds, weight);
    }
  }

  #put(at: number, peer: number, startSignal: number, span: number, near: number, weight: number): void {
    const segment = this.#segment;
    segment.peer[at] = peer;
    segment.startSignal[at] = startSignal;
    segment.span[at] = span;
    segment.nearLow[at] = near & 0xff;
    segment.weight[at] = weight;
  }

  addEvidence(writer: EvidenceWriter, from: number, to: number): void {
    const { start, duration, immediate, near, medium, other, attenuationDb, flags } = this.#columns;
    const record = this.#record;
    for (let k = from; k < to; k++) {
      const bits = flags[k]!;
      const marks =
        ((bits & MUTUAL) !== 0 ? MUTUAL_RECORD : 0) | ((bits & PARTIAL) !== 0 ? PARTIAL_RECORD : 0);
      record[0] = start[k]!;
      record[1] = this.#lower[k - from]!;
      record[2] = this.#upper[k - from]!;
      record[3] = immediate[k]! | (near[k]! << 16);
      record[4] = medium[k]! | (other[k]! << 16);
      record[5] = duration[k]! | (attenuationDb[k]! << 16) | (marks << 24);
      writer.add(record, 0);
    }
  }
}
