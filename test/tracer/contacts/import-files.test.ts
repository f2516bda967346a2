/** Files that an import cannot take are named before anything is made of them. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { importColumns } from '../../../tracer/contacts/import-columns.js';
import type { ImportDeps } from '../../../tracer/contacts/import-columns.js';
import { countDay } from '../../../tracer/contacts/import-day.js';
import { PeopleDirectory } from '../../../tracer/contacts/people.js';
import { openSegmentStore } from '../../../tracer/contacts/segment-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { runTask } from '../../../tracer/contacts/store-task.js';
import type { StoreTask } from '../../../tracer/contacts/store-task.js';
import { columnFile, DAY, ONE_TOLD, START, temporaryFolder } from './stage.js';

const GOOD = columnFile(DAY, [ONE_TOLD]);
const CUT = GOOD.subarray(0, GOOD.length - 1);
const LINE = '20 1 2\n';

/** An import whose work is done by `run`. */
const depsIn = (dir: string, run: (task: StoreTask) => Promise<unknown>): ImportDeps => ({
  disk: NODE_STORE_DISK,
  threads: [{ run: async (task) => (await run(task)) as never, end: () => Promise.resolve() }],
  people: new PeopleDirectory(),
  newId: () => 1,
  pathsOf: () => ({ segment: join(dir, 'segment'), evidence: join(dir, 'evidence') }),
});

it.each([
  ['a recording of contacts', LINE.repeat(20), 'format', 'this is no file of contact columns of version 1'],
  ['a short file', LINE, 'format', 'this is no file of contact columns: it is too short'],
  ['a file that was cut', CUT, 'damaged', `the contact columns of day ${DAY} are cut short or were changed`],
])('says by name which is %s', async (_what, content, code, says) => {
  const dir = await temporaryFolder();
  const path = join(dir, 'near.contacts');
  await writeFile(path, content);
  const named = { code, message: `${path}: ${says}` };
  await expect(countDay(NODE_STORE_DISK, { kind: 'count', path })).rejects.toMatchObject(named);
  const store = await openSegmentStore(join(dir, 'store'));
  await expect(store.importColumns([path])).rejects.toMatchObject(named);
  await store.close();
});

it('says by name which was changed since it was counted', async () => {
  const dir = await temporaryFolder();
  const path = join(dir, 'near.contacts');
  await writeFile(path, GOOD);
  const deps = depsIn(dir, async (task) => {
    const result = await runTask(NODE_STORE_DISK, task);
    await writeFile(path, CUT);
    return result;
  });
  await expect(importColumns(deps, [path])).rejects.toMatchObject({
    code: 'damaged',
    message: `${path}: the contact columns of day ${DAY} are cut short or were changed`,
  });
});

it('refuses a day too large for a segment when it is counted, before anything is made', async () => {
  const dir = await temporaryFolder();
  const count = { day: DAY, contacts: 150_000_000, baseSeconds: START, lastSeconds: START + 5 };
  const tags = { tags: Uint32Array.of(3, 9), counts: Uint32Array.of(150_000_000, 150_000_000) };
  const done: string[] = [];
  const deps = depsIn(dir, (task) => {
    done.push(task.kind);
    return Promise.resolve({ ...count, ...tags });
  });
  await expect(importColumns(deps, ['some/day.contacts'])).rejects.toMatchObject({
    code: 'input',
    message: 'some/day.contacts has 150000000 contacts of one day: a contact store takes 143165576 at most',
  });
  expect([done, await readdir(dir)]).toEqual([['count'], []]);
});
