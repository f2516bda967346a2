/** The first rows of a walk in the order of tracing.md: hop, then exposedAt, then tag number. Only those are sorted. */
import type { Ground } from './ground.js';
import { unixSeconds } from './lens.js';

const HALF_BITS = 16;
/** A time and a place in a list of this length go into one double. */
export const MAX_LIST = 2 ** 21;

/**
 * The arrivals that the rows tell of, in order; as many as there is room for in `hop`, and at most {@link MAX_LIST}. Writes the
 * hop of each there. `hopEnds`: how many were reached up to each hop.
 */
export function firstInOrder(ground: Ground, hopEnds: readonly number[], hop: Uint8Array): Int32Array {
  const rows = new Int32Array(hop.length);
  const keys = new Float64Array(hop.length);
  for (let h = 1; h < hopEnds.length; h++) {
    const begin = hopEnds[h - 1]!;
    const end = Math.min(hopEnds[h]!, hop.length);
    if (begin >= end) continue;
    const reached = ground.space.reached.subarray(begin, hopEnds[h]);
    rows.set(end === hopEnds[h] ? reached : first(ground, reached, end - begin), begin);
    sort(ground, rows.subarray(begin, end), keys.subarray(begin, end));
    hop.fill(h, begin, end);
  }
  return rows;
}

const timeOf = ({ space: { arrivals }, lens }: Ground, place: number): number =>
  unixSeconds(lens.isForward, arrivals.at[place]!);

type TagOrder = (x: number, y: number) => number;

function tagOrder({ view, space }: Ground): TagOrder {
  const { tags } = view.people;
  const { person } = space.arrivals;
  return (x, y) => tags[person[x]!]! - tags[person[y]!]!;
}

/** The first `wanted` by time and tag, in any order. */
function first(ground: Ground, all: Int32Array, wanted: number): Int32Array {
  const times = new Uint32Array(all.length);
  for (let k = 0; k < times.length; k++) times[k] = timeOf(ground, all[k]!);
  const { last, before } = timeOfNth(times, wanted);
  const places = new Int32Array(wanted);
  const tied: number[] = [];
  let count = 0;
  for (let k = 0; k < times.length; k++) {
    const time = times[k]!;
    if (time === last) tied.push(all[k]!);
    if (time < last) places[count++] = all[k]!;
  }
  places.set(tied.sort(tagOrder(ground)).slice(0, wanted - before), before);
  return places;
}

/** The time of the n-th, and how many are earlier. */
function timeOfNth(times: Uint32Array, n: number): { readonly last: number; readonly before: number } {
  const upper = new Uint32Array(2 ** HALF_BITS);
  for (let k = 0; k < times.length; k++) upper[times[k]! >>> HALF_BITS]! += 1;
  const high = nthIn(upper, n);
  const lower = new Uint32Array(2 ** HALF_BITS);
  for (let k = 0; k < times.length; k++)
    if (times[k]! >>> HALF_BITS === high.bucket) lower[times[k]! & 0xffff]! += 1;
  const low = nthIn(lower, n - high.before);
  return { last: high.bucket * 2 ** HALF_BITS + low.bucket, before: high.before + low.before };
}

/** The bucket that the n-th is in, and how many are in those before it. */
function nthIn(counts: Uint32Array, n: number): { readonly bucket: number; readonly before: number } {
  let before = 0;
  let bucket = 0;
  for (; before + counts[bucket]! < n; bucket++) before += counts[bucket]!;
  return { bucket, before };
}

/** By time, then tag, in place. Numbers are sorted many times as fast as by a function that compares: only ties take one. */
function sort(ground: Ground, rows: Int32Array, keys: Float64Array): void {
  const places = rows.slice();
  for (let k = 0; k < keys.length; k++) keys[k] = timeOf(ground, places[k]!) * MAX_LIST + k;
  keys.sort();
  const byTag = tagOrder(ground);
  let tieFrom = 0;
  let tiedTime = -1;
  for (let k = 0; k < keys.length; k++) {
    const time = Math.floor(keys[k]! / MAX_LIST);
    rows[k] = places[keys[k]! - time * MAX_LIST]!;
    if (time === tiedTime) continue;
    sortTies(rows, tieFrom, k, byTag);
    tieFrom = k;
    tiedTime = time;
  }
  sortTies(rows, tieFrom, rows.length, byTag);
}

function sortTies(rows: Int32Array, from: number, to: number, byTag: TagOrder): void {
  if (to - from > 1) rows.subarray(from, to).sort(byTag);
}
