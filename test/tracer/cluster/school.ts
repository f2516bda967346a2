/**
 * A made-up school for a week, for machines without recordings: classes that sit together, friends in other classes met at
 * breaks, a canteen in two shifts. The same seed gives the same contacts, one a pair and epoch.
 */
import { asTagNumber } from '../../../protocol/brands.js';
import { epochOf } from '../../../protocol/time.js';
import { seededRandom } from '../../../radio/random.js';
import type { Random } from '../../../radio/random.js';
import type { Contact } from '../../../tracer/contact.js';

/** 2026-03-02T00:00Z, a Monday. */
const MONDAY = 1_772_409_600;
const DAY = 86_400;
const HOUR = 3600;
const LESSONS = [8, 9, 10.5, 11.5, 13.5, 14.5];
const BREAKS = [10, 12.5, 15.5];

export interface SchoolSize {
  readonly classes: number;
  readonly pupils: number;
  readonly days: number;
}

/** In order of start. Pupil p of class c has tag number 100·(c + 1) + p. */
export function schoolContacts(seed: number, { classes, pupils, days }: SchoolSize): Contact[] {
  const random = seededRandom(`school ${seed}`);
  const people = Array.from({ length: classes * pupils }, (_, k) => k);
  const tagOf = (k: number): number => 100 * (Math.floor(k / pupils) + 1) + (k % pupils);
  const friends = people.map((k) => [1, 2].map(() => strangerTo(k, people.length, random)));
  const outgoing = people.map(() => Math.exp(0.6 * random.normal()));
  const contacts: Contact[] = [];
  const meet = (x: number, y: number, at: number): void => {
    const seconds = 20 * (1 + Math.floor(-Math.log(1 - random.next()) * 8));
    contacts.push(contactOf(tagOf(x), tagOf(y), at + 20 * random.below(15), Math.min(seconds, 600)));
  };
  const likes = (x: number, y: number): number => (outgoing[x] ?? 1) * (outgoing[y] ?? 1);
  const inClass = (x: number, midnight: number): void => {
    const next = x - (x % pupils) + pupils;
    for (let y = x + 1; y < next; y++)
      for (const hour of LESSONS) if (random.next() < 0.03 * likes(x, y)) meet(x, y, midnight + hour * HOUR);
  };
  const atBreak = (x: number, breakAt: number): void => {
    for (const y of friends[x] ?? []) if (random.next() < 0.4) meet(x, y, breakAt);
    const y = strangerTo(x, people.length, random);
    if (random.next() < 0.15 * (outgoing[x] ?? 1)) meet(x, y, breakAt + HOUR / 4);
  };
  for (let day = 0; day < days; day++)
    for (const x of people) {
      inClass(x, MONDAY + day * DAY);
      for (const hour of BREAKS) atBreak(x, MONDAY + day * DAY + hour * HOUR);
    }
  return merged(contacts);
}

function strangerTo(person: number, people: number, random: Random): number {
  return (person + 1 + random.below(people - 1)) % people;
}

function contactOf(x: number, y: number, start: number, seconds: number): Contact {
  return {
    a: asTagNumber(Math.min(x, y)),
    b: asTagNumber(Math.max(x, y)),
    epoch: epochOf(start),
    start,
    end: start + seconds,
    bucketSeconds: [seconds, 0, 0, 0],
    attenuationDb: 50,
    mutual: true,
    partial: false,
    ledger: [],
  };
}

/** One contact a pair and epoch. */
function merged(contacts: readonly Contact[]): Contact[] {
  const known = new Map<string, Contact>();
  for (const contact of contacts) {
    const key = `${contact.a} ${contact.b} ${contact.epoch}`;
    const before = known.get(key);
    const start = Math.min(contact.start, before?.start ?? Infinity);
    const end = Math.max(contact.end, before?.end ?? 0);
    known.set(key, { ...contact, start, end, bucketSeconds: [end - start, 0, 0, 0] });
  }
  return [...known.values()].sort((x, y) => x.start - y.start || x.a - y.a || x.b - y.b);
}
