/**
 * The paths that explain a walk's rows, as a tree: a step names the one before it, and paths that begin alike share their
 * beginning. So there are hardly more steps than rows, and each is told once.
 */
import { endAt, isMutual, nearSecondsAt, signalAt, startAt } from '../contacts/segment.js';
import type { Segment } from '../contacts/segment.js';
import type { Way } from './better.js';
import { ColumnMemory } from './column-memory.js';
import type { Ground } from './ground.js';
import type { Spot, Tables } from './tables.js';

/** Columns by step, but the first. */
export interface Paths {
  /** By row: the step by which the person was reached. */
  readonly lastStep: Uint32Array;
  /** The step that is nearer to the start of the walk by one; −1 for none. */
  readonly before: Int32Array;
  /** Persons: the one nearer to the start of the walk, and the one who was reached. */
  readonly near: Uint32Array;
  readonly far: Uint32Array;
  /** Unix seconds. */
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  readonly nearSeconds: Uint32Array;
  readonly mutual: Uint8Array;
  /** {@link SPOT}. */
  readonly kind: Uint8Array;
  /** Id of a segment or live table; of a co-presence the gateway. */
  readonly table: Uint32Array;
  readonly at: Uint32Array;
}

const SPOT = { segment: 0, live: 1, presence: 2 } as const;

/** One step of a path, in order of time: both are persons. */
export interface HotStep {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  readonly nearSeconds: number;
  readonly mutual: boolean;
  readonly spot: Spot;
}

export function stepAt(paths: Paths, isForward: boolean, k: number): HotStep {
  const [table, at, kind] = [paths.table[k]!, paths.at[k]!, paths.kind[k]!];
  const [near, far] = [paths.near[k]!, paths.far[k]!];
  return {
    from: isForward ? near : far,
    to: isForward ? far : near,
    start: paths.start[k]!,
    end: paths.end[k]!,
    nearSeconds: paths.nearSeconds[k]!,
    mutual: paths.mutual[k] === 1,
    spot:
      kind === SPOT.presence
        ? { kind: 'presence', gateway: table }
        : { kind: 'contact', place: { table, isLive: kind === SPOT.live, at } },
  };
}

/** The gateway of a step by co-presence. */
export const gatewayOf = (paths: Paths, k: number): number | undefined =>
  paths.kind[k] === SPOT.presence ? paths.table[k] : undefined;

/** Of a walk that is over: the paths to these arrivals. */
export function pathsTo(ground: Ground, rows: Int32Array): Paths {
  const { person, previous } = ground.space.arrivals;
  const { places, numbers } = numbered(ground, rows);
  const paths = newPaths(rows.length, places.length);
  for (let row = 0; row < rows.length; row++) paths.lastStep[row] = numbers[rows[row]!]! - 1;
  for (let k = 0; k < places.length; k++) {
    const place = places[k]!;
    const infector = previous[place]!;
    paths.before[k] = numbers[infector]! - 1;
    paths.near[k] = person[infector]!;
    paths.far[k] = person[place]!;
  }
  writeContacts(ground, paths, places);
  return paths;
}

/** The arrivals on the way to these, but the starts, and by arrival 1 + where it stands among them; 0 for the others. */
function numbered({ space: { arrivals } }: Ground, rows: Int32Array) {
  const { previous, count } = arrivals;
  const numbers = new Uint32Array(count);
  const places = new Int32Array(count);
  let found = 0;
  for (let row = 0; row < rows.length; row++) {
    for (let place = rows[row]!; previous[place]! >= 0 && numbers[place] === 0; place = previous[place]!) {
      places[found++] = place;
      numbers[place] = found;
    }
  }
  return { numbers, places: places.subarray(0, found) };
}

function newPaths(rows: number, steps: number): Paths {
  const memory = new ColumnMemory(4 * rows + 34 * steps);
  return {
    lastStep: memory.words(rows),
    before: memory.signedWords(steps),
    near: memory.words(steps),
    far: memory.words(steps),
    start: memory.words(steps),
    end: memory.words(steps),
    nearSeconds: memory.words(steps),
    table: memory.words(steps),
    at: memory.words(steps),
    mutual: memory.bytes(steps),
    kind: memory.bytes(steps),
  };
}

/** Most contacts are sealed. They lie all over the memory: a short loop waits for several of them at once. */
function writeContacts({ tables, space: { arrivals } }: Ground, paths: Paths, places: Int32Array): void {
  const { segments } = tables;
  for (let k = 0; k < places.length; k++) {
    const place = places[k]!;
    const [table, entry] = [arrivals.table[place]!, arrivals.entry[place]!];
    const segment = segments[table];
    if (segment) writeSealed(paths, k, segment, entry);
    else writeOther(paths, k, tables, { table, entry });
  }
}

function writeSealed(paths: Paths, k: number, segment: Segment, entry: number): void {
  paths.nearSeconds[k] = nearSecondsAt(segment, entry);
  paths.start[k] = startAt(segment, entry);
  paths.end[k] = endAt(segment, entry);
  paths.mutual[k] = isMutual(signalAt(segment, entry)) ? 1 : 0;
  paths.kind[k] = SPOT.segment;
  paths.table[k] = segment.id;
  paths.at[k] = entry;
}

/** What is in a live table, or of presence. */
function writeOther(
  paths: Paths,
  k: number,
  tables: Tables,
  { table, entry }: Pick<Way, 'table' | 'entry'>,
): void {
  paths.nearSeconds[k] = tables.nearOf(table, entry);
  paths.start[k] = tables.startOf(table, entry);
  paths.end[k] = tables.endOf(table, entry);
  paths.mutual[k] = isMutual(tables.signalOf(table, entry)) ? 1 : 0;
  const spot = tables.spotOf(table, entry);
  paths.kind[k] = spot.kind === 'presence' ? SPOT.presence : SPOT.live;
  paths.table[k] = spot.kind === 'presence' ? spot.gateway : spot.place.table;
  paths.at[k] = entry;
}
