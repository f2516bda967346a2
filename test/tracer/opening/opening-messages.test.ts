import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import { ENTRY_TYPE } from '../../../protocol/tlog/entry.js';
import { wipeKeys } from '../../../protocol/keys.js';
import { reportDays } from '../../../protocol/tag/report.js';
import { answerOf, openingsOf, reportsOf, requestOf } from '../../../tracer/opening/opening-messages.js';
import { openLogged } from '../../../tracer/opening/open-report.js';
import type { LoggedReport, OpenedLogged, Opening } from '../../../tracer/opening/open-report.js';
import { dayKeys, NOON, recordOf } from '../deployment.js';
import { MemoryLog } from '../memory-log.js';
import { DAY, entriesOf, settings, THINGS } from './logged-things.js';

const log = new MemoryLog();
for (const thing of THINGS) log.append(thing);
const reports: readonly LoggedReport[] = entriesOf(log)
  .map((entry) => ({ entry, payload: THINGS[entry.index]?.payload ?? new Uint8Array() }))
  .filter(({ entry }) => entry.type === ENTRY_TYPE.tagReport);
const openings = reports.map((report) => openLogged(report, settings, dayKeys));

const u48 = fc.nat(2 ** 48 - 1);
const code = fc.constantFrom('format' as const, 'sealing' as const, 'record-day' as const);
const seconds = fc.tuple(fc.nat(65_535), fc.nat(65_535), fc.nat(65_535), fc.nat(65_535));

const testimony = fc.record({
  peer: u48.map(asTagNumber),
  epoch: fc.nat(2 ** 32 - 1).map(asEpoch),
  start: fc.nat(2 ** 32 - 1),
  end: fc.nat(2 ** 33),
  bucketSeconds: seconds,
  medianAttenuationDb: fc.nat(255),
  partial: fc.boolean(),
});

const opened: fc.Arbitrary<Opening> = fc
  .record({
    tag: u48.map(asTagNumber),
    day: fc.nat(100_000),
    seq: fc.nat(2 ** 32 - 1),
    prev: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    plaintextHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    forged: fc.array(fc.nat(1023), { maxLength: 4 }),
    told: fc.array(testimony, { maxLength: 4 }),
    waits: fc.array(fc.record({ place: fc.nat(1023), waitsForDay: fc.nat(100_000), start: fc.nat(2 ** 32 - 1) }), { maxLength: 4 }), // prettier-ignore
    counts: fc.tuple(fc.nat(1024), fc.nat(1024), fc.nat(1024)),
    stoppedBy: fc.option(code, { nil: undefined, freq: 3 }),
  })
  .map(
    ({
      tag,
      forged,
      told,
      waits,
      counts: [records, partial, unresolved],
      stoppedBy,
      ...rest
    }): OpenedLogged => {
      const testimonies = told.map((one) => ({ ...one, reporter: tag, ledgerIndex: 0 }));
      const tally = { records, partial, unresolved, forged: forged.length };
      const waiting = waits.map(({ start, ...one }) => ({
        ...{ ...one, hearer: { kind: 'tag' as const, tag }, ledgerIndex: 0 },
        record: { ...recordOf(2, NOON, 60), start },
      }));
      return { kind: 'opened', tag, ...rest, told: { tally, forged, testimonies, waiting, stoppedBy } };
    },
  );

const opening: fc.Arbitrary<Opening> = fc.oneof(
  opened,
  code.map((why) => ({ kind: 'refused' as const, code: why })),
  fc.nat(100_000).map((day) => ({ kind: 'waits' as const, day })),
  fc.constant({ kind: 'other' as const }),
);

/** Such as are logged at these indexes. */
const withIndex = (one: Opening, ledgerIndex: number): Opening =>
  one.kind === 'opened'
    ? {
        ...one,
        told: {
          ...one.told,
          testimonies: one.told.testimonies.map((word) => ({ ...word, ledgerIndex })),
          waiting: one.told.waiting.map((record) => ({ ...record, ledgerIndex })),
        },
      }
    : one;

describe('what was found in reports', () => {
  test('is told as it is, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(opening, u48), { maxLength: 12 }), (list) => {
        const found = list.map(([one, index]) => withIndex(one, index));
        const of = list.map(([, index], k) => {
          const { entry, payload } = reports[k % reports.length] as LoggedReport;
          return { entry: { ...entry, index }, payload };
        });
        expect(openingsOf(answerOf(found), of)).toEqual(found);
      }),
    );
  });

  test('is the same in reports that were sent', () => {
    const request = requestOf(reports, dayKeys);
    const keysOf = new Map(request.keys.map((keys) => [keys.day, keys]));
    const there = reportsOf(request).map((report) => openLogged(report, settings, (day) => keysOf.get(day)));
    expect(there).toEqual(openings);
    expect(new Set(openings.map(({ kind }) => kind))).toEqual(new Set(['opened', 'other', 'refused']));
  });
});

describe('the keys that are sent with reports', () => {
  test('are all that opening them asks for', () => {
    for (const report of reports) {
      const asked: number[] = [];
      openLogged(report, settings, (day) => {
        asked.push(day);
        return dayKeys(day);
      });
      expect(reportDays(report.payload)).toEqual(expect.arrayContaining(asked));
    }
  });

  test('are copies, and nothing once they are wiped', () => {
    const { keys } = requestOf(reports, dayKeys);
    expect(keys.find(({ day }) => day === DAY)).toEqual(dayKeys(DAY));
    wipeKeys(keys);
    const blank = new Uint8Array(32);
    for (const { idKey, macKey, sealingSecretKey } of keys)
      expect([idKey, macKey, sealingSecretKey]).toEqual([blank, blank, blank]);
    expect(dayKeys(DAY).idKey).not.toEqual(blank);
  });
});
