/**
 * Builds segments from contact columns of whole days, for a store that is empty: a synthetic city, or a first
 * load. Threads count, then fill, then sum up and write, all into the memory that the segments stay in, so
 * nothing is held twice but the columns of the day that a thread is at.
 */
import { FirebreakError } from '../../protocol/errors.js';
import { stretchesOf } from './compaction-policy.js';
import { EVIDENCE_HEAD_BYTES, finishEvidenceFile, RECORD_BYTES } from './evidence-file.js';
import type { DayCount } from './import-day.js';
import { mayCount } from './near-in-day.js';
import type { PeopleDirectory } from './people.js';
import type { MadeSegment, SegmentPaths } from './seal.js';
import { blocksOf, finishSegmentFile, segmentFileBytes } from './segment-file.js';
import { MAX_SEGMENT_BYTES, MAX_SPAN_SECONDS, segmentBytes, segmentIn } from './segment.js';
import type { Segment, SegmentShape } from './segment.js';
import { withFile } from './store-disk.js';
import type { StoreDisk } from './store-disk.js';
import type { TaskResults, Tasks } from './store-task.js';
import type { TaskThread } from './task-thread.js';

/** Into how many pieces the work on one segment is cut, so that no thread waits long for another. */
const PIECES = 8;

export interface ImportDeps {
  readonly disk: StoreDisk;
  readonly threads: readonly TaskThread[];
  /** Empty; filled in order of tag number. */
  readonly people: PeopleDirectory;
  readonly newId: () => number;
  readonly pathsOf: (id: number) => SegmentPaths;
  readonly onProgress?: ((step: string, done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ImportedSegment extends MadeSegment {
  readonly firstDay: number;
  readonly lastDay: number;
}

interface CountedDay extends DayCount {
  readonly path: string;
}

/** A day on its way into a segment. */
interface PlacedDay {
  readonly day: CountedDay;
  readonly persons: Uint32Array;
  readonly places: Uint32Array;
  readonly evidencePosition: number;
}

interface Stretch {
  readonly segment: Segment;
  readonly paths: SegmentPaths;
  readonly days: readonly PlacedDay[];
}

/**
 * Reads the files, each of a day of its own, in any order; writes the segments' files, synced, for a manifest to name.
 *
 * Throws `input` when two files are of one day, one has more contacts than a segment takes, or there are none in any;
 * `damaged` and `format` for files that are not as they should be; the signal's reason.
 */
export async function importColumns(
  deps: ImportDeps,
  files: readonly string[],
): Promise<readonly ImportedSegment[]> {
  const days = await countDays(deps, files);
  addPeople(
    deps.people,
    days.map(({ tags }) => tags),
  );
  const byDay = new Map(days.map((day) => [day.day, day]));
  const stretches = stretchesOf(days).map((some) =>
    newStretch(
      deps,
      some.flatMap((day) => byDay.get(day) ?? []),
    ),
  );
  for (const { paths } of stretches)
    for (const path of [paths.evidence, paths.segment])
      await withFile(deps.disk, path, 'w', async () => undefined);
  const indexes = await fillDays(deps, stretches);
  await sumUp(deps, stretches);
  return writeStretches(deps, stretches, indexes);
}

async function countDays(deps: ImportDeps, files: readonly string[]): Promise<readonly CountedDay[]> {
  const tasks = files.map((path) => ({ kind: 'count', path }) as const);
  const counts = await onAll<'count'>(deps, 'counting contacts', tasks);
  const days = counts
    .map((count, i) => ({ ...count, path: files[i] ?? '' }))
    .filter(({ contacts }) => contacts > 0)
    .sort((x, y) => x.day - y.day);
  for (const [i, { day, path }] of days.entries())
    if (i > 0 && days[i - 1]?.day === day)
      throw new FirebreakError(
        'input',
        `${path} and ${days[i - 1]?.path} are of the same day: give one of them`,
      );
  if (days.length === 0) throw new FirebreakError('input', 'there are no contacts in these files');
  return days;
}

/** In order of tag number, whatever the order of the files: neighbours by number often are neighbours. */
function addPeople(people: PeopleDirectory, sets: readonly Uint32Array[]): void {
  const union = sets.reduce((all, tags) => unionOf(all, tags), new Uint32Array(0));
  for (const tag of union) people.add(tag);
}

/** Of ascending numbers. */
function unionOf(x: Uint32Array, y: Uint32Array): Uint32Array {
  const union = new Uint32Array(x.length + y.length);
  let [i, j, size] = [0, 0, 0];
  while (i < x.length || j < y.length) {
    const next = Math.min(x[i] ?? Infinity, y[j] ?? Infinity);
    if (x[i] === next) i += 1;
    if (y[j] === next) j += 1;
    union[size++] = next;
  }
  return union.slice(0, size);
}

/** A segment with its rows laid out, and where in it each person's contacts of each day go. */
function newStretch({ people, newId, pathsOf }: ImportDeps, days: readonly CountedDay[]): Stretch {
  const id = newId();
  const baseSeconds = Math.min(...days.map((day) => day.baseSeconds));
  const lastSeconds = Math.max(...days.map((day) => day.lastSeconds));
  if (lastSeconds - baseSeconds > MAX_SPAN_SECONDS)
    throw new FirebreakError('input', 'contacts of more than half a year do not fit into one segment');
  const entries = 2 * days.reduce((sum, { contacts }) => sum + contacts, 0);
  const shape = { id, baseSeconds, lastSeconds, people: people.count, entries };
  requireFit(shape, days);
  const segment = segmentIn(new SharedArrayBuffer(segmentBytes(shape)), shape);
  return { segment, paths: pathsOf(id), days: placeDays(people, segment, days) };
}

function requireFit(shape: SegmentShape, days: readonly CountedDay[]): void {
  if (segmentBytes(shape) <= MAX_SEGMENT_BYTES) return;
  const ofNone = segmentBytes({ ...shape, entries: 0 });
  const perContact = segmentBytes({ ...shape, entries: 2 }) - ofNone;
  const most = Math.floor((MAX_SEGMENT_BYTES - ofNone) / perContact);
  throw new FirebreakError(
    'input',
    `${days.map(({ path }) => path).join(', ')} has ${shape.entries / 2} contacts of one day: a contact store takes ${most} at most`,
  );
}

function placeDays(people: PeopleDirectory, { rows }: Segment, days: readonly CountedDay[]): PlacedDay[] {
  const persons = days.map(({ tags }) => tags.map((tag) => people.add(tag)));
  for (const [i, { counts }] of days.entries())
    for (const [at, person] of (persons[i] ?? []).entries()) rows[person + 1]! += counts[at]!;
  for (let person = 0; person + 1 < rows.length; person++) rows[person + 1]! += rows[person]!;
  const next = Uint32Array.from(rows);
  let evidencePosition = EVIDENCE_HEAD_BYTES;
  return days.map((day, i) => {
    const ofDay = persons[i] ?? new Uint32Array(0);
    const places = ofDay.map((person, at) => {
      next[person]! += day.counts[at]!;
      return next[person]! - day.counts[at]!;
    });
    evidencePosition += RECORD_BYTES * day.contacts;
    return { day, persons: ofDay, places, evidencePosition: evidencePosition - RECORD_BYTES * day.contacts };
  });
}

/** Gives the blocks of each stretch's evidence. */
async function fillDays(deps: ImportDeps, stretches: readonly Stretch[]): Promise<readonly Uint32Array[]> {
  const tasks = stretches.flatMap(({ segment, paths, days }) =>
    days.map(({ day, persons, places, evidencePosition }) => ({
      kind: 'fill' as const,
      path: day.path,
      tags: { tags: day.tags, counts: day.counts, persons, places },
      segment,
      evidencePath: paths.evidence,
      evidencePosition,
    })),
  );
  const indexes = [...(await onAll<'fill'>(deps, 'sorting contacts by person', tasks))];
  return stretches.map(({ days }) =>
    Uint32Array.from(indexes.splice(0, days.length).flatMap((index) => [...index])),
  );
}

async function sumUp(deps: ImportDeps, stretches: readonly Stretch[]): Promise<void> {
  const tasks = stretches.flatMap(({ segment }) => {
    const segments = stretches.map((other) => other.segment).filter((other) => mayCount(other, segment));
    const target = segments.indexOf(segment);
    return pieces(segment.people).map(([from, to]) => ({
      kind: 'near' as const,
      segments,
      target,
      from,
      to,
    }));
  });
  await onAll<'near'>(deps, 'summing up days', tasks);
}

async function writeStretches(
  deps: ImportDeps,
  stretches: readonly Stretch[],
  indexes: readonly Uint32Array[],
): Promise<readonly ImportedSegment[]> {
  const sums = stretches.map(({ segment }) => new Uint32Array(new SharedArrayBuffer(4 * blocksOf(segment))));
  const tasks = stretches.flatMap(({ segment, paths }, i) =>
    pieces(blocksOf(segment)).map(([from, to]) => ({
      kind: 'write' as const,
      segment,
      path: paths.segment,
      sums: sums[i] ?? new Uint32Array(0),
      from,
      to,
    })),
  );
  await onAll<'write'>(deps, 'writing segments', tasks);
  const made: ImportedSegment[] = [];
  for (const [i, stretch] of stretches.entries())
    made.push(
      await finishStretch(
        deps.disk,
        stretch,
        sums[i] ?? new Uint32Array(0),
        indexes[i] ?? new Uint32Array(0),
      ),
    );
  return made;
}

async function finishStretch(
  disk: StoreDisk,
  { segment, paths, days }: Stretch,
  sums: Uint32Array,
  index: Uint32Array,
): Promise<ImportedSegment> {
  const segmentChecksum = await withFile(disk, paths.segment, 'r+', (fd) =>
    finishSegmentFile(disk, fd, segment, sums),
  );
  const evidence = await withFile(disk, paths.evidence, 'r+', async (fd) => {
    const written = { index, contacts: segment.entries / 2 };
    const evidenceChecksum = await finishEvidenceFile(disk, fd, segment.id, written);
    return { evidenceChecksum, evidenceBytes: await disk.size(fd) };
  });
  const [firstDay, lastDay] = [days[0]?.day.day ?? 0, days.at(-1)?.day.day ?? 0];
  return {
    segment,
    segmentBytes: segmentFileBytes(segment),
    segmentChecksum,
    ...evidence,
    firstDay,
    lastDay,
  };
}

function pieces(total: number): (readonly [from: number, to: number])[] {
  const size = Math.ceil(total / PIECES);
  return Array.from({ length: Math.ceil(total / Math.max(1, size)) }, (_, i) => [
    i * size,
    Math.min((i + 1) * size, total),
  ]);
}

/** Each thread takes the next task when it is done with one. Gives the results in the order of the tasks. */
async function onAll<K extends keyof TaskResults>(
  { threads, onProgress, signal }: ImportDeps,
  step: string,
  tasks: readonly Tasks[K][],
): Promise<readonly TaskResults[K][]> {
  const results: TaskResults[K][] = [];
  const left = [...tasks.entries()].reverse();
  let done = 0;
  const work = async (thread: TaskThread): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      signal?.throwIfAborted();
      const [at, task] = next;
      results[at] = await thread.run<K>(task);
      onProgress?.(step, ++done, tasks.length);
    }
  };
  await Promise.all(threads.map(work));
  return results;
}
