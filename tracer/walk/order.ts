/** The first rows of a walk in the order of tracing.md: hop, then exposedAt, then tag number. Only those are sorted. */
import type { Ground } from './ground.js';
import { unixSeconds } from './lens.js';

export interface OrderedRows {
  /** The arrival that each row tells of. */
  readonly rows: Int32Array;
  readonly hop: Uint8Array;
}

/** People of one hop: their arrivals, and the times of these in unix seconds. */
interface Reached {
  readonly places: Int32Array;
  readonly times: Uint32Array;
}

const HALF_BITS = 16;
/** A time and a place in a list of this length go into one double. */
export const MAX_LIST = 2 ** 21;

/** `hopEnds`: how many were reached up to each hop; `list`: rows at most, and at most {@link MAX_LIST}. */
export function firstInOrder(ground: Ground, hopEnds: readonly number[], list: number): OrderedRows {
  const { arrivals, reached } = ground.space;
  const { isForward } = ground.lens;
  const count = Math.min(list, hopEnds.at(-1) ?? 0);
  const rows = new Int32Array(count);
  const hops = new Uint8Array(count);
  for (let hop = 1; hop < hopEnds.length; hop++) {
    const begin = hopEnds[hop - 1] ?? 0;
    if (begin >= count) break;
    const places = reached.subarray(begin, hopEnds[hop]);
    const times = new Uint32Array(places.length);
    for (let k = 0; k < places.length; k++) times[k] = unixSeconds(isForward, arrivals.at[places[k]!]!);
    const wanted = Math.min(places.length, count - begin);
    const byTag = tagOrder(ground);
    const some = wanted < places.length ? first({ places, times }, wanted, byTag) : { places, times };
    rows.set(sorted(some, byTag), begin);
    hops.fill(hop, begin, begin + wanted);
  }
  return { rows, hop: hops };
}

type TagOrder = (x: number, y: number) => number;

function tagOrder({ view, space }: Ground): TagOrder {
  const { tags } = view.people;
  const { person } = space.arrivals;
  return (x, y) => tags[person[x]!]! - tags[person[y]!]!;
}

/** The first `wanted` by time and tag, in any order. */
function first(all: Reached, wanted: number, byTag: TagOrder): Reached {
  const { last, before } = timeOfNth(all.times, wanted);
  const places = new Int32Array(wanted);
  const times = new Uint32Array(wanted).fill(last);
  const tied: number[] = [];
  let count = 0;
  for (let k = 0; k < all.times.length; k++) {
    const time = all.times[k]!;
    if (time === last) tied.push(all.places[k]!);
    if (time >= last) continue;
    places[count] = all.places[k]!;
    times[count++] = time;
  }
  places.set(tied.sort(byTag).slice(0, wanted - before), before);
  return { places, times };
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

/** By time, then tag. Numbers are sorted many times as fast as by a function that compares: only ties take one. */
function sorted({ places, times }: Reached, byTag: TagOrder): Int32Array {
  const keys = new Float64Array(times.length);
  for (let k = 0; k < keys.length; k++) keys[k] = times[k]! * MAX_LIST + k;
  keys.sort();
  const rows = new Int32Array(keys.length);
  let tieFrom = 0;
  for (let k = 0; k < keys.length; k++) {
    const key = keys[k]!;
    rows[k] = places[key % MAX_LIST]!;
    if (Math.floor(key / MAX_LIST) === Math.floor(keys[tieFrom]! / MAX_LIST)) continue;
    sortTies(rows, tieFrom, k, byTag);
    tieFrom = k;
  }
  sortTies(rows, tieFrom, rows.length, byTag);
  return rows;
}

function sortTies(rows: Int32Array, from: number, to: number, byTag: TagOrder): void {
  if (to - from > 1) rows.subarray(from, to).sort(byTag);
}
