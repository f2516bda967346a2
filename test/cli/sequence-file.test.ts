import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sequenceFile } from '../../cli/files/sequence-file.js';

async function place(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-sequence-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return join(dir, 'folder', 'number');
}

describe('a sequence in a file', () => {
  it('gives each number once, over restarts that skip what was taken and not given', async () => {
    const file = await place();
    await mkdir(join(file, '..'));
    const given: number[] = [];
    for (let start = 0; start < 3; start += 1) {
      const sequence = sequenceFile(file);
      for (let count = 0; count < 70; count += 1) given.push(await sequence.next());
    }
    expect(new Set(given).size).toBe(210);
    expect(given).toEqual([...given].sort((one, other) => one - other));
    expect(Number(await readFile(file, 'latin1'))).toBeGreaterThan(given.at(-1) ?? Infinity);
  });

  it('gives no number that it could not take on disk first', async () => {
    const file = await place();
    const sequence = sequenceFile(file);
    for (let tries = 0; tries < 3; tries += 1)
      await expect(sequence.next()).rejects.toMatchObject({ code: 'input' });
    await mkdir(join(file, '..'));
    expect([await sequence.next(), await sequence.next()]).toEqual([0, 1]);
    expect(await sequenceFile(file).next()).toBeGreaterThan(1);
  });

  it('does not begin anew where the file holds something else', async () => {
    const file = await place();
    await mkdir(join(file, '..'));
    await writeFile(file, 'seven\n');
    await expect(sequenceFile(file).next()).rejects.toMatchObject({ code: 'damaged' });
  });
});
