/** Where presence reports stand: found by gateway and time, kept for the next life, forgotten with their day. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartChange } from '../../../tracer/contacts/kept-parts.js';
import { DAY_SECONDS } from '../../../protocol/time.js';
import { ReportPlaces } from '../../../tracer/presence/report-places.js';
import type { PlacesView } from '../../../tracer/presence/report-places.js';
import { codeOf } from '../../protocol/errors-of.js';

const DAY = 20_700;
const NOON = (DAY + 0.5) * DAY_SECONDS;
const gatewayId = (n: number): Uint8Array => new Uint8Array(16).fill(n);

const indexesAt = (view: PlacesView, times: Parameters<PlacesView['reportsAt']>[0]): number[] =>
  [...view.reportsAt(times)].filter((index) => index !== undefined);

/** As a contact store keeps parts. */
function keep(parts: Map<string, Uint8Array>, changes: readonly PartChange[]): void {
  for (const change of changes) {
    if (change.kind === 'remove') parts.delete(change.name);
    else {
      const before = change.kind === 'append' ? (parts.get(change.name) ?? new Uint8Array()) : [];
      parts.set(change.name, Uint8Array.from([...before, ...change.bytes]));
    }
  }
}

const reports = fc.array(
  fc.record({
    ...{ day: fc.integer({ min: DAY, max: DAY + 3 }), gateway: fc.nat(2), index: fc.maxSafeNat() },
    ...{ second: fc.oneof(fc.nat(1_000), fc.integer({ min: DAY_SECONDS - 900, max: DAY_SECONDS - 1 })) },
    ...{ length: fc.oneof(fc.nat(500), fc.nat(65_600)), isSavedAfter: fc.boolean() },
  }),
  { maxLength: 200 },
);

/** Of some gateways, some within others. */
const asked = fc.array(
  fc.record({
    ...{ gateway: fc.nat(3), day: fc.integer({ min: DAY - 1, max: DAY + 4 }) },
    ...{ second: fc.oneof(fc.nat(1_200), fc.nat(DAY_SECONDS)), length: fc.nat(400) },
  }),
  { minLength: 1, maxLength: 12 },
);

describe('places of presence reports', () => {
  it('are found by gateway and time, also by a later life, from what was new each time', () => {
    fc.assert(
      fc.property(reports, asked, fc.nat(3), (drawn, wanted, gone) => {
        const told = drawn.map((one) => ({ ...one, from: one.day * DAY_SECONDS + one.second }));
        const times = wanted.map(({ gateway, day, second, length }) => {
          const from = day * DAY_SECONDS + second;
          return { gateway, gatewayId: gatewayId(gateway), from, to: from + length };
        });
        const places = new ReportPlaces();
        const parts = new Map<string, Uint8Array>();
        for (const { day, gateway: by, index, from: first, length, isSavedAfter } of told) {
          places.add({ day, gatewayId: gatewayId(by), ledgerIndex: index }, first, first + length);
          if (isSavedAfter) {
            keep(parts, places.changes());
            places.saved();
          }
        }
        places.forgetBefore(DAY + gone);
        keep(parts, places.changes());
        places.saved();
        expect(places.changes()).toEqual([]);
        const later = new ReportPlaces();
        later.restore(parts);
        const expected = told
          .filter((one) => one.day >= DAY + gone)
          .filter((one) =>
            times.some(
              ({ gateway, from, to }) =>
                gateway === one.gateway && one.from <= to && one.from + one.length >= from,
            ),
          )
          .map(({ index }) => index)
          .sort((x, y) => x - y);
        for (const view of [places.view(), later.view()]) {
          const found = indexesAt(view, times);
          expect(found.sort((x, y) => x - y)).toEqual(expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('stay in a view as they stood', () => {
    const places = new ReportPlaces();
    const add = (index: number) =>
      places.add({ day: DAY, gatewayId: gatewayId(1), ledgerIndex: index }, NOON + 5, NOON + 9);
    add(1);
    const view = places.view();
    for (let index = 2; index < 300; index++) add(index);
    places.forgetBefore(DAY + 1);
    const times = [{ gatewayId: gatewayId(1), from: NOON + 9, to: NOON + 20 }];
    expect(indexesAt(view, times)).toEqual([1]);
    expect(indexesAt(places.view(), times)).toEqual([]);
  });

  it('make room by the oldest day, and are not taken when that is their own', () => {
    const places = new ReportPlaces(3);
    const add = (day: number, index: number) =>
      places.add(
        { day, gatewayId: gatewayId(1), ledgerIndex: index },
        day * DAY_SECONDS,
        day * DAY_SECONDS + 9,
      );
    [[1, 10], [1, 11], [2, 20], [1, 12], [2, 21], [2, 22], [2, 23]].forEach(([day = 0, index = 0]) => add(day, index)); // prettier-ignore
    const times = [{ gatewayId: gatewayId(1), from: 0, to: 3 * DAY_SECONDS }];
    expect(indexesAt(places.view(), times)).toEqual([20, 21, 22]);
  });

  it('are refused when what was kept was cut short', () => {
    const cut = new Map([['presence-reports/20700', new Uint8Array(20)]]);
    expect(codeOf(() => new ReportPlaces().restore(cut))).toBe('format');
  });
});
