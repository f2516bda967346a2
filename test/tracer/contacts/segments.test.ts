import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contactAt } from '../../../tracer/contacts/cold-evidence.js';
import { findEntry, ownerOf, twinOf } from '../../../tracer/contacts/segment-search.js';
import { segmentBytes, startAt } from '../../../tracer/contacts/segment.js';
import type { StoredSegment } from '../../../tracer/contacts/store-open.js';
import type { SealedContact } from './seal-collector.js';
import {
  addPeople,
  contact,
  expectedRows,
  inTimeOrder,
  openInline,
  rowsOf,
  START,
  temporaryFolder,
  toSeal,
} from './stage.js';

const PEOPLE = 6;
const contacts = fc.array(contact(PEOPLE, 200_000), { minLength: 1, maxLength: 60 });

/** What a segment's evidence says of the contacts in the row of their lower person, in the order of that. */
function coldOf({ segment, evidence }: StoredSegment) {
  const found = [];
  for (let entry = 0; entry < segment.entries; entry++) {
    const cold = contactAt(evidence, segment, entry);
    if (ownerOf(segment, entry) === cold.lower) found.push(cold);
  }
  return found;
}

function expectedCold(all: readonly SealedContact[]) {
  const sorted = inTimeOrder(all).sort((x, y) => x.lower - y.lower || x.start - y.start);
  return sorted.map((told) => {
    const { lower, upper, start, durationSeconds, bucketSeconds, attenuationDb, mutual, partial } = told;
    const one = { lower, upper, start, durationSeconds, bucketSeconds, attenuationDb, mutual, partial };
    const { evidence } = told;
    if (evidence !== undefined) return { ...one, ...evidence };
    const end = start + durationSeconds;
    const medianAttenuationDb = attenuationDb;
    const account = { start, end, bucketSeconds, medianAttenuationDb, partial, ledger: [] };
    const epoch = Math.floor(start / 900);
    return { ...one, epoch, accounts: [[account], one.mutual ? [account] : []] };
  });
}

const memoryOf = ({ segment }: StoredSegment): Buffer =>
  Buffer.from(segment.rows.buffer, 0, segmentBytes(segment));

async function withStore<T>(use: (store: Awaited<ReturnType<typeof openInline>>, dir: string) => Promise<T>) {
  const dir = await temporaryFolder();
  const store = await openInline(dir);
  addPeople(store, PEOPLE);
  try {
    return await use(store, dir);
  } finally {
    await store.close();
  }
}

describe('a segment', () => {
  it('has every contact in the rows of both, in order of start, and their evidence beside it', () =>
    fc.assert(
      fc.asyncProperty(contacts, (all) =>
        withStore(async (store, dir) => {
          const sealed = await store.seal(toSeal(all));
          expect(rowsOf(sealed.segment)).toEqual(expectedRows(all));
          expect(coldOf(sealed)).toEqual(expectedCold(all));
          await store.commit({ add: [sealed], position: { size: 9 } });

          const again = await openInline(dir);
          expect(again.damage).toEqual([]);
          expect(again.position).toEqual({ size: 9 });
          const [loaded] = again.segments;
          expect(loaded && memoryOf(loaded).equals(memoryOf(sealed))).toBe(true);
          expect(loaded?.info).toEqual(sealed.info);
          expect(loaded && coldOf(loaded)).toEqual(expectedCold(all));
          expect([again.people.count, again.people.tagOf(PEOPLE - 1)]).toEqual([PEOPLE, 99 + PEOPLE]);
          await again.close();
        }),
      ),
      { numRuns: 40 },
    ));

  it('gives the other person’s entry of each contact, and finds a contact by people and start', () =>
    fc.assert(
      fc.asyncProperty(contacts, (all) =>
        withStore(async (store) => {
          const { segment } = await store.seal(toSeal(all));
          for (let entry = 0; entry < segment.entries; entry++) {
            const twin = twinOf(segment, entry) ?? -1;
            expect([ownerOf(segment, twin), segment.peer[twin]]).toEqual([
              segment.peer[entry],
              ownerOf(segment, entry),
            ]);
            expect(segment.weight[twin]).toBe(segment.weight[entry]);
            expect(twinOf(segment, twin)).toBe(entry);
          }
          const [person, start] = [ownerOf(segment, 0), startAt(segment, 0)];
          expect(findEntry(segment, person, segment.peer[0] ?? -1, start)).toBe(0);
          expect(findEntry(segment, person, person, start)).toBeUndefined();
          expect(findEntry(segment, person, segment.peer[0] ?? -1, start - 1)).toBeUndefined();
          expect(findEntry(segment, PEOPLE + 5, 0, start)).toBeUndefined();
        }),
      ),
      { numRuns: 20 },
    ));

  it('finds evidence across many blocks, also of contacts that are alike in all but their evidence', () =>
    withStore(async (store) => {
      const alike = { lower: 1, upper: 4, start: START + 5, durationSeconds: 9, attenuationDb: 3 };
      const rest = { mutual: true, partial: false, nearInDay: 1, evidence: undefined };
      const all = Array.from({ length: 1700 }, (_, k): SealedContact => {
        const bucketSeconds = [k, 0, 0, 0] as const;
        if (k >= 300 && k < 1500) return { ...alike, ...rest, bucketSeconds };
        return { ...alike, ...rest, bucketSeconds, start: START + (k < 300 ? 1 : 9), upper: 2 + (k % 4) };
      });
      const sealed = await store.seal(toSeal(all));
      expect(coldOf(sealed)).toEqual(expectedCold(all));
    }));

  it('takes at most 16 bytes an entry where people are in five contacts each', () => {
    const shape = { id: 0, baseSeconds: 0, lastSeconds: 0, people: 1000 };
    expect(segmentBytes({ ...shape, entries: 5000 }) / 5000).toBeLessThanOrEqual(16);
  });

  it('refuses to seal nothing, and a span that does not fit', () =>
    withStore(async (store, dir) => {
      await expect(store.seal(toSeal([]))).rejects.toMatchObject({ code: 'input' });
      const [one] = fc.sample(contact(PEOPLE, 1), 1);
      if (one === undefined) throw new Error('no contact');
      const late = { ...one, start: one.start + 2 ** 24 };
      await expect(store.seal(toSeal([one, late]))).rejects.toMatchObject({ code: 'input' });
      expect(store.segments).toEqual([]);
      const sealed = await store.seal(toSeal([one]));
      await store.discard(sealed.info.id);
      await store.commit({});
      const again = await openInline(dir);
      expect(again.segments).toEqual([]);
      await again.close();
    }));
});

describe('compaction', () => {
  it('gives the segment that all contacts would have given at once, byte for byte', () =>
    fc.assert(
      fc.asyncProperty(fc.array(contacts, { minLength: 1, maxLength: 5 }), (parts) =>
        withStore(async (store) => {
          const sealed = [];
          for (const part of parts) sealed.push(await store.seal(toSeal(part)));
          await store.commit({ add: sealed });
          const ids = sealed.map(({ info }) => info.id);
          const merged = await store.compact({ ids });
          const atOnce = await store.seal(toSeal(parts.flatMap(inTimeOrder)));
          expect(merged && memoryOf(merged).equals(memoryOf(atOnce))).toBe(true);
          expect(merged && coldOf(merged)).toEqual(coldOf(atOnce));
        }),
      ),
      { numRuns: 30 },
    ));

  it('leaves out what was replaced and what is past retention, in rows and evidence', () =>
    fc.assert(
      fc.asyncProperty(
        contacts,
        contacts,
        fc.infiniteStream(fc.boolean()),
        fc.nat({ max: 250_000 }),
        (first, second, coins, cut) =>
          withStore(async (store) => {
            const parts = [inTimeOrder(first), inTimeOrder(second)];
            const sealed = [];
            for (const part of parts) sealed.push(await store.seal(toSeal(part)));
            await store.commit({ add: sealed });
            const dropped = new Map<number, Uint32Array>();
            const left: SealedContact[] = [];
            for (const [i, { segment, info }] of sealed.entries()) {
              const entries: number[] = [];
              for (const [k, one] of (parts[i] ?? []).entries()) {
                const isDropped = coins.next().value === true;
                if (isDropped) entries.push(entryOf(segment, parts[i] ?? [], k, coins.next().value === true));
                else if (one.start + Math.min(one.durationSeconds, 4095) >= START + cut) left.push(one);
              }
              dropped.set(info.id, Uint32Array.from(entries));
            }
            const ids = sealed.map(({ info }) => info.id);
            const made = await store.compact({ ids, dropped, keepFrom: START + cut });
            expect(made ? rowsOf(made.segment) : []).toEqual(expectedRows(left));
            expect(made ? coldOf(made) : []).toEqual(expectedCold(left));
          }),
      ),
      { numRuns: 40 },
    ));

  it('says so when a segment is none of the store’s', () =>
    withStore(async (store) => {
      await expect(store.compact({ ids: [7] })).rejects.toMatchObject({ code: 'not-found' });
    }));
});

/** The entry of the k-th of these sealed contacts, in the row of one person or the other. */
function entryOf(
  segment: StoredSegment['segment'],
  all: readonly SealedContact[],
  k: number,
  fromUpper: boolean,
): number {
  const one = all[k];
  if (one === undefined) throw new Error('no such contact');
  const same = all
    .slice(0, k)
    .filter((x) => x.start === one.start && x.lower === one.lower && x.upper === one.upper);
  const [person, peer] = fromUpper ? [one.upper, one.lower] : [one.lower, one.upper];
  return findEntry(segment, person, peer, one.start, same.length) ?? -1;
}
