import { readdir } from 'node:fs/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSegmentStore } from '../../../tracer/contacts/segment-store.js';
import { addPeople, contact, expectedRows, inTimeOrder, rowsOf, temporaryFolder, toSeal } from './stage.js';

const PEOPLE = 30;
const sample = (seed: number) => inTimeOrder(fc.sample(contact(PEOPLE, 500_000), { seed, numRuns: 200 }));

test('sealing and compacting in threads, while the old segments stay readable until they are released', async () => {
  const dir = await temporaryFolder();
  const store = await openSegmentStore(dir);
  addPeople(store, PEOPLE);
  const [first, second] = [sample(1), sample(2)];
  const sealed = await Promise.all([store.seal(toSeal(first)), store.seal(toSeal(second))]);
  await store.commit({ add: sealed });
  const ids = sealed.map(({ info }) => info.id);
  const people: number[] = [];
  const both = await store.compact({ ids }, { onProgress: (_, done) => people.push(done) });
  expect(both && rowsOf(both.segment)).toEqual(expectedRows([...first, ...second]));
  expect(people.length).toBeGreaterThan(0);
  await store.commit({ add: both ? [both] : [], remove: ids });
  expect(store.segments).toEqual([both]);
  expect((await readdir(dir)).sort()).toEqual(['3.evidence', '3.segment', 'manifest.json', 'people-0']);

  const [{ segment } = { segment: undefined }] = sealed;
  if (segment === undefined) throw new Error('nothing was sealed');
  expect(store.contactAt(segment, 0).start).toBe(first.find(({ lower }) => lower === 0)?.start);
  store.release(ids);
  expect(() => store.contactAt(segment, 0)).toThrow(expect.objectContaining({ code: 'not-found' }));
  await store.close();
});

test('a task that is given up ends its thread and leaves no file', async () => {
  const dir = await temporaryFolder();
  const store = await openSegmentStore(dir);
  addPeople(store, PEOPLE);
  const control = new AbortController();
  const sealing = store.seal(toSeal(sample(3)), { signal: control.signal });
  control.abort(new Error('no longer wanted'));
  await expect(sealing).rejects.toThrow('no longer wanted');
  await expect(store.seal(toSeal(sample(3)), { signal: control.signal })).rejects.toThrow('no longer wanted');
  await expect(store.seal(toSeal([]))).rejects.toMatchObject({ code: 'input' });
  expect(await readdir(dir)).toEqual([]);
  await store.close();
});
