/**
 * Contacts arranged for walking: per tag, in order of start, in typed arrays (compressed sparse rows). With each contact
 * stands the pair's nearSeconds over the 24 hours up to its end, which says whether it is a close contact (tracing.md).
 */
import { DAY_SECONDS } from '../../../protocol/time.js';
import { nearSecondsOf } from '../../../tracer/contact.js';
import type { Contact } from '../../../tracer/contact.js';

export interface ContactGraph {
  /** By start, then a, b and epoch. */
  readonly contacts: readonly Contact[];
  /** Tag numbers, ascending; a person is a position here. */
  readonly people: Float64Array;
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** nearSeconds of the pair, summed over its contacts with end in (end − 24 h, end]. */
  readonly nearInDay: Float64Array;
  readonly ofPerson: Groups;
}

/** The members of group g are members[rows[g]..rows[g + 1]), in the order they had. */
interface Groups {
  readonly rows: Int32Array;
  readonly members: Int32Array;
}

export function buildContactGraph(unordered: Iterable<Contact>): ContactGraph {
  const contacts = Array.from(unordered).sort(
    (x, y) => x.start - y.start || x.a - y.a || x.b - y.b || x.epoch - y.epoch,
  );
  const { people, position } = peopleOf(contacts);
  const { lower, upper, start, end, near } = columnsOf(contacts, position);
  const pairs = pairsOf(lower, upper, people.length);
  const ofPerson = groupsOf([lower, upper], people.length);
  return { contacts, people, lower, upper, start, end, nearInDay: nearInDay(near, end, pairs), ofPerson };
}

/** The person with this tag number; `undefined` for one without contacts. */
export function personOf({ people }: ContactGraph, tag: number): number | undefined {
  let low = 0;
  let high = people.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((people[middle] ?? Infinity) < tag) low = middle + 1;
    else high = middle;
  }
  return people[low] === tag ? low : undefined;
}

/** In order of start. */
export function contactsOf({ ofPerson }: ContactGraph, person: number): Int32Array {
  return membersOf(ofPerson, person);
}

export function otherSide({ lower, upper }: ContactGraph, contact: number, person: number): number {
  const a = lower[contact] ?? -1;
  return a === person ? (upper[contact] ?? -1) : a;
}

function peopleOf(contacts: readonly Contact[]) {
  const tags = new Set<number>();
  for (const { a, b } of contacts) tags.add(a).add(b);
  const people = Float64Array.from(tags).sort();
  const position = new Map<number, number>();
  people.forEach((tag, index) => position.set(tag, index));
  return { people, position };
}

/** One pass over the contacts: they lie all over the memory. */
function columnsOf(contacts: readonly Contact[], position: ReadonlyMap<number, number>) {
  const { length } = contacts;
  const lower = new Int32Array(length);
  const upper = new Int32Array(length);
  const start = new Float64Array(length);
  const end = new Float64Array(length);
  const near = new Uint32Array(length);
  let k = 0;
  for (const contact of contacts) {
    lower[k] = position.get(contact.a) ?? -1;
    upper[k] = position.get(contact.b) ?? -1;
    start[k] = contact.start;
    end[k] = contact.end;
    near[k] = nearSecondsOf(contact);
    k += 1;
  }
  return { lower, upper, start, end, near };
}

/** The contacts of each pair. */
function pairsOf(lower: Int32Array, upper: Int32Array, people: number): Groups {
  const numbers = new Map<number, number>();
  const pairOf = lower.map((a, k) => {
    const key = a * people + (upper[k] ?? 0);
    const pair = numbers.get(key) ?? numbers.size;
    numbers.set(key, pair);
    return pair;
  });
  return groupsOf([pairOf], numbers.size);
}

/** A sliding sum over each pair's contacts, in order of end. */
function nearInDay(near: Uint32Array, end: Float64Array, pairs: Groups): Float64Array {
  const sums = new Float64Array(near.length);
  const endOf = (k: number | undefined) => end[k ?? -1] ?? Infinity;
  const nearOf = (k: number | undefined) => near[k ?? -1] ?? 0;
  for (let pair = 0; pair + 1 < pairs.rows.length; pair++) {
    const ofPair = inOrderOfEnd(membersOf(pairs, pair), end);
    let [sum, oldest, newest] = [0, 0, 0];
    for (const k of ofPair) {
      while (endOf(ofPair[newest]) <= endOf(k)) sum += nearOf(ofPair[newest++]);
      while (endOf(ofPair[oldest]) <= endOf(k) - DAY_SECONDS) sum -= nearOf(ofPair[oldest++]);
      sums[k] = sum;
    }
  }
  return sums;
}

/** In place. Contacts of a pair come in order of start, so that hardly any is out of place: an insertion sort is best. */
function inOrderOfEnd(ofPair: Int32Array, end: Float64Array): Int32Array {
  for (let sorted = 1; sorted < ofPair.length; sorted++) {
    const k = ofPair[sorted] ?? 0;
    let place = sorted;
    for (; place > 0 && (end[ofPair[place - 1] ?? 0] ?? 0) > (end[k] ?? 0); place--)
      ofPair[place] = ofPair[place - 1] ?? 0;
    ofPair[place] = k;
  }
  return ofPair;
}

/** A counting sort: the k-th member belongs to the group `columns` name at k, one group a column. */
function groupsOf(columns: readonly Int32Array[], groups: number): Groups {
  const rows = new Int32Array(groups + 1);
  for (const column of columns) for (const group of column) rows[group + 1] = (rows[group + 1] ?? 0) + 1;
  for (let g = 0; g < groups; g++) rows[g + 1] = (rows[g + 1] ?? 0) + (rows[g] ?? 0);
  const next = rows.slice();
  const length = columns[0]?.length ?? 0;
  const members = new Int32Array(length * columns.length);
  for (let k = 0; k < length; k++) {
    for (const column of columns) {
      const group = column[k] ?? 0;
      members[next[group] ?? 0] = k;
      next[group] = (next[group] ?? 0) + 1;
    }
  }
  return { rows, members };
}

const membersOf = ({ rows, members }: Groups, group: number): Int32Array =>
  members.subarray(rows[group] ?? 0, rows[group + 1] ?? 0);
