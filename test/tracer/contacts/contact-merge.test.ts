import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import type { BucketSeconds } from '../../../protocol/tag/encounter-record.js';
import { memoryContactStore } from '../../../tracer/contacts/open-contact-store.js';
import type { Testimony } from '../../../tracer/records/testimony.js';
import { contactsIn } from './all-contacts.js';

function said(
  reporter: number,
  peer: number,
  [start, end]: readonly [number, number],
  bucketSeconds: BucketSeconds = [0, 0, 0, 0],
  more: Partial<Testimony> = {},
): Testimony {
  return {
    reporter: asTagNumber(reporter),
    peer: asTagNumber(peer),
    epoch: asEpoch(1),
    start,
    end,
    bucketSeconds,
    medianAttenuationDb: 50,
    partial: false,
    ledgerIndex: 0,
    ...more,
  };
}

function contactsOf(...testimonies: readonly Testimony[]) {
  const store = memoryContactStore(64);
  for (const testimony of testimonies) store.add([testimony]);
  return contactsIn(store);
}

describe('contacts', () => {
  it('adds disjoint records of one side, touching ones among them', () => {
    const [contact] = contactsOf(
      said(1, 2, [100, 200], [60, 10, 0, 0], { ledgerIndex: 4 }),
      said(1, 2, [200, 300], [30, 0, 5, 0], { ledgerIndex: 2, medianAttenuationDb: 44 }),
    );
    expect(contact).toMatchObject({ start: 100, end: 300, bucketSeconds: [90, 10, 5, 0], mutual: false });
    expect(contact).toMatchObject({ ledger: [2, 4], attenuationDb: 44 });
  });

  it('names the first 32 of the entries that say the same without end, in whatever order they come', () => {
    const indexes = Array.from({ length: 60 }, (_, k) => k);
    const property = fc.property(fc.shuffledSubarray(indexes, { minLength: 60 }), (shuffled) => {
      const store = memoryContactStore(1024);
      for (const ledgerIndex of shuffled) store.add([said(1, 2, [100, 200], [60, 0, 0, 0], { ledgerIndex })]);
      const { version } = store.view();
      for (const ledgerIndex of [59, 1000])
        store.add([said(1, 2, [100, 200], [60, 0, 0, 0], { ledgerIndex })]);
      expect(store.view().version).toBe(version);
      expect(contactsIn(store)).toMatchObject([
        { bucketSeconds: [60, 0, 0, 0], ledger: indexes.slice(0, 32) },
      ]);
    });
    fc.assert(property, { numRuns: 20 });
  });

  it('takes the larger of each bucket of records of one side that overlap', () => {
    const [contact] = contactsOf(
      said(1, 2, [100, 200], [60, 10, 0, 0]),
      said(1, 2, [199, 300], [30, 20, 5, 0]),
    );
    expect(contact).toMatchObject({ start: 100, end: 300, bucketSeconds: [60, 20, 5, 0] });
  });

  it('takes the larger over a chain of overlaps, and adds what lies apart from it', () => {
    const [contact] = contactsOf(
      said(1, 2, [400, 500], [7, 0, 0, 0]),
      said(1, 2, [100, 200], [10, 0, 0, 0]),
      said(1, 2, [150, 250], [20, 0, 0, 0]),
      said(1, 2, [240, 260], [5, 0, 0, 0]),
    );
    expect(contact).toMatchObject({ start: 100, end: 500, bucketSeconds: [27, 0, 0, 0] });
  });

  it('credits no more seconds than overlapping records of one side last together, immediate ones cut first', () => {
    const [contact] = contactsOf(
      said(1, 2, [100, 160], [0, 60, 0, 0]),
      said(1, 2, [130, 190], [60, 0, 0, 0]),
      said(1, 2, [300, 310], [10, 0, 0, 0]),
    );
    expect(contact).toMatchObject({ start: 100, end: 310, bucketSeconds: [40, 60, 0, 0] });
  });

  it('never adds what one beacon proves: it may be the same beacon', () => {
    const once = { partial: true };
    const [contact] = contactsOf(
      said(1, 2, [100, 160], [60, 0, 0, 0], once),
      said(1, 2, [200, 290], [0, 80, 0, 0], once),
      said(1, 2, [300, 390], [0, 90, 0, 0], once),
    );
    expect(contact).toMatchObject({ start: 100, end: 390, bucketSeconds: [0, 90, 0, 0], partial: true });
    const [further] = contactsOf(
      said(1, 2, [100, 200], [0, 70, 0, 30]),
      said(1, 2, [250, 300], [0, 50, 0, 0]),
      said(1, 2, [400, 490], [90, 0, 0, 0], once),
    );
    expect(further).toMatchObject({ start: 100, end: 490, bucketSeconds: [0, 120, 0, 30], partial: true });
  });

  it('takes an equal start for a duplicate: the one logged first stands, and the other entry is evidence too', () => {
    const all = [
      said(1, 2, [100, 200], [60, 0, 0, 0], { ledgerIndex: 7 }),
      said(1, 2, [300, 400], [5, 0, 0, 0], { ledgerIndex: 3 }),
      said(1, 2, [100, 350], [80, 0, 0, 0], { ledgerIndex: 9 }),
      said(1, 2, [100, 360], [90, 0, 0, 0], { ledgerIndex: 8 }),
    ];
    for (const order of [all, all.toReversed()]) {
      const [contact] = contactsOf(...order);
      expect(contact).toMatchObject({ end: 400, bucketSeconds: [65, 0, 0, 0], ledger: [3, 7, 8, 9] });
    }
  });

  it('takes the larger of each bucket across the two sides, each side added up before', () => {
    const [contact] = contactsOf(
      said(1, 2, [100, 200], [60, 10, 0, 0]),
      said(1, 2, [300, 400], [60, 0, 0, 0]),
      said(2, 1, [110, 390], [100, 30, 0, 9], { medianAttenuationDb: 41 }),
    );
    expect(contact).toMatchObject({
      start: 100,
      end: 400,
      bucketSeconds: [120, 30, 0, 9],
      attenuationDb: 41,
      mutual: true,
    });
  });

  it('keeps the epochs of a pair apart', () => {
    const contacts = contactsOf(
      said(1, 2, [100, 200]),
      said(2, 1, [150, 300], undefined, { epoch: asEpoch(2) }),
    );
    expect(contacts.map(({ epoch, mutual }) => [epoch, mutual])).toEqual([
      [1, false],
      [2, false],
    ]);
  });

  it('marks a contact as partial when some record of it is', () => {
    expect(contactsOf(said(1, 2, [0, 9], undefined, { partial: true }), said(2, 1, [0, 9]))[0]?.partial).toBe(
      true,
    );
  });

  it('merges again when more is said about a contact that was asked for', () => {
    const store = memoryContactStore(64);
    store.add([said(1, 2, [100, 200], [10, 0, 0, 0])]);
    expect(contactsIn(store)).toHaveLength(1);
    const { version } = store.view();
    store.add([said(2, 1, [100, 200], [20, 0, 0, 0])]);
    expect(contactsIn(store)).toMatchObject([{ mutual: true, bucketSeconds: [20, 0, 0, 0] }]);
    expect(store.view().version).not.toBe(version);
    expect(store.status()).toMatchObject({ contacts: 1, mutual: 1, people: 2 });
  });

  it('does not depend on the order in which testimonies come', () => {
    const drawn = fc.record({
      reporter: fc.constantFrom(1, 2),
      start: fc.integer({ min: 0, max: 12 }),
      seconds: fc.integer({ min: 0, max: 5 }),
      immediate: fc.nat(9),
      partial: fc.boolean(),
      ledgerIndex: fc.nat(99),
    });
    const byStart = {
      selector: ({ reporter, start }: { reporter: number; start: number }) => `${reporter} ${start}`,
    };
    const orders = fc
      .uniqueArray(drawn, { ...byStart, minLength: 1, maxLength: 12 })
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
    fc.assert(
      fc.property(orders, (pair) => {
        const [one, other] = pair.map((order) =>
          contactsOf(
            ...order.map(({ reporter, start, seconds, immediate, ...more }) =>
              said(reporter, 3 - reporter, [start, start + seconds], [immediate, 0, 0, 0], more),
            ),
          ),
        );
        expect(other).toEqual(one);
      }),
    );
  });

  it('never credits a side more than the sum of its records, nor less than the largest', () => {
    const drawn = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 9 }), fc.nat(99));
    fc.assert(
      fc.property(
        fc.uniqueArray(drawn, { selector: ([start]) => start, minLength: 1, maxLength: 8 }),
        (records) => {
          const seconds = records.map(([, length, x]) => Math.min(length, x));
          const [contact] = contactsOf(
            ...records.map(([s, length], k) => said(1, 2, [s, s + length], [seconds[k] ?? 0, 0, 0, 0])),
          );
          expect(contact?.bucketSeconds[0]).toBeGreaterThanOrEqual(Math.max(...seconds));
          expect(contact?.bucketSeconds[0]).toBeLessThanOrEqual(seconds.reduce((sum, x) => sum + x, 0));
        },
      ),
    );
  });
});
