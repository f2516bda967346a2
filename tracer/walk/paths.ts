/**
 * The paths that explain a walk's rows, as a tree: a step names the one before it, and paths that begin alike share their
 * beginning. So there are hardly more steps than rows, and each is told once.
 */
import { isMutual } from '../contacts/segment.js';
import { ColumnMemory } from './column-memory.js';
import type { Ground } from './ground.js';
import type { Spot } from './tables.js';

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

/** A column at a time: what is read of each contact lies all over the memory, and a loop that reads one thing waits for many at once. */
function writeContacts({ tables, space: { arrivals } }: Ground, paths: Paths, places: Int32Array): void {
  const { table, entry } = arrivals;
  for (let k = 0; k < places.length; k++)
    paths.nearSeconds[k] = tables.nearOf(table[places[k]!]!, entry[places[k]!]!);
  for (let k = 0; k < places.length; k++) {
    const place = places[k]!;
    paths.start[k] = tables.startOf(table[place]!, entry[place]!);
    paths.end[k] = tables.endOf(table[place]!, entry[place]!);
    paths.mutual[k] = isMutual(tables.signalOf(table[place]!, entry[place]!)) ? 1 : 0;
    writeSpot(paths, k, tables.spotOf(table[place]!, entry[place]!));
  }
}

function writeSpot(paths: Paths, k: number, spot: Spot): void {
  if (spot.kind === 'presence') {
    paths.kind[k] = SPOT.presence;
    paths.table[k] = spot.gateway;
  } else {
    paths.kind[k] = spot.place.isLive ? SPOT.live : SPOT.segment;
    paths.table[k] = spot.place.table;
    paths.at[k] = spot.place.at;
  }
}
