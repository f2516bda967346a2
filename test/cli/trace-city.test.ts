/** A synthetic city, made and traced with the commands: what is told is what a store in memory tells of the same columns. */
import { cp, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readContactColumns } from '../../protocol/contact-columns.js';
import { memoryContactStore } from '../../tracer/contacts/open-contact-store.js';
import { trace } from '../../tracer/looks/trace.js';
import type { TraceResult } from '../../tracer/looks/trace-result.js';
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

async function columnsInMemory() {
  const store = memoryContactStore();
  for (const name of (await readdir(city)).filter((file) => file.endsWith('.contacts')).sort())
    await store.addBulk(readContactColumns(new Uint8Array(await readFile(join(city, name)))));
  return store;
}

/** Chances are multiplied in the order of the contacts in memory, which is another in a segment. */
const rounded = (result: TraceResult) => ({
  ...result,
  reached: result.reached.map((row) => ({ ...row, score: row.score.toFixed(9) })),
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
