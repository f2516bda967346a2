/**
 * What the threads of an import do with the columns of one day (protocol/contact-columns.ts): first they count
 * who is in them, then, when every contact's place is known from the counts, they write each to its place. Days
 * do not touch each other's places, so they are written side by side into the same segment.
 */
import { MUTUAL, PARTIAL, readContactColumns } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { FirebreakError } from '../../protocol/errors.js';
import { dayOf } from '../../protocol/time.js';
import { MUTUAL as MUTUAL_RECORD, PARTIAL as PARTIAL_RECORD, RECORD_WORDS } from './evidence-file.js';
import { withEvidenceWriter } from './evidence-writer.js';
import type { EvidenceWriter } from './evidence-writer.js';
import { MAX_CONTACT_SECONDS, packSignal, weightOf } from './segment.js';
import type { Segment } from './segment.js';
import { getFile, withFile } from './store-disk.js';
import type { StoreDisk } from './store-disk.js';
import { countTags, TagRows } from './tag-table.js';
import type { CountedTags, PlacedTags } from './tag-table.js';

/**
 * Contacts whose people are looked up before any of them is written: misses of the cache then do not wait for
 * each other.
 */
const STRETCH = 2 ** 12;
const ROW_WORDS = 4;

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
  const columns = await readDay(disk, path);
  checkOrder(path, columns);
  const { day, count, lower, upper, start, duration } = columns;
  let lastSeconds = 0;
  for (let k = 0; k < count; k++) {
    const end = start[k]! + Math.min(duration[k]!, MAX_CONTACT_SECONDS);
    if (end > lastSeconds) lastSeconds = end;
  }
  return { day, contacts: count, baseSeconds: start[0] ?? Infinity, lastSeconds, ...countTags(lower, upper) };
}

async function readDay(disk: StoreDisk, path: string): Promise<ContactColumns> {
  const bytes = await getFile(disk, path);
  try {
    return readContactColumns(bytes);
  } catch (cause) {
    if (!(cause instanceof FirebreakError)) throw cause;
    throw new FirebreakError(cause.code, `${path}: ${cause.message}`, { cause });
  }
}

/** Evidence is found by this order. */
function checkOrder(path: string, { day, count, lower, upper, start }: ContactColumns): void {
  for (let k = 0; k < count; k++) {
    const later =
      k === 0 || start[k]! - start[k - 1]! || lower[k]! - lower[k - 1]! || upper[k]! - upper[k - 1]!;
    if (lower[k]! >= upper[k]! || Number(later) <= 0 || dayOf(start[k]!) !== day)
      throw new FirebreakError(
        'format',
        `contact ${k} of ${path} is out of place: contacts are of one day, by start and then both tag numbers, ` +
          'the lower one first',
      );
  }
}

export interface FillTask {
  readonly kind: 'fill';
  readonly path: string;
  /** All of {@link DayCount}'s. */
  readonly tags: PlacedTags;
  readonly segment: Segment;
  readonly evidencePath: string;
  /** Where in that file the day's blocks begin. */
  readonly evidencePosition: number;
}

/**
 * Gives the index of the day's blocks of evidence. `nearInDay` is left for near-in-day.ts. Throws `damaged` and
 * `format`.
 */
export async function fillDay(disk: StoreDisk, task: FillTask): Promise<Uint32Array> {
  const columns = await readDay(disk, task.path);
  const filler = new DayFiller(columns, task.tags, task.segment.baseSeconds);
  const index = await withFile(disk, task.evidencePath, 'r+', (fd) =>
    withEvidenceWriter(disk, fd, task.evidencePosition, async (writer) => {
      for (let from = 0; from < columns.count; from += STRETCH) {
        const to = Math.min(from + STRETCH, columns.count);
        filler.place(from, to);
        filler.fillRows(from, to);
        filler.addEvidence(writer, from, to);
        if (writer.isFull) await writer.flush();
      }
    }),
  );
  filler.moveTo(task.segment);
  return index.index;
}

/**
 * Entries are put in order in rows of four words, peer | startSignal | span and nearLow | weight, and then
 * moved into the segment's columns: written straight to those, each of them would be a miss of the cache.
 */
class DayFiller {
  readonly #columns: ContactColumns;
  readonly #tags: PlacedTags;
  readonly #baseSeconds: number;
  readonly #tagRows: TagRows;
  readonly #rows: Uint32Array;
  /** Of the stretch, for the lower side and the upper: persons, and where in the rows they go. */
  readonly #lower = new Uint32Array(STRETCH);
  readonly #upper = new Uint32Array(STRETCH);
  readonly #atLower = new Uint32Array(STRETCH);
  readonly #atUpper = new Uint32Array(STRETCH);
  readonly #record = new Uint32Array(RECORD_WORDS);

  constructor(columns: ContactColumns, tags: PlacedTags, baseSeconds: number) {
    this.#columns = columns;
    this.#tags = tags;
    this.#baseSeconds = baseSeconds;
    this.#tagRows = new TagRows(tags);
    this.#rows = new Uint32Array(ROW_WORDS * 2 * columns.count);
  }

  place(from: number, to: number): void {
    const { lower, upper } = this.#columns;
    const { table } = this.#tagRows;
    for (let k = from; k < to; k++) {
      const a = this.#tagRows.find(lower[k]!);
      const b = this.#tagRows.find(upper[k]!);
      this.#lower[k - from] = table[a]!;
      this.#atLower[k - from] = ROW_WORDS * table[a + 1]!++;
      this.#upper[k - from] = table[b]!;
      this.#atUpper[k - from] = ROW_WORDS * table[b + 1]!++;
    }
  }

  fillRows(from: number, to: number): void {
    const { start, duration, immediate, near, medium, attenuationDb, flags } = this.#columns;
    const rows = this.#rows;
    for (let k = from; k < to; k++) {
      const mutual = (flags[k]! & MUTUAL) !== 0;
      const startSignal = ((start[k]! - this.#baseSeconds) << 8) | packSignal(attenuationDb[k]!, mutual);
      const nearSeconds = Math.min(immediate[k]! + near[k]!, MAX_CONTACT_SECONDS);
      const span = (Math.min(duration[k]!, MAX_CONTACT_SECONDS) << 4) | (nearSeconds >> 8);
      const times = span | ((nearSeconds & 0xff) << 16);
      const weight = weightOf(immediate[k]!, near[k]!, medium[k]!, mutual);
      const i = k - from;
      putRow(rows, this.#atLower[i]!, this.#upper[i]!, startSignal, times, weight);
      putRow(rows, this.#atUpper[i]!, this.#lower[i]!, startSignal, times, weight);
    }
  }

  /** When all stretches are filled. */
  moveTo({ peer, startSignal, span, nearLow, weight }: Segment): void {
    const { counts, places } = this.#tags;
    const rows = this.#rows;
    let from = 0;
    for (let i = 0; i < counts.length; i++) {
      const end = places[i]! + counts[i]!;
      for (let to = places[i]!; to < end; to++, from += ROW_WORDS) {
        const times = rows[from + 2]!;
        peer[to] = rows[from]!;
        startSignal[to] = rows[from + 1]!;
        span[to] = times & 0xffff;
        nearLow[to] = times >>> 16;
        weight[to] = rows[from + 3]!;
      }
    }
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

function putRow(
  rows: Uint32Array,
  at: number,
  peer: number,
  startSignal: number,
  times: number,
  weight: number,
): void {
  rows[at] = peer;
  rows[at + 1] = startSignal;
  rows[at + 2] = times;
  rows[at + 3] = weight;
}
