/** One tag that says more of a meeting than counts (docs/decisions/0024): what is kept of it, and that it does not fill the memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import { memoryContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { contactOfTestimonies } from '../../../tracer/contacts/live-contact.js';
import { wordsThatCount } from '../../../tracer/contacts/merge-accounts.js';
import type { Testimony } from '../../../tracer/records/testimony.js';
import { contactsIn } from './all-contacts.js';
import { garrulous } from './story.js';

const beacon = (ledgerIndex: number, start: number, more: Partial<Testimony> = {}): Testimony => ({
  ...{ reporter: asTagNumber(1), peer: asTagNumber(2), epoch: asEpoch(1) },
  ...{ start, end: start + 90, bucketSeconds: [90, 0, 0, 0], medianAttenuationDb: 50 },
  ...{ partial: true, ledgerIndex, ...more },
});

/** A hundred reports of a thousand seconds each, all of one meeting. */
const flood = Array.from({ length: 100 }, (_, entry) =>
  Array.from({ length: 1_000 }, (_, k) => beacon(entry, 900 + k)),
);

describe('a tag that tells one meeting without end', () => {
  it.each([
    ['as they are logged', flood],
    ['the last report first', flood.toReversed()],
    ['the last of each report first', flood.map((words) => words.toReversed())],
  ])('takes little memory, %s', (_order, reports) => {
    const store = memoryContactStore();
    for (const words of reports) store.add(words);
    expect(store.status()).toMatchObject({ contacts: 1, live: 1 });
    expect(store.status().liveBytes).toBeLessThan(2 ** 20);
    expect(contactsIn(store)).toMatchObject([{ start: 900, end: 900 + 31 + 90, ledger: [0] }]);
  });

  it('is taken all at once', () => {
    const store = memoryContactStore();
    store.add(flood.flat());
    expect(contactsIn(store)).toMatchObject([{ start: 900, end: 900 + 31 + 90, ledger: [0] }]);
  });

  it('changes nothing more once as much is told as counts', () => {
    const store = memoryContactStore(256);
    for (let entry = 0; entry < 40; entry++) store.add([beacon(entry, 900 + entry)]);
    const { version } = store.view();
    for (let entry = 40; entry < 2_000; entry++) store.add([beacon(entry, 900 + (entry % 900))]);
    expect(store.view().version).toBe(version);
  });

  it('takes nothing from what the other says, nor from other meetings', () => {
    const store = memoryContactStore(256);
    for (const words of flood.slice(0, 3)) store.add(words);
    const other = { reporter: asTagNumber(2), peer: asTagNumber(1), partial: false };
    const whole = { start: 900, end: 1_800, bucketSeconds: [900, 0, 0, 0] as const };
    store.add([beacon(500, 900, { ...other, ...whole })]);
    store.add([beacon(501, 900, { ...whole, partial: false, epoch: asEpoch(2) })]);
    expect(contactsIn(store)).toMatchObject([
      { epoch: 1, mutual: true, bucketSeconds: [900, 0, 0, 0], ledger: [0, 500] },
      { epoch: 2, mutual: false, bucketSeconds: [900, 0, 0, 0], ledger: [501] },
    ]);
  });

  it('is told the same by the entries that the contact names, all that they say of it included', () => {
    const property = fc.property(garrulous, (words) => {
      const store = memoryContactStore(256);
      store.add(words);
      const [contact] = contactsIn(store);
      const cited = words.filter(({ ledgerIndex }) => contact?.ledger.includes(ledgerIndex));
      expect(contactOfTestimonies(cited)).toEqual(contact);
      const counting = wordsThatCount(cited);
      expect(contactOfTestimonies(counting)).toEqual(contact);
      expect(new Set(counting.map(({ ledgerIndex }) => ledgerIndex))).toEqual(new Set(contact?.ledger));
    });
    fc.assert(property, { numRuns: 100 });
  });
});
