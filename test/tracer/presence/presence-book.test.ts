/** Stays against a brute force that is written from the definition alone: runs of sightings with gaps of at most 300 s. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asTagNumber } from '../../../protocol/brands.js';
import { dayRows } from '../../../tracer/presence/day-rows.js';
import { PresenceBook } from '../../../tracer/presence/presence-book.js';
import type { Sighting } from '../../../tracer/presence/sighting.js';
import type { Stay } from '../../../tracer/presence/presence-view.js';
import { presenceView } from '../../../tracer/presence/snapshot.js';
import { keep } from '../keep-parts.js';

const DAY = 86_400;
/** A day's last minutes are where days meet. */
const EVENING = 20_700 * DAY - 1200;

const found = (told: Iterable<Stay | undefined>): Stay[] => [...told].filter((stay) => stay !== undefined);

interface Seen {
  readonly tag: number;
  readonly gateway: number;
  readonly start: number;
  readonly seconds: number;
}

const seen: fc.Arbitrary<Seen> = fc.record({
  tag: fc.integer({ min: 0, max: 3 }),
  gateway: fc.integer({ min: 0, max: 2 }),
  start: fc.oneof(
    fc.integer({ min: EVENING, max: EVENING + 2400 }),
    fc.integer({ min: EVENING - 2 * DAY, max: EVENING + 2 * DAY }),
  ),
  seconds: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 65_535 })),
});

const idOf = (gateway: number): Uint8Array => new Uint8Array(16).fill(gateway + 1);
const sighting = ({ tag, gateway, start, seconds }: Seen): Sighting => ({
  tag: asTagNumber(tag),
  gatewayId: idOf(gateway),
  start,
  end: start + seconds,
});

/** Numbers its people from 0 on, as the directory does. */
function bookOf(sightings: readonly Seen[], maxRuns?: number): PresenceBook {
  const people = new Map<number, number>();
  const personOf = (tag: number): number => {
    const person = people.get(tag) ?? people.size;
    people.set(tag, person);
    return person;
  };
  for (const tag of [0, 1, 2, 3]) personOf(tag);
  const book = new PresenceBook({ personOf, ...(maxRuns !== undefined && { maxRuns }) });
  for (const one of sightings) book.add(sighting(one));
  return book;
}

/** Second by second would be slow; grows each stay until nothing more joins it. */
function staysByHand(sightings: readonly Seen[]): Stay[] {
  const gateways = [...new Set(sightings.map(({ gateway }) => gateway))];
  const stays: Stay[] = sightings.map(({ tag, gateway, start, seconds }) => ({
    ...{ person: tag, gateway: gateways.indexOf(gateway) },
    ...{ start, end: start + seconds },
  }));
  for (let place = 0; place < stays.length; place++) {
    const mine = stays[place];
    const other = stays.findIndex((stay, k) => k > place && mine !== undefined && joins(mine, stay));
    const theirs = stays[other];
    if (mine === undefined || theirs === undefined) continue;
    const [start, end] = [Math.min(mine.start, theirs.start), Math.max(mine.end, theirs.end)];
    stays.splice(other, 1);
    stays[place] = { ...mine, start, end };
    place = -1;
  }
  return stays;
}

const joins = (x: Stay, y: Stay): boolean =>
  x.person === y.person && x.gateway === y.gateway && x.start - y.end <= 300 && y.start - x.end <= 300;

const inOrder = (stays: Iterable<Stay>): Stay[] =>
  [...stays].sort(
    (x, y) => x.person - y.person || x.start - y.start || x.gateway - y.gateway || x.end - y.end,
  );

describe('the presence book', () => {
  it('makes the stays of the definition of sightings in any order, over midnight too', () => {
    fc.assert(
      fc.property(fc.array(seen, { maxLength: 40 }), (sightings) => {
        const view = bookOf(sightings).view();
        const byHand = inOrder(staysByHand(sightings));
        expect([0, 1, 2, 3].flatMap((person) => [...view.staysOf(person)])).toEqual(byHand);
      }),
      { numRuns: 300 },
    );
  });

  it('finds every stay that overlaps a window at a gateway, each of them once', () => {
    const window = fc.record({
      from: fc.integer({ min: EVENING - 3000, max: EVENING + 5000 }),
      seconds: fc.integer({ min: 0, max: 4000 }),
    });
    fc.assert(
      fc.property(fc.array(seen, { maxLength: 40 }), window, (sightings, { from, seconds }) => {
        const view = bookOf(sightings).view();
        for (let gateway = 0; gateway < view.gateways; gateway++) {
          const meant = staysByHand(sightings).filter(
            (stay) => stay.gateway === gateway && stay.start <= from + seconds && stay.end >= from,
          );
          expect(inOrder(found(view.overlapping(gateway, from, from + seconds)))).toEqual(inOrder(meant));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('forgets a day as if nobody had been seen on it', () => {
    fc.assert(
      fc.property(
        fc.array(seen, { maxLength: 40 }),
        fc.integer({ min: -2, max: 3 }),
        fc.array(seen, { maxLength: 10 }),
        (sightings, later, lateOnes) => {
          const day = Math.floor(EVENING / DAY) + later;
          const book = bookOf(sightings);
          book.forgetBefore(day);
          for (const one of lateOnes) book.add(sighting(one));
          const view = book.view();
          const kept = [...sightings, ...lateOnes].filter(({ start }) => start >= day * DAY);
          const times = (stays: readonly Stay[]) =>
            inOrder(stays).map(({ person, start, end }) => [person, start, end]);
          expect(times([0, 1, 2, 3].flatMap((person) => [...view.staysOf(person)]))).toEqual(
            times(staysByHand(kept)),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keeps a view as it was while more is added, and hands it to another thread whole', () => {
    const first = { tag: 1, gateway: 0, start: EVENING, seconds: 100 };
    const book = bookOf([first]);
    const before = book.view();
    const snapshot = structuredClone(book.snapshot());
    book.add(sighting({ ...first, start: EVENING + 200 }));
    const stay = { person: 1, gateway: 0, start: EVENING, end: EVENING + 100 };
    expect(before.staysOf(1)).toEqual([stay]);
    expect(presenceView(snapshot).staysOf(1)).toEqual([stay]);
    expect(book.view().staysOf(1)).toEqual([{ ...stay, end: EVENING + 300 }]);
    expect(book.view().gatewayId(0)).toEqual(idOf(0));
    expect(() => book.view().gatewayId(1)).toThrow(RangeError);
  });

  it('leaves the many runs of a day as they are when a few sightings come, and knows both', () => {
    const morning = EVENING - 80_000;
    const tags = 50_000;
    const early = (tag: number): Seen => ({ tag, gateway: 0, start: morning + (tag % 600), seconds: 60 });
    const book = bookOf(Array.from({ length: tags }, (_, tag) => early(tag)));
    const [before] = book.snapshot().days;
    const late: readonly Seen[] = [
      { tag: 7, gateway: 0, start: morning + 7 + 300, seconds: 100 }, // goes on with its run
      { tag: 7, gateway: 0, start: morning + 7 + 800, seconds: 100 }, // another stay
      { tag: 8, gateway: 1, start: morning, seconds: 50 },
      { tag: 9, gateway: 0, start: morning - 250, seconds: 10 }, // begins before its run
    ];
    for (const one of late) book.add(sighting(one));
    const { days } = book.snapshot();
    expect(days.some((rows) => rows === before)).toBe(true);
    expect(book.snapshot().days).toEqual(days);
    const meant = inOrder(staysByHand([...[6, 7, 8, 9].map(early), ...late]));
    const view = book.view();
    expect([6, 7, 8, 9].flatMap((person) => [...view.staysOf(person)])).toEqual(meant);
    for (const at of [5, 500, 850]) {
      const there = found(view.overlapping(0, morning + at, morning + at));
      expect(inOrder(there.filter(({ person }) => person >= 6 && person <= 9))).toEqual(
        meant.filter((stay) => stay.gateway === 0 && stay.start <= morning + at && stay.end >= morning + at),
      );
    }
  });

  it('stays within its bound: the oldest day goes first, and what is older yet is not taken', () => {
    const at = (day: number, n: number): Seen => ({
      ...{ tag: n % 4, gateway: 0, seconds: 10 },
      start: EVENING + day * DAY - 40_000 + 400 * n,
    });
    const days = [1, 0, 2].flatMap((day) => Array.from({ length: 40 }, (_, n) => at(day, n)));
    const book = bookOf(days, 64);
    expect(book.size).toBeLessThanOrEqual(64);
    const kept = [0, 1, 2, 3].flatMap((person) => [...book.view().staysOf(person)]);
    expect(kept.length + book.dropped).toBe(120);
    expect(kept.filter(({ start }) => start >= EVENING + DAY)).toHaveLength(40);
    expect(kept.some(({ start }) => start < EVENING)).toBe(false);
  });

  it('takes the same sightings again and again without growing', () => {
    const sightings = Array.from({ length: 50 }, (_, n) => ({
      ...{ tag: n % 4, gateway: n % 3, seconds: 60 },
      start: EVENING - 40_000 + 700 * n,
    }));
    const book = bookOf(Array.from({ length: 400 }, () => sightings).flat());
    expect(book.view().staysOf(1)).toEqual(bookOf(sightings).view().staysOf(1));
    expect(book.size).toBe(50);
    expect(book.dropped).toBe(0);
  });
});

describe('stays at a gateway', () => {
  it.each([
    ['other people', 5_000],
    ['the same people', 0],
  ])(
    'are told as they are found, and a long search for more can be paused, where %s come every day',
    (_, more) => {
      const perDay = 5_000;
      const days = [0, 1, 2].map((day) => {
        const whole = (of: (k: number) => number) => Array.from({ length: perDay }, (_none, k) => of(k));
        const start = Uint32Array.from(whole((k) => EVENING + day * DAY - 40_000 + 8 * k));
        const person = Int32Array.from(whole((k) => k + day * more));
        const sightings = { length: perDay, person, gateway: new Int32Array(perDay), start, end: start };
        return dayRows(EVENING / DAY + day, sightings, { people: perDay + 2 * more, gateways: 1 });
      });
      let read = 0;
      const noted = (of: Int32Array) =>
        new Proxy(of, { get: (it, key) => ((read += 1), Reflect.get(it, key) as unknown) });
      const watched = days.map((rows) => ({ ...rows, byGateway: noted(rows.byGateway) }));
      const view = presenceView({ days: watched, gatewayIds: [new Uint8Array(16)], knownFrom: undefined });
      let [stays, most] = [0, 0];
      for (const stay of view.overlapping(0, 0, EVENING + 3 * DAY)) {
        most = Math.max(most, read);
        [read, stays] = [0, stays + (stay ? 1 : 0)];
      }
      expect(stays).toBe(3 * perDay);
      expect(Math.max(most, read)).toBeLessThan(perDay / 2);
    },
  );
});

describe('a presence book that is saved', () => {
  it('holds the same runs when it is taken up again, from what changed since it was saved before', () => {
    const life = fc.array(
      fc.tuple(fc.oneof(seen, fc.integer({ min: 20_697, max: 20_702 })), fc.nat({ max: 6 })),
    );
    fc.assert(
      fc.property(life, fc.constantFrom(6, 1000), (steps, maxRuns) => {
        const whole = bookOf([], maxRuns);
        let saved = bookOf([], maxRuns);
        let firstDay = 0;
        const parts = new Map<string, Uint8Array>();
        for (const [one, after] of steps) {
          for (const book of [whole, saved])
            if (typeof one === 'number') book.forgetBefore(one);
            else book.add(sighting(one));
          if (typeof one === 'number') firstDay = Math.max(firstDay, one);
          if (after > 1) continue;
          for (const book of [whole, saved]) book.snapshot();
          keep(parts, saved.changes());
          saved.saved();
          expect(saved.changes()).toEqual([]);
          if (after === 1) continue;
          const rest = saved.encode();
          saved = bookOf([], maxRuns);
          saved.restore(rest, parts);
          saved.forgetBefore(firstDay);
          expect(saved.snapshot()).toEqual(whole.snapshot());
        }
        expect(saved.snapshot()).toEqual(whole.snapshot());
      }),
      { numRuns: 300 },
    );
  });

  it('writes what is new, and of a day that is over its runs alone', () => {
    const book = bookOf([]);
    const at = (start: number): Seen => ({ tag: 1, gateway: 0, start, seconds: 60 });
    for (let k = 0; k < 100; k++) book.add(sighting(at(EVENING - DAY + k)));
    const [first] = book.changes();
    expect(first).toMatchObject({ kind: 'append', name: 'presence/20698' });
    expect(first?.kind === 'append' && first.bytes.length).toBe(1600);
    book.saved();
    book.add(sighting(at(EVENING)));
    expect(book.changes()).toMatchObject([{ kind: 'append', name: 'presence/20699' }]);
    book.saved();
    book.add(sighting(at(EVENING + DAY)));
    const [joined, newest] = book.changes();
    expect(joined).toMatchObject({ kind: 'put', name: 'presence/20698' });
    expect(joined?.kind === 'put' && joined.bytes.length).toBe(16);
    expect(newest).toMatchObject({ kind: 'append', name: 'presence/20700' });
  });
});
