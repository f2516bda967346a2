/** The first rows of a walk in the order of tracing.md: hop, then exposedAt, then tag number. Only those are sorted. */
import type { Ground } from './ground.js';
import { unixSeconds } from './lens.js';

export interface OrderedRows {
  /** The arrival that each row tells of. */
  readonly rows: Int32Array;
  readonly hop: Uint8Array;
}

const HALF = 2 ** 16;

/** `hopEnds`: how many were reached up to each hop. */
export function firstInOrder(
  { space, lens, view }: Ground,
  hopEnds: readonly number[],
  list: number,
): OrderedRows {
  const { arrivals, reached } = space;
  const { tags } = view.people;
  const count = Math.min(list, hopEnds.at(-1) ?? 0);
  const rows = new Int32Array(count);
  const hops = new Uint8Array(count);
  const timeOf = (place: number): number => unixSeconds(lens.isForward, arrivals.at[place]!);
  const tagOf = (place: number): number => tags[arrivals.person[place]!]!;
  const inOrder = (x: number, y: number): number => timeOf(x) - timeOf(y) || tagOf(x) - tagOf(y);
  for (let hop = 1; hop < hopEnds.length; hop++) {
    const begin = hopEnds[hop - 1] ?? 0;
    if (begin >= count) break;
    const all = reached.subarray(begin, hopEnds[hop]);
    const wanted = Math.min(all.length, count - begin);
    const some = wanted < all.length ? upToTime(all, timeOf, wanted) : all;
    rows.set(Int32Array.from(some).sort(inOrder).subarray(0, wanted), begin);
    hops.fill(hop, begin, begin + wanted);
  }
  return { rows, hop: hops };
}

/** Those among whom the first `wanted` by time are: nobody who is later than the last of these. */
function upToTime(places: Int32Array, timeOf: (place: number) => number, wanted: number): Int32Array {
  const high = Math.trunc;
  const upper = bucketOf(places, (place) => high(timeOf(place) / HALF), wanted);
  const among = places.filter((place) => high(timeOf(place) / HALF) === upper.bucket);
  const lower = bucketOf(among, (place) => timeOf(place) % HALF, wanted - upper.before);
  const last = upper.bucket * HALF + lower.bucket;
  return places.filter((place) => timeOf(place) <= last);
}

/** The bucket that the `wanted`-th is in, and how many are in those before it. */
function bucketOf(places: Int32Array, keyOf: (place: number) => number, wanted: number) {
  const counts = new Uint32Array(HALF);
  for (const place of places) counts[keyOf(place)]! += 1;
  let before = 0;
  let bucket = 0;
  for (; before + counts[bucket]! < wanted; bucket++) before += counts[bucket]!;
  return { bucket, before };
}
