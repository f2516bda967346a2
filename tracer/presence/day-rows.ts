/**
 * The sightings that begin on one day, as rows in typed arrays: runs of one person at one gateway, in order of
 * person, gateway and start, and an index by gateway. 24 bytes a run, in shared memory: other threads read what
 * is never changed again. Only a day's own sightings are joined here, so that a day can be forgotten without a
 * trace; see snapshot.ts for stays.
 */

/** Sightings further apart than this are different stays (tracing.md). */
export const MAX_GAP_SECONDS = 300;

/** Columns; `length` of their rows count. Times are unix seconds. */
export interface Sightings {
  readonly length: number;
  readonly person: Int32Array;
  readonly gateway: Int32Array;
  readonly start: Uint32Array;
  readonly end: Uint32Array;
}

/** In order of person, gateway, start. */
export interface DayRows extends Sightings {
  readonly day: number;
  /** Rows in order of gateway, then start. */
  readonly byGateway: Int32Array;
  /** The latest end among the rows of that gateway up to and including this place of `byGateway`. */
  readonly latestEnd: Uint32Array;
}

/** Columns with room for this many rows, in `memory` of so many bytes each. */
export const newSightings = (
  length: number,
  memory: (bytes: number) => ArrayBufferLike = (bytes) => new ArrayBuffer(bytes),
): Sightings => ({
  length,
  person: new Int32Array(memory(4 * length)),
  gateway: new Int32Array(memory(4 * length)),
  start: new Uint32Array(memory(4 * length)),
  end: new Uint32Array(memory(4 * length)),
});

/** Copies all rows of `from` into the columns of `to`, from row `at` on. */
export function copySightings(from: Sightings, to: Sightings, at = 0): void {
  for (const column of ['person', 'gateway', 'start', 'end'] as const)
    to[column].set(from[column].subarray(0, from.length), at);
}

/** Joins what belongs together. `people` and `gateways` are above every number in the sightings. */
export function dayRows(
  day: number,
  sightings: Sightings,
  { people, gateways }: { readonly people: number; readonly gateways: number },
): DayRows {
  const joined = joinRuns(sightings, inOrder(sightings, people, gateways));
  const order = stableOrder(orderOfStart(joined), (row) => joined.gateway[row] ?? 0, gateways);
  const byGateway = new Int32Array(new SharedArrayBuffer(4 * joined.length));
  byGateway.set(order);
  return { day, ...joined, byGateway, latestEnd: latestEnds(joined, byGateway) };
}

function inOrder(sightings: Sightings, people: number, gateways: number): Int32Array {
  const byGateway = stableOrder(orderOfStart(sightings), (row) => sightings.gateway[row] ?? 0, gateways);
  return stableOrder(byGateway, (row) => sightings.person[row] ?? 0, people);
}

function orderOfStart({ start, length }: Sightings): Int32Array {
  const rows = Int32Array.from({ length }, (_, row) => row);
  if (length === 0) return rows;
  let first = Infinity;
  let last = 0;
  for (let row = 0; row < length; row++) {
    first = Math.min(first, start[row] ?? 0);
    last = Math.max(last, start[row] ?? 0);
  }
  return stableOrder(rows, (row) => (start[row] ?? 0) - first, last - first + 1);
}

/** A counting sort: keys are 0 to `keys`, exclusive; rows of one key keep their order. */
function stableOrder(rows: Int32Array, keyOf: (row: number) => number, keys: number): Int32Array {
  const next = new Int32Array(keys + 1);
  for (const row of rows) next[keyOf(row) + 1] = (next[keyOf(row) + 1] ?? 0) + 1;
  for (let key = 0; key < keys; key++) next[key + 1] = (next[key + 1] ?? 0) + (next[key] ?? 0);
  const ordered = new Int32Array(rows.length);
  for (const row of rows) {
    const place = next[keyOf(row)] ?? 0;
    ordered[place] = row;
    next[keyOf(row)] = place + 1;
  }
  return ordered;
}

function joinRuns(sightings: Sightings, order: Int32Array): Sightings {
  const runs = { ...newSightings(order.length), length: 0 };
  for (const row of order) {
    const [person, gateway] = [sightings.person[row] ?? 0, sightings.gateway[row] ?? 0];
    const [start, end] = [sightings.start[row] ?? 0, sightings.end[row] ?? 0];
    const last = runs.length - 1;
    const isSame = last >= 0 && runs.person[last] === person && runs.gateway[last] === gateway;
    if (isSame && start - (runs.end[last] ?? 0) <= MAX_GAP_SECONDS) {
      runs.end[last] = Math.max(runs.end[last] ?? 0, end);
      continue;
    }
    const place = runs.length++;
    runs.person[place] = person;
    runs.gateway[place] = gateway;
    runs.start[place] = start;
    runs.end[place] = end;
  }
  const shared = newSightings(runs.length, (bytes) => new SharedArrayBuffer(bytes));
  copySightings(runs, shared);
  return shared;
}

function latestEnds({ gateway, end, length }: Sightings, byGateway: Int32Array): Uint32Array {
  const latest = new Uint32Array(new SharedArrayBuffer(4 * length));
  byGateway.forEach((row, place) => {
    const before = byGateway[place - 1];
    const isSame = before !== undefined && gateway[before] === gateway[row];
    latest[place] = Math.max(end[row] ?? 0, isSame ? (latest[place - 1] ?? 0) : 0);
  });
  return latest;
}
