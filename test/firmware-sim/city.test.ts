/** A city as it is written: the same bytes whoever writes them, contacts that are contacts, and about as many as promised. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cityFor, expectedContacts, requireCity } from '../../firmware-sim/city/city-settings.js';
import type { CitySettings } from '../../firmware-sim/city/city-settings.js';
import { makeDay } from '../../firmware-sim/city/day.js';
import { makeCity } from '../../firmware-sim/city/make-city.js';
import { settlePeople } from '../../firmware-sim/city/population.js';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { MUTUAL, readContactColumns } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import type { Contact } from '../../tracer/contact.js';
import { codeOf } from '../protocol/errors-of.js';
import { referenceTrace } from '../reference/brute-force.js';
import { contactsOfFile } from '../reference/recorded-contacts.js';

const SMALL: CitySettings = { people: 300, days: 4, seed: 'hill', firstDay: 20_517, contactsPerDay: 20 };
const never = new AbortController().signal;

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'firebreak-city-'))));
afterAll(() => rm(dir, { recursive: true, force: true }));

async function folder(name: string): Promise<string> {
  await mkdir(join(dir, name));
  return join(dir, name);
}

async function hashesIn(path: string): Promise<Record<string, string>> {
  const names = (await readdir(path)).sort();
  const hashes = names.map(async (name) => {
    const hash = createHash('sha256').update(await readFile(join(path, name)));
    return [name, hash.digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}

const columnsOf = (settings: CitySettings): readonly ContactColumns[] => {
  const population = settlePeople(settings);
  const days = Array.from({ length: settings.days }, (_, index) => settings.firstDay + index);
  return days.map((day) => readContactColumns(makeDay(settings, population, day).bytes));
};

function contactsIn({ count, lower, upper, start, duration, ...rest }: ContactColumns): Contact[] {
  return Array.from({ length: count }, (_, k) => ({
    a: asTagNumber(lower[k] ?? NaN),
    b: asTagNumber(upper[k] ?? NaN),
    epoch: asEpoch(Math.floor((start[k] ?? NaN) / 900)),
    start: start[k] ?? NaN,
    end: (start[k] ?? NaN) + (duration[k] ?? NaN),
    bucketSeconds: [
      rest.immediate[k] ?? NaN,
      rest.near[k] ?? NaN,
      rest.medium[k] ?? NaN,
      rest.other[k] ?? NaN,
    ],
    attenuationDb: rest.attenuationDb[k] ?? NaN,
    mutual: ((rest.flags[k] ?? 0) & MUTUAL) !== 0,
    partial: false,
    ledger: [],
  }));
}

describe('a city', () => {
  test('has the same bytes for one thread and for three, and those that are written down here', async () => {
    const [one, three] = [await folder('one'), await folder('three')];
    await makeCity({ settings: SMALL, dir: one, threads: 1, signal: never });
    await makeCity({ settings: SMALL, dir: three, threads: 3, signal: never });
    const hashes = await hashesIn(one);
    expect(await hashesIn(three)).toEqual(hashes);
    expect(Object.keys(hashes)).toEqual([
      '20517.contacts',
      '20518.contacts',
      '20519.contacts',
      '20520.contacts',
      'city.json',
    ]);
    expect(hashes['20517.contacts']).toBe('482098b33436f9b9e245fe6c8f72f8d23a22f39c91cec1c3ba7d6974a5b5c560');
  });

  test('is another one for another seed, and days do not repeat', () => {
    const [thursday, friday] = columnsOf(SMALL);
    const [elsewhere] = columnsOf({ ...SMALL, seed: 'vale' });
    const pairs = (columns: ContactColumns | undefined) =>
      new Set(
        columns && Array.from({ length: columns.count }, (_, k) => `${columns.lower[k]} ${columns.upper[k]}`),
      );
    const shared = (x: Set<string>, y: Set<string>) => [...x].filter((pair) => y.has(pair)).length / x.size;
    expect(shared(pairs(thursday), pairs(elsewhere))).toBeLessThan(0.1);
    expect(shared(pairs(thursday), pairs(friday))).toBeGreaterThan(0.2);
    expect(thursday?.count).not.toBe(friday?.count);
  });

  test('is of contacts: in order, a pair once an epoch, inside their epoch, seconds that fit', () => {
    for (const columns of columnsOf({ ...SMALL, people: 100, contactsPerDay: 45 })) {
      expect(columns.count).toBeGreaterThan(1000);
      const seen = new Set<string>();
      let last = [0, 0, 0];
      for (const { a, b, epoch, start, end, bucketSeconds, attenuationDb } of contactsIn(columns)) {
        expect(a >= 1 && a < b && b <= SMALL.people).toBe(true);
        expect(Math.floor(start / 86_400)).toBe(columns.day);
        expect(start < end && end <= (epoch + 1) * 900 && (end - start) % 20 === 0 && start % 20 === 0).toBe(
          true,
        );
        const place = [start, a, b];
        const step =
          place.map((value, k) => value - (last[k] ?? 0)).find((difference) => difference !== 0) ?? 0;
        expect(step).toBeGreaterThan(0);
        last = place;
        seen.add(`${a} ${b} ${epoch}`);
        const credited = bucketSeconds.reduce((sum, seconds) => sum + seconds, 0);
        expect(credited > 0 && credited <= end - start).toBe(true);
        const byThreshold = [55, 63, 73, 255].findIndex((limit) => attenuationDb <= limit);
        expect(bucketSeconds[byThreshold]).toBeGreaterThan(0);
      }
      expect(seen.size).toBe(columns.count);
    }
  });

  test('keeps weekends: no school, and fewer at work', async () => {
    const settings = { ...SMALL, people: 3000, firstDay: 20_518, days: 3 }; // Friday, Saturday, Sunday
    const population = settlePeople(settings);
    const [friday, saturday, sunday] = [0, 1, 2].map((day) => [
      ...makeDay(settings, population, settings.firstDay + day).ofKind,
    ]);
    const [school, work] = [1, 2];
    expect(friday?.[school]).toBeGreaterThan(1000);
    expect([saturday?.[school], sunday?.[school]]).toEqual([0, 0]);
    expect(saturday?.[work]).toBeLessThan((friday?.[work] ?? 0) / 2);
  });

  test('comes to about as many contacts as were asked for, and says how it is spread', async () => {
    const settings = cityFor({ contacts: 200_000, days: 7, seed: 'plain' });
    const figures = await makeCity({ settings, dir: await folder('plain'), signal: never });
    expect(Math.abs(figures.contacts / 200_000 - 1)).toBeLessThan(0.05);
    expect(figures.contacts / expectedContacts(settings)).toBeCloseTo(figures.contacts / 200_000, 2);
    expect(figures.perPersonAndDay).toBeGreaterThan(18);
    const { peopleMet, closeContacts } = figures;
    expect(peopleMet.p50).toBeGreaterThan(30);
    expect(peopleMet.max).toBeGreaterThan(2.5 * peopleMet.p50); // the tail is heavy
    expect(closeContacts.p50).toBeGreaterThan(3);
    expect(closeContacts.p50).toBeLessThan(peopleMet.p50 / 3);
  });

  test('says of a small city exactly what its files hold', async () => {
    const path = await folder('counted');
    const figures = await makeCity({ settings: SMALL, dir: path, signal: never });
    const contacts = columnsOf(SMALL).flatMap(contactsIn);
    expect(figures.contacts).toBe(contacts.length);
    expect(figures.contactsEach.mean).toBeCloseTo((2 * contacts.length) / SMALL.people, 6);
    const window = { from: 0, to: 2 ** 32, latentSeconds: 0, minSeconds: 900 };
    const close = [1, 2, 3, 4, 5].map((person) => {
      const asked = { case: String(person), direction: 'forward', hops: 1, ...window } as const;
      return referenceTrace(contacts, asked).reached.length;
    });
    expect(Math.max(...close)).toBeLessThanOrEqual(figures.closeContacts.max);
    expect(JSON.parse(await readFile(join(path, 'city.json'), 'utf8'))).toEqual({ settings: SMALL, figures });
  });
});

describe('a file of contacts of a city', () => {
  test('gives, read as a recording, the near contacts of the columns and the same traces', async () => {
    const [path, file] = [await folder('both'), join(dir, 'both.dat')];
    const settings = { ...SMALL, people: 120 };
    await makeCity({ settings, dir: path, contactsFile: file, signal: never });
    await writeFile(`${file}.gz`, gzipSync(await readFile(file)));
    const recorded = contactsOfFile(`${file}.gz`);
    const near = columnsOf(settings)
      .flatMap(contactsIn)
      .filter(({ bucketSeconds }) => bucketSeconds[0] + bucketSeconds[1] > 0);
    const shown = (contacts: readonly Contact[]) =>
      contacts
        .map(
          ({ a, b, start, end, bucketSeconds: [immediate, near] }) =>
            `${a} ${b} ${start} ${end} ${immediate + near}`,
        )
        .sort();
    expect(shown(recorded)).toEqual(shown(near));
    for (const person of [1, 2, 3]) {
      const window = { from: 0, to: 2 ** 32, latentSeconds: 20_000, minSeconds: 900 };
      const asked = { case: String(person), direction: 'forward', hops: 3, ...window } as const;
      const rows = (contacts: readonly Contact[]) =>
        referenceTrace(contacts, asked).reached.map(({ person, hop, exposedAt }) => [person, hop, exposedAt]);
      expect(rows(recorded)).toEqual(rows(near));
      expect(rows(near).length).toBeGreaterThan(3);
    }
  });

  test('is not made of two million contacts and more', async () => {
    const settings = cityFor({ contacts: 3_000_000, days: 14, seed: 'large' });
    const order = {
      settings,
      dir: await folder('large'),
      contactsFile: join(dir, 'large.dat'),
      signal: never,
    };
    await expect(makeCity(order)).rejects.toMatchObject({ code: 'input', message: /too many for a file/ });
    expect(await readdir(order.dir)).toEqual([]);
  });
});

describe('making a city', () => {
  test('that is stopped leaves whole days, no other files and no summary', async () => {
    const path = await folder('stopped');
    const stop = new AbortController();
    const settings = { ...SMALL, days: 60 };
    const onDay = (done: number) => {
      if (done === 2) stop.abort(new Error('enough'));
    };
    await expect(makeCity({ settings, dir: path, threads: 2, signal: stop.signal, onDay })).rejects.toThrow(
      'enough',
    );
    const names = await readdir(path);
    expect(names.length).toBeGreaterThanOrEqual(2);
    expect(names.length).toBeLessThan(10);
    for (const name of names) {
      expect(name).toMatch(/^\d+\.contacts$/);
      readContactColumns(new Uint8Array(await readFile(join(path, name))));
    }
  });

  test('ends with what is wrong when a file cannot be written', async () => {
    const path = await folder('taken');
    await mkdir(join(path, '20518.contacts', 'x'), { recursive: true });
    await expect(makeCity({ settings: SMALL, dir: path, threads: 2, signal: never })).rejects.toMatchObject({
      code: 'input',
      message: /20518\.contacts cannot be written/,
    });
    expect((await readdir(path)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await expect(stat(join(path, 'city.json'))).rejects.toThrow();
  });

  test('is refused for numbers out of bounds', () => {
    const wrong: readonly Partial<CitySettings>[] = [
      { people: 1 },
      { people: 2 ** 24 },
      { people: 10.5 },
      { days: 0 },
      { days: 181 },
      { firstDay: -1 },
      { firstDay: 49_709 },
      { seed: '' },
      { contactsPerDay: 0.5 },
      { contactsPerDay: NaN },
    ];
    for (const one of wrong)
      expect(
        codeOf(() => requireCity({ ...SMALL, ...one })),
        JSON.stringify(one),
      ).toBe('input');
    expect(codeOf(() => requireCity(SMALL))).toBeUndefined();
    expect(codeOf(() => cityFor({ contacts: 3, days: 14, seed: 'x' }))).toBe('input');
  });

  test('is refused for more contacts a day than a contact store takes, whatever day of the week is the busiest', () => {
    const [sunday, monday] = [20_513, 20_514];
    const most = { ...SMALL, people: 2 ** 24 - 1, contactsPerDay: 60 };
    expect(() => requireCity(most)).toThrow(
      'about 508349615 contacts are expected on one day, and 134217728 are the most: fewer people, or fewer contacts per day',
    );
    const nearly = { ...SMALL, people: 13_500_000 };
    expect(codeOf(() => requireCity({ ...nearly, firstDay: sunday, days: 1 }))).toBeUndefined();
    expect(codeOf(() => requireCity({ ...nearly, firstDay: sunday, days: 2 }))).toBe('input');
    expect(codeOf(() => requireCity({ ...nearly, firstDay: monday, days: 1 }))).toBe('input');
    expect(codeOf(() => requireCity({ ...most, contactsPerDay: 15 }))).toBeUndefined();
  });
});
