/** Where presence reports stand: found by gateway and time, kept for the next life, forgotten with their day. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartChange } from '../../../tracer/contacts/kept-parts.js';
import { ReportPlaces } from '../../../tracer/presence/report-places.js';
import { codeOf } from '../../protocol/errors-of.js';

const DAY = 20_700;
const gatewayId = (n: number): Uint8Array => new Uint8Array(16).fill(n);

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
    ...{ from: fc.nat(1_000), length: fc.nat(500), isSavedAfter: fc.boolean() },
  }),
  { maxLength: 200 },
);

describe('places of presence reports', () => {
  it('are found by gateway and time, also by a later life, from what was new each time', () => {
    fc.assert(
      fc.property(reports, fc.nat(2), fc.nat(1_200), fc.nat(3), (told, gateway, from, gone) => {
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
          .filter((one) => one.day >= DAY + gone && one.gateway === gateway)
          .filter((one) => one.from <= from + 100 && one.from + one.length >= from)
          .map(({ index }) => index)
          .sort((x, y) => x - y);
        for (const view of [places.view(), later.view()]) {
          const found = [...view.reportsAt(gatewayId(gateway), from, from + 100)];
          expect(found.sort((x, y) => x - y)).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('stay in a view as they stood', () => {
    const places = new ReportPlaces();
    const add = (index: number) =>
      places.add({ day: DAY, gatewayId: gatewayId(1), ledgerIndex: index }, 5, 9);
    add(1);
    const view = places.view();
    for (let index = 2; index < 300; index++) add(index);
    places.forgetBefore(DAY + 1);
    expect(view.reportsAt(gatewayId(1), 9, 20)).toEqual([1]);
    expect(places.view().reportsAt(gatewayId(1), 9, 20)).toEqual([]);
  });

  it('make room by the oldest day, and are not taken when that is their own', () => {
    const places = new ReportPlaces(3);
    const add = (day: number, index: number) =>
      places.add({ day, gatewayId: gatewayId(1), ledgerIndex: index }, 5, 9);
    [[1, 10], [1, 11], [2, 20], [1, 12], [2, 21], [2, 22], [2, 23]].forEach(([day = 0, index = 0]) => add(day, index)); // prettier-ignore
    expect(places.view().reportsAt(gatewayId(1), 0, 9)).toEqual([20, 21, 22]);
  });

  it('are refused when what was kept was cut short', () => {
    const cut = new Map([['presence-reports/20700', new Uint8Array(20)]]);
    expect(codeOf(() => new ReportPlaces().restore(cut))).toBe('format');
  });
});
