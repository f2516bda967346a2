/**
 * Contacts arranged for walking: per tag, in order of start, in typed arrays (compressed sparse rows). With each contact
 * stands the pair's nearSeconds over the 24 hours up to its end, which says whether it is a close contact (tracing.md).
 */
import type { TagNumber } from '../protocol/brands.js';
import { DAY_SECONDS } from '../protocol/time.js';
import { nearSecondsOf } from './contact.js';
import type { Contact } from './contact.js';

export interface ContactGraph {
  readonly contacts: readonly Contact[];
  /** Tag numbers, ascending; a person is a position here. */
  readonly people: Float64Array;
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** nearSeconds of the pair, summed over its contacts with end in (end − 24 h, end]. */
  readonly nearInDay: Float64Array;
  /** The contacts of person p are adjacent[rows[p]..rows[p + 1]). */
  readonly rows: Int32Array;
  readonly adjacent: Int32Array;
}

export function buildContactGraph(unordered: Iterable<Contact>): ContactGraph {
  const contacts = [...unordered].sort((x, y) => x.start - y.start || x.a - y.a || x.b - y.b);
  const people = Float64Array.from(new Set(contacts.flatMap(({ a, b }) => [a, b]))).sort();
  const position = new Map<number, number>(Array.from(people, (tag, index) => [tag, index]));
  const indexOf = (tag: TagNumber) => position.get(tag) ?? -1;
  const lower = Int32Array.from(contacts, ({ a }) => indexOf(a));
  const upper = Int32Array.from(contacts, ({ b }) => indexOf(b));
  return {
    contacts,
    people,
    lower,
    upper,
    start: Float64Array.from(contacts, (contact) => contact.start),
    end: Float64Array.from(contacts, (contact) => contact.end),
    nearInDay: nearInDay(contacts, lower, upper, people.length),
    ...rowsOf(lower, upper, people.length),
  };
}

/** The person with this tag number; `undefined` for one without contacts. */
export function personOf(graph: ContactGraph, tag: number): number | undefined {
  let low = 0;
  let high = graph.people.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((graph.people[middle] ?? Infinity) < tag) low = middle + 1;
    else high = middle;
  }
  return graph.people[low] === tag ? low : undefined;
}

/** A sliding sum over each pair's contacts, in order of end. */
function nearInDay(
  contacts: readonly Contact[],
  lower: Int32Array,
  upper: Int32Array,
  people: number,
): Float64Array {
  const sums = new Float64Array(contacts.length);
  const byPair = new Map<number, number[]>();
  contacts.forEach((_, k) => {
    const pair = (lower[k] ?? 0) * people + (upper[k] ?? 0);
    const known = byPair.get(pair);
    if (known) known.push(k);
    else byPair.set(pair, [k]);
  });
  const endOf = (k: number | undefined) => contacts[k ?? -1]?.end ?? 0;
  const nearOf = (k: number | undefined) => (k === undefined ? 0 : nearSecondsOf(contacts[k] as Contact));
  for (const ofPair of byPair.values()) {
    ofPair.sort((x, y) => endOf(x) - endOf(y));
    let sum = 0;
    let oldest = 0;
    let newest = 0;
    for (const k of ofPair) {
      while (newest < ofPair.length && endOf(ofPair[newest]) <= endOf(k)) sum += nearOf(ofPair[newest++]);
      while (endOf(ofPair[oldest]) <= endOf(k) - DAY_SECONDS) sum -= nearOf(ofPair[oldest++]);
      sums[k] = sum;
    }
  }
  return sums;
}

/** Contacts are in order of start, so each row is too. */
function rowsOf(
  lower: Int32Array,
  upper: Int32Array,
  people: number,
): Pick<ContactGraph, 'rows' | 'adjacent'> {
  const rows = new Int32Array(people + 1);
  for (const side of [lower, upper])
    for (const person of side) rows[person + 1] = (rows[person + 1] ?? 0) + 1;
  for (let p = 0; p < people; p++) rows[p + 1] = (rows[p + 1] ?? 0) + (rows[p] ?? 0);
  const next = rows.slice();
  const adjacent = new Int32Array(lower.length * 2);
  lower.forEach((a, k) => {
    for (const person of [a, upper[k] ?? 0]) {
      const slot = next[person] ?? 0;
      adjacent[slot] = k;
      next[person] = slot + 1;
    }
  });
  return { rows, adjacent };
}
