/** Each call to the disk that publishing a checkpoint makes fails once: what was shown is there afterwards, whole. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writePublished } from '../../../ledger/witnesses/published-file.js';
import { temporaryFolder } from '../deployment.js';
import { FaultyDisk, faultsOf } from './faulty-disk.js';

const [SHOWN, NEXT] = ['a checkpoint that was shown\n', 'the one after it, which is longer\n'];

test('a call that fails while a checkpoint is published, done or not, takes back nothing that was shown', async () => {
  const dir = await temporaryFolder();
  const unharmed = new FaultyDisk();
  await writePublished(unharmed, dir, SHOWN);
  expect(unharmed.calls).toContain('rename published.new');
  const faults = faultsOf(unharmed.calls);
  expect(faults.length).toBeGreaterThan(12);
  for (const fault of faults) {
    await writePublished(new FaultyDisk(), dir, SHOWN);
    const disk = new FaultyDisk(fault);
    await expect(writePublished(disk, dir, NEXT)).rejects.toMatchObject({
      code: expect.stringMatching(/^(input|full)$/) as string,
    });
    await disk.endProcess();
    expect([SHOWN, NEXT]).toContain(await readFile(join(dir, 'published'), 'utf8'));
  }
  await writePublished(new FaultyDisk(), dir, NEXT);
  expect(await readFile(join(dir, 'published'), 'utf8')).toBe(NEXT);
});
