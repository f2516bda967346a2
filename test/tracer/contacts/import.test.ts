import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_SECONDS } from '../../../protocol/time.js';
import type { SegmentStore } from '../../../tracer/contacts/segment-store.js';
import { openSegmentStore } from '../../../tracer/contacts/segment-store.js';
import {
  addPeople,
  columnFile,
  columnFiles,
  DAY,
  ONE_TOLD,
  openInline,
  rowsOf,
  START,
  temporaryFolder,
} from './stage.js';
import type { Told } from './stage.js';

/** Around the borders of days, and anywhere; some contacts last past those after them. */
const told: fc.Arbitrary<Told> = fc
  .record({
    pair: fc.uniqueArray(fc.nat({ max: 5 }), { minLength: 2, maxLength: 2 }),
    day: fc.nat({ max: 9 }),
    second: fc.oneof(
      fc.nat({ max: DAY_SECONDS - 1 }),
      fc.nat({ max: 2000 }),
      fc.nat({ max: 4500 }).map((n) => DAY_SECONDS - 1 - n),
    ),
    duration: fc.oneof(fc.nat({ max: 900 }), fc.nat({ max: 6000 })),
    immediate: fc.nat({ max: 900 }),
    near: fc.nat({ max: 5000 }),
    mutual: fc.boolean(),
    partial: fc.boolean(),
  })
  .map(({ pair: [p = 0, q = 0], day, second, ...rest }) => ({
    ...rest,
    lower: TAGS[Math.min(p, q)] ?? 0,
    upper: TAGS[Math.max(p, q)] ?? 0,
    start: START + day * DAY_SECONDS + second,
  }));

/** Ascending, close together and far apart. */
const TAGS = [0, 7, 8, 4_000_000, 4_000_001, 2 ** 32 - 1];

/** Two people who meet at few times of a day, so that contacts end together, and 24 hours apart to the second. */
const twins = fc
  .record({ told, second: fc.constantFrom(0, 300, 600), duration: fc.constantFrom(0, 300, 4095, 5000) })
  .map(({ told: one, second, duration }) => ({
    ...one,
    lower: 7,
    upper: 8,
    start: one.start - (one.start % DAY_SECONDS) + second,
    duration,
  }));

const contacts = fc.uniqueArray(fc.oneof(told, twins), {
  minLength: 1,
  maxLength: 80,
  selector: ({ lower, upper, start }) => `${lower}/${upper}/${start}`,
});

const endOf = ({ start, duration }: Told): number => start + Math.min(duration, 4095);
const nearOf = ({ immediate, near }: Told): number => Math.min(immediate + near, 4095);

/** tracing.md, "Contact", word for word. */
function nearInDay(all: readonly Told[], one: Told): number {
  const counted = all.filter(
    (x) =>
      x.lower === one.lower &&
      x.upper === one.upper &&
      endOf(x) > endOf(one) - DAY_SECONDS &&
      endOf(x) <= endOf(one),
  );
  return Math.min(
    65_535,
    counted.reduce((sum, x) => sum + nearOf(x), 0),
  );
}

function expectedRows(all: readonly Told[]) {
  const people = [...new Set(all.flatMap(({ lower, upper }) => [lower, upper]))].sort((p, q) => p - q);
  const rows = all.flatMap((one) => {
    const [p, q] = [people.indexOf(one.lower), people.indexOf(one.upper)];
    const row = {
      start: one.start,
      duration: Math.min(one.duration, 4095),
      near: nearOf(one),
      attenuation: 50,
      mutual: one.mutual,
      nearInDay: nearInDay(all, one),
      weight: Math.min(65_535, (10 * one.immediate + 8 * one.near + 3 * 7) * (one.mutual ? 2 : 1)),
    };
    return [
      { person: p, peer: q, ...row },
      { person: q, peer: p, ...row },
    ];
  });
  return rows.sort(byPlace);
}

type Meeting = readonly [start: number, duration: number, near: number, sum: number];

/** Meetings of one pair, start from the first day on, and what their sums are. */
const SUMS: readonly { readonly name: string; readonly meetings: readonly Meeting[] }[] = [
  {
    name: 'contacts that end together count for each other',
    meetings: [
      [0, 300, 1, 3],
      [300, 0, 2, 3],
    ],
  },
  {
    name: 'one that ends 24 hours before does not count',
    meetings: [
      [0, 9, 1, 1],
      [86_400, 9, 2, 2],
    ],
  },
  {
    name: 'one that ends a second later does',
    meetings: [
      [0, 10, 1, 1],
      [86_400, 9, 2, 3],
    ],
  },
  {
    name: 'one that starts later and ends before does',
    meetings: [
      [0, 500, 1, 3],
      [100, 50, 2, 2],
    ],
  },
  {
    name: 'also when it is in the segment after',
    meetings: [
      [7 * 86_400 - 100, 4000, 1, 3],
      [7 * 86_400 + 10, 20, 2, 2],
    ],
  },
  {
    name: 'one that starts two days before and ends in the day does',
    meetings: [
      [6 * 86_400 - 1000, 2000, 1, 1],
      [7 * 86_400, 0, 2, 3],
    ],
  },
  {
    name: 'a sum does not run over',
    meetings: Array.from({ length: 20 }, (_, i): Meeting => [
      900 * i,
      1,
      4095,
      Math.min(65_535, 4095 * (i + 1)),
    ]),
  },
];

interface Placed {
  readonly person: number;
  readonly start: number;
  readonly peer: number;
}
const byPlace = (x: Placed, y: Placed) => x.person - y.person || x.start - y.start || x.peer - y.peer;

async function write(dir: string, files: readonly Uint8Array[]): Promise<string[]> {
  const paths = files.map((_, i) => join(dir, `day-${i}`));
  for (const [i, path] of paths.entries()) await writeFile(path, files[i] ?? new Uint8Array(0));
  return paths;
}

const allRows = (store: SegmentStore) =>
  store.segments.flatMap(({ segment }) => rowsOf(segment)).sort(byPlace);

describe('importing contact columns', () => {
  it('gives the contacts of the files, and sums each pair’s near seconds over 24 hours, across days and weeks', () =>
    fc.assert(
      fc.asyncProperty(contacts, fc.boolean(), async (all, reversed) => {
        const dir = await temporaryFolder();
        const files = await write(dir, columnFiles(all));
        const store = await openInline(join(dir, 'store'));
        await store.importColumns(reversed ? files.reverse() : files);
        expect(allRows(store)).toEqual(expectedRows(all));
        await store.close();
        const again = await openInline(join(dir, 'store'));
        expect(again.damage).toEqual([]);
        expect(allRows(again)).toEqual(expectedRows(all));
        await again.close();
      }),
      { numRuns: 60 },
    ));

  it.each(SUMS)('sums up exactly: $name', async ({ meetings }) => {
    const one = { lower: 3, upper: 9, immediate: 0, mutual: true, partial: false };
    const all = meetings.map(([start, duration, near]) => ({ ...one, start: START + start, duration, near }));
    const dir = await temporaryFolder();
    const store = await openInline(join(dir, 'store'));
    await store.importColumns(await write(dir, columnFiles(all)));
    const ofOne = allRows(store).filter(({ person }) => person === 0);
    expect(ofOne.map(({ start, nearInDay: sum }) => [start - START, sum])).toEqual(
      meetings.map(([start, , , sum]) => [start, sum]),
    );
    await store.close();
  });

  it('keeps what each contact rests on: one account a side, of no entry of the ledger', async () => {
    const dir = await temporaryFolder();
    const one = { lower: 3, upper: 9, duration: 50, immediate: 20, near: 30, partial: true };
    const all = [
      { ...one, start: START + 905, mutual: false },
      { ...one, start: START + 2000, mutual: true },
    ];
    const store = await openInline(join(dir, 'store'));
    await store.importColumns(await write(dir, columnFiles(all)));
    const [{ segment } = { segment: undefined }] = store.segments;
    if (segment === undefined) throw new Error('no segment');
    const account = {
      start: START + 905,
      end: START + 955,
      bucketSeconds: [20, 30, 7, 11],
      medianAttenuationDb: 50,
      partial: true,
      ledger: [],
    };
    expect(store.contactAt(segment, segment.rows[1] ?? -1)).toMatchObject({
      lower: 0,
      upper: 1,
      epoch: (START + 900) / 900,
      durationSeconds: 50,
      mutual: false,
      accounts: [[account], []],
    });
    expect(store.contactAt(segment, 1).accounts.map((side) => side.length)).toEqual([1, 1]);
    await store.close();
  });

  it('does the same on threads, with progress to its end', async () => {
    const dir = await temporaryFolder();
    const all = fc.sample(contacts, { seed: 4, numRuns: 1 })[0] ?? [];
    const store = await openSegmentStore(join(dir, 'store'));
    const ended = new Set<string>();
    await store.importColumns(await write(dir, columnFiles(all)), {
      threads: 2,
      onProgress: (step, done, total) => done === total && ended.add(step),
    });
    expect(allRows(store)).toEqual(expectedRows(all));
    expect(ended.size).toBe(4);
    await store.close();
  });

  it('refuses what it cannot take, and leaves an empty store', async () => {
    const dir = await temporaryFolder();
    const store = await openInline(join(dir, 'store'));
    const one = ONE_TOLD;
    const good = columnFile(DAY, [one]);
    const refuses = async (code: string, ...files: Uint8Array[]) =>
      expect(store.importColumns(await write(dir, files))).rejects.toMatchObject({ code });
    await refuses('input');
    await refuses('input', columnFile(DAY, []));
    await refuses('input', good, columnFile(DAY, [{ ...one, start: START + 9 }]));
    await refuses('format', columnFile(DAY + 1, [one]));
    await refuses('format', columnFile(DAY, [one, one]));
    await refuses('format', columnFile(DAY, [{ ...one, lower: 9 }]));
    await refuses(
      'damaged',
      good.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
    );
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(store.importColumns(await write(dir, [good]), { signal })).rejects.toThrow('enough');
    expect([store.segments.length, store.people.count]).toEqual([0, 0]);
    addPeople(store, 1);
    await refuses('exists', good);
    await store.close();
  });
});
