/** Files that an import cannot take are named before anything is made of them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importColumns } from '../../../tracer/contacts/import-columns.js';
import { PeopleDirectory } from '../../../tracer/contacts/people.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import type { StoreTask } from '../../../tracer/contacts/store-task.js';
import { DAY, START, temporaryFolder } from './stage.js';

describe('an import', () => {
  it('refuses a day too large for a segment when it is counted, before anything is made', async () => {
    const dir = await temporaryFolder();
    const count = { day: DAY, contacts: 150_000_000, baseSeconds: START, lastSeconds: START + 5 };
    const tags = { tags: Uint32Array.of(3, 9), counts: Uint32Array.of(150_000_000, 150_000_000) };
    const done: string[] = [];
    const run = (task: StoreTask) => {
      done.push(task.kind);
      return Promise.resolve({ ...count, ...tags } as never);
    };
    const importing = importColumns(
      {
        disk: NODE_STORE_DISK,
        threads: [{ run, end: () => Promise.resolve() }],
        people: new PeopleDirectory(),
        newId: () => 1,
        pathsOf: () => ({ segment: join(dir, 'segment'), evidence: join(dir, 'evidence') }),
      },
      ['some/day.contacts'],
    );
    await expect(importing).rejects.toMatchObject({
      code: 'input',
      message: 'some/day.contacts has 150000000 contacts of one day: a contact store takes 143165576 at most',
    });
    expect([done, await readdir(dir)]).toEqual([['count'], []]);
  });
});
