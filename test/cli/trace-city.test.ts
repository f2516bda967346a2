/** A synthetic city, made and traced with the commands: what is told is what a store in memory tells of the same columns. */
import { cp, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { MUTUAL, readContactColumns } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import type { Contact } from '../../tracer/contact.js';
import { memoryContactStore } from '../../tracer/contacts/open-contact-store.js';
import { trace } from '../../tracer/looks/trace.js';
import type { ReachedPerson, TraceResult } from '../../tracer/looks/trace-result.js';
import { referenceTrace } from '../reference/brute-force.js';
import type { ReferenceRow } from '../reference/brute-force.js';
import { wordOfLower, wordOfUpper } from '../tracer/words-of-columns.js';
import { attempt } from './in-process.js';

let parent: string;
let city: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'firebreak-city-'));
  city = join(parent, 'city');
  const made = await attempt('city', '--people', '300', '--days', '4', '--seed', 'x', '--out', city);
  expect(made.code).toBe(0);
});
afterAll(() => rm(parent, { recursive: true, force: true }));

async function columnsOfDays(): Promise<ContactColumns[]> {
  const names = (await readdir(city)).filter((file) => file.endsWith('.contacts')).sort();
  return Promise.all(
    names.map(async (name) => readContactColumns(new Uint8Array(await readFile(join(city, name))))),
  );
}

async function columnsInMemory() {
  const store = memoryContactStore();
  for (const columns of await columnsOfDays())
    for (let k = 0; k < columns.count; k++) {
      const upper = wordOfUpper(columns, k, 2 * k + 1);
      store.add([wordOfLower(columns, k, 2 * k), ...(upper ? [upper] : [])]);
    }
  return store;
}

/** A row of the columns as a contact. */
function contactIn(columns: ContactColumns, row: number): Contact {
  const at = (column: Uint8Array | Uint16Array | Uint32Array): number => column[row] ?? NaN;
  const { lower, upper, start, duration, immediate, near, medium, other, attenuationDb, flags } = columns;
  return {
    ...{ a: asTagNumber(at(lower)), b: asTagNumber(at(upper)), start: at(start) },
    ...{ epoch: asEpoch(Math.floor(at(start) / 900)), end: at(start) + at(duration) },
    ...{ bucketSeconds: [at(immediate), at(near), at(medium), at(other)] },
    ...{ attenuationDb: at(attenuationDb), mutual: (at(flags) & MUTUAL) !== 0, partial: false, ledger: [] },
  };
}

const contactsInColumns = async (): Promise<Contact[]> =>
  (await columnsOfDays()).flatMap((columns) =>
    Array.from({ length: columns.count }, (_, row) => contactIn(columns, row)),
  );

/** Chances are multiplied in the order of the contacts in memory, which is another in a segment. */
const rounded = (result: TraceResult) => ({
  ...result,
  reached: result.reached.map((row) => ({ ...row, score: row.score.toFixed(9) })),
});

/** Of a row that was told, or that the definitions give. */
const figuresOf = ({ person, hop, exposedAt, earliestAt, score }: ReachedPerson | ReferenceRow) => ({
  ...{ person: Number(person), hop, exposedAt, earliestAt },
  score: score.toFixed(9),
});

describe('trace-city', () => {
  test('builds the store once, and tells what the columns say', async () => {
    const json = join(parent, 'trace.json');
    const first = await attempt(
      'trace-city',
      city,
      '--case',
      '17',
      '--latent-seconds',
      '3600',
      '--json',
      json,
    );
    expect(first).toMatchObject({ code: 0 });
    expect(first.text).toMatch(/contact store of 4 days built in .*17 +index case/s);
    const told = JSON.parse(await readFile(json, 'utf8')) as TraceResult;
    expect(told.reachedCount).toBeGreaterThan(10);
    const store = await columnsInMemory();
    const { case: index, direction, hops, from, to, minSeconds, latentSeconds } = told;
    const request = { case: index, direction, hops, from, to, minSeconds, latentSeconds };
    expect(rounded(told)).toEqual(rounded(trace(store.view(), request)));

    const again = await attempt('trace-city', city, '--case', '17');
    expect(again.text).not.toContain('built');
    expect((await readdir(city)).filter((name) => name.includes('.new'))).toEqual([]);
  });

  test('tells by seconds of another class what the definitions say of the columns', async () => {
    const json = join(parent, 'immediate.json');
    const asked = ['--case', '17', '--attenuation', 'immediate', '--latent-seconds', '3600', '--json', json];
    expect(await attempt('trace-city', city, ...asked)).toMatchObject({ code: 0 });
    const told = JSON.parse(await readFile(json, 'utf8')) as TraceResult;
    const { reached } = referenceTrace(await contactsInColumns(), told);
    expect(told.attenuation).toBe('immediate');
    expect(told.reached.length).toBeGreaterThan(5);
    expect(told.reached.map(figuresOf)).toEqual(reached.map(figuresOf));
  });

  test('knows no presence, which no city has, and builds nothing for it', async () => {
    expect((await attempt('trace-city', '--help')).text).not.toContain('--presence');
    const bare = join(parent, 'bare');
    await cp(city, bare, { recursive: true, filter: (path) => !path.endsWith('store') });
    const { code, text } = await attempt('trace-city', bare, '--case', '17', '--presence');
    expect(text).toContain("unknown option '--presence'");
    expect(code).toBe(2);
    expect((await readdir(bare)).filter((name) => name.startsWith('store'))).toEqual([]);
  });

  test('uses the store that another trace put there while it built its own', async () => {
    const shared = join(parent, 'shared');
    await cp(city, shared, { recursive: true });
    await rename(join(shared, 'store'), join(shared, 'of the other'));
    const tracing = attempt('trace-city', shared, '--case', '17');
    await vi.waitFor(async () => expect((await readdir(shared)).join()).toContain('.new'), { interval: 1 });
    await rename(join(shared, 'of the other'), join(shared, 'store'));
    const { code, text } = await tracing;
    expect(text).toMatch(/another trace built the contact store meanwhile.*17 +index case/s);
    expect(code).toBe(0);
    expect((await readdir(shared)).filter((name) => name.startsWith('store'))).toEqual(['store']);
  });

  test('is stopped also while it loads its store', async () => {
    const stopAtOnce = (event: string, stop: () => void) => {
      if (event === 'SIGINT') setImmediate(stop);
    };
    process.on('newListener', stopAtOnce);
    const { code, text } = await attempt('trace-city', city).finally(() =>
      process.off('newListener', stopAtOnce),
    );
    expect(text).toContain('stopped before it was done');
    expect(text).not.toContain('index case');
    expect(code).toBe(130);
  });

  test('says what to do where there is no finished city, and who is nobody in it', async () => {
    const nowhere = await attempt('trace-city', join(parent, 'nowhere'));
    expect(nowhere).toMatchObject({ code: 1 });
    expect(nowhere.text).toContain('make one with firebreak city');
    for (const nobody of ['0', '301']) {
      const { code, text } = await attempt('trace-city', city, '--case', nobody);
      expect(text).toContain(`nobody in ${city} has the number ${nobody}: tags are 1 to 300`);
      expect(code).toBe(1);
    }
    expect(await attempt('trace-city', city, '--case', 'Anna')).toMatchObject({ code: 2 });
  });
});
