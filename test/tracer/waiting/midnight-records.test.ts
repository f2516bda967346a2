import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asTagNumber } from '../../../protocol/brands.js';
import { DAY_SECONDS } from '../../../protocol/time.js';
import { recordOfRow, rowOfRecord } from '../../../tracer/waiting/midnight-record.js';
import type { MidnightRecord, WaitingRecord } from '../../../tracer/waiting/midnight-record.js';
import { MidnightRecords } from '../../../tracer/waiting/midnight-records.js';
import { recordOf } from '../deployment.js';
import { keep } from '../keep-parts.js';

const DAY = 20_700;
const byTag = { kind: 'tag', tag: asTagNumber(2 ** 48 - 1) } as const;
const byGateway = { kind: 'gateway', gatewayId: new Uint8Array(16).fill(7) } as const;

/** Of the end of a day, which waits for the next, or of the beginning of one, which waits for the day before. */
const waiting = (ledgerIndex: number, ownDay: number, waitsForDay: number): WaitingRecord => {
  const start = waitsForDay > ownDay ? (ownDay + 1) * DAY_SECONDS - 1 : ownDay * DAY_SECONDS;
  return { hearer: byTag, ledgerIndex, place: 1023, record: recordOf(2, start, 60), waitsForDay };
};

const indexesOf = (ready: ReturnType<MidnightRecords['ready']>) =>
  ready.records.map(({ ledgerIndex }) => ledgerIndex);
const all = (): boolean => true;

describe('records from near midnight', () => {
  it('are remembered as they are', () => {
    for (const hearer of [byTag, byGateway]) {
      const told: MidnightRecord = {
        hearer,
        ledgerIndex: 2 ** 40 + 3,
        place: 1023,
        record: recordOf(2, 7, 60),
      };
      expect(recordOfRow(rowOfRecord(told))).toEqual(told);
    }
  });

  it('are given a part at a time once the day they wait for has keys, and wait until done', () => {
    const records = new MidnightRecords();
    records.add([waiting(1, DAY, DAY + 1), waiting(2, DAY, DAY - 1)]);
    records.add([waiting(3, DAY + 2, DAY + 1)]);
    const hasNext = (day: number): boolean => day === DAY + 1;
    expect(indexesOf(records.ready(hasNext, 9))).toEqual([1]);
    const first = records.ready(hasNext, 9);
    expect(indexesOf(first)).toEqual([1]);
    first.done();
    const second = records.ready(hasNext, 9);
    expect(indexesOf(second)).toEqual([3]);
    second.done();
    expect([indexesOf(records.ready(hasNext, 9)), records.size]).toEqual([[], 1]);
  });

  it('go as soon as one of the two days leaves', () => {
    const records = new MidnightRecords();
    records.add([waiting(1, DAY, DAY + 1), waiting(2, DAY, DAY - 1), waiting(3, DAY + 2, DAY + 1)]);
    records.forgetBefore(DAY);
    expect(indexesOf(records.ready(all, 9))).toEqual([1]);
    records.forgetBefore(DAY + 1);
    expect(indexesOf(records.ready(all, 9))).toEqual([3]);
    records.forgetBefore(DAY + 2);
    expect(records.size).toBe(0);
  });

  it('have a bound: of a report that finds no room none waits, and that is said until its days leave', () => {
    const records = new MidnightRecords(3);
    records.add([waiting(1, DAY, DAY + 1), waiting(1, DAY, DAY + 1)]);
    records.add([waiting(2, DAY, DAY + 1), waiting(2, DAY, DAY + 1)]);
    records.add([waiting(3, DAY, DAY + 1)]);
    expect([records.size, records.withoutRoom]).toEqual([3, 1]);
    expect(indexesOf(records.ready(all, 9))).toEqual([1, 1, 3]);
    records.forgetBefore(DAY + 1);
    expect([records.size, records.withoutRoom]).toEqual([0, 1]);
    records.forgetBefore(DAY + 2);
    expect(records.withoutRoom).toBe(0);
  });

  it('are the same in the next life', () => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 3000 }), day: fc.integer({ min: DAY, max: DAY + 2 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 4000 }), day: fc.integer({ min: DAY, max: DAY + 2 }) }),
      fc.constant('save'),
      fc.constant('next life'),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const parts = new Map<string, Uint8Array>();
        const plain = new Map<number, number[]>();
        let [records, next] = [new MidnightRecords(), 0];
        for (const one of steps) {
          if (typeof one === 'string') {
            keep(parts, records.changes());
            const state = records.encode();
            records.saved();
            if (one === 'next life') (records = new MidnightRecords()).restore(state, parts);
            continue;
          }
          const known = plain.get(one.day) ?? [];
          plain.set(one.day, known);
          if ('take' in one) {
            const ready = records.ready((day) => day === one.day, one.take);
            expect(indexesOf(ready)).toEqual(known.splice(0, one.take));
            ready.done();
          } else
            for (let k = 0; k < one.add; k++) {
              known.push(next);
              records.add([waiting(next++, one.day - 1, one.day)]);
            }
        }
        expect(records.size).toBe([...plain.values()].flat().length);
      }),
      { numRuns: 10 },
    );
  });
});
