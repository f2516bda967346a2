/**
 * The contacts of a city as the peers hold them: a row for each side of each contact, ordered by person and start, with the
 * pair's nearSeconds over the 24 hours up to the contact's end. That sum is worked out here from its definition
 * (docs/tracing.md, "Contact"), not by the contact store, so that a mistake of either shows.
 */
import { readFile } from 'node:fs/promises';
import { MUTUAL, readContactColumns } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { DAY_SECONDS } from '../../protocol/time.js';

/** Of the persons firstTag, firstTag + 1, …: those of the k-th are from bounds[k] up to bounds[k + 1]. */
export interface Rows {
  readonly firstTag: number;
  readonly bounds: Uint32Array;
  readonly start: Uint32Array;
  readonly peer: Uint32Array;
  readonly duration: Uint16Array;
  /** At most {@link MOST_NEAR}: a signed number of 16 bits. */
  readonly nearInDay: Uint16Array;
  /** What a score and a path tell of a contact. */
  readonly near: Uint16Array;
  readonly attenuationDb: Uint8Array;
  readonly mutual: Uint8Array;
  /** W in twentieths of a second. */
  readonly weight: Uint32Array;
}

export const MOST_NEAR = 32_767;
/** Held at a time. */
const MOST_ROWS = 40_000_000;

export interface Extent {
  readonly contacts: number;
  /** Of the first contact and the last, unix seconds. */
  readonly from: number;
  readonly to: number;
}

const columnsOf = async (file: string): Promise<ContactColumns> =>
  readContactColumns(new Uint8Array(await readFile(file)));

/** `files`: in order of day. The city's days do not overlap and a pair's contacts end in the order they start. */
export async function* rowsOf(files: readonly string[], people: number): AsyncGenerator<Rows> {
  const counts = new Uint32Array(people + 1);
  for (const file of files) {
    const { lower, upper } = await columnsOf(file);
    for (const tag of lower) counts[tag]! += 1;
    for (const tag of upper) counts[tag]! += 1;
  }
  for (let first = 1, last = 1; first <= people; first = last) {
    let total = 0;
    while (last <= people && (last === first || total + counts[last]! <= MOST_ROWS)) total += counts[last++]!;
    yield await rowsFrom(files, first, counts.subarray(first, last), total);
  }
}

export async function extentOf(files: readonly string[]): Promise<Extent> {
  let [contacts, from, to] = [0, Infinity, 0];
  for (const file of files) {
    const { count, start, duration } = await columnsOf(file);
    contacts += count;
    from = Math.min(from, start[0] ?? Infinity);
    for (let k = 0; k < count; k++) to = Math.max(to, start[k]! + duration[k]!);
  }
  return { contacts, from, to };
}

async function rowsFrom(
  files: readonly string[],
  firstTag: number,
  counts: Uint32Array,
  total: number,
): Promise<Rows> {
  const bounds = new Uint32Array(counts.length + 1);
  for (const [k, count] of counts.entries()) bounds[k + 1] = bounds[k]! + count;
  const start = new Uint32Array(total);
  const peer = new Uint32Array(total);
  const duration = new Uint16Array(total);
  const near = new Uint16Array(total);
  const attenuationDb = new Uint8Array(total);
  const mutual = new Uint8Array(total);
  const weight = new Uint32Array(total);
  const next = bounds.slice();
  for (const file of files) {
    const day = await columnsOf(file);
    const put = (tag: number, other: number, k: number): void => {
      if (tag < firstTag || tag >= firstTag + counts.length) return;
      const at = next[tag - firstTag]!++;
      start[at] = day.start[k]!;
      peer[at] = other;
      duration[at] = day.duration[k]!;
      near[at] = day.immediate[k]! + day.near[k]!;
      attenuationDb[at] = day.attenuationDb[k]!;
      mutual[at] = (day.flags[k]! & MUTUAL) === 0 ? 0 : 1;
      weight[at] = (10 * day.immediate[k]! + 8 * day.near[k]! + 3 * day.medium[k]!) * (mutual[at] + 1);
    };
    for (let k = 0; k < day.count; k++) {
      put(day.lower[k]!, day.upper[k]!, k);
      put(day.upper[k]!, day.lower[k]!, k);
    }
  }
  const rows = { firstTag, bounds, start, peer, duration, near, attenuationDb, mutual, weight };
  return { ...rows, nearInDay: sumDays(rows) };
}

function sumDays({ bounds, start, peer, duration, near }: Omit<Rows, 'nearInDay'>): Uint16Array {
  const sums = new Uint16Array(near.length);
  const lastWith = new Map<number, number>();
  const before = new Int32Array(near.length);
  for (let person = 0; person + 1 < bounds.length; person++) {
    lastWith.clear();
    for (let at = bounds[person]!; at < bounds[person + 1]!; at++) {
      before[at] = lastWith.get(peer[at]!) ?? -1;
      lastWith.set(peer[at]!, at);
      const end = start[at]! + duration[at]!;
      let sum = 0;
      for (let k = at; k >= 0 && start[k]! + duration[k]! > end - DAY_SECONDS; k = before[k]!)
        sum += near[k]!;
      sums[at] = Math.min(sum, MOST_NEAR);
    }
  }
  return sums;
}
