import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { HealingLevel } from '../../host/healing-level.js';

afterEach(() => void vi.restoreAllMocks());

const put = (key: string, value = 1) => ({ type: 'put' as const, key, value: Uint8Array.of(value) });
type Put = ReturnType<typeof put>;
const ALL = { gte: '', lt: '\uffff' };

async function opened() {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-healing-'));
  const db = new Level<string, Uint8Array>(dir, { keyEncoding: 'utf8', valueEncoding: 'view' });
  await db.open();
  const healing = new HealingLevel(db);
  onTestFinished(async () => {
    await healing.close();
    await rm(dir, { recursive: true });
  });
  return { db, healing };
}

/** What is called of the database from here on, in its order; the writes named fail. */
function calls(db: Level<string, Uint8Array>, failing: (write: number) => boolean): string[] {
  const made: string[] = [];
  const batch: (changes: Put[], options: object) => Promise<void> = db.batch.bind(db);
  const [open, close] = [db.open.bind(db), db.close.bind(db)];
  let writes = 0;
  async function write(changes: Put[], options: object): Promise<void> {
    made.push(`write ${changes.map(({ key }) => key).join(' ')}`);
    const fails = failing((writes += 1));
    await new Promise(setImmediate); // others are asked for meanwhile
    if (fails) throw new Error('No space left on device');
    return batch(changes, options);
  }
  vi.spyOn(db, 'batch').mockImplementation(write as never);
  vi.spyOn(db, 'open').mockImplementation(() => (made.push('open'), open()));
  vi.spyOn(db, 'close').mockImplementation(() => (made.push('close'), close()));
  return made;
}

async function keysOf(healing: HealingLevel<string>): Promise<string[]> {
  const keys: string[] = [];
  for await (const [key] of healing.rows(ALL)) keys.push(key);
  return keys;
}

describe('a level folder that heals', () => {
  it('opens again after a failed write before the next, though that was asked for before', async () => {
    const { db, healing } = await opened();
    const made = calls(db, (write) => write === 1);
    const first = healing.write([put('a')]);
    await Promise.resolve(); // it is under way
    const second = healing.write([put('b')]);
    const third = healing.write([put('c')]);
    await expect(first).rejects.toThrow('No space left');
    await Promise.all([second, third]);
    expect(made).toEqual(['write a', 'close', 'open', 'write b c']);
    expect(await keysOf(healing)).toEqual(['b', 'c']);
  });

  it('does so before a read as well, and only once', async () => {
    const { db, healing } = await opened();
    const made = calls(db, (write) => write === 1);
    await expect(healing.write([put('a')])).rejects.toThrow('No space left');
    const reads = await Promise.all([1, 2].map(() => healing.read(() => db.get('a'))));
    expect(reads).toEqual([undefined, undefined]);
    expect(made).toEqual(['write a', 'close', 'open']);
  });

  it('tries again when it could not be opened', async () => {
    const { db, healing } = await opened();
    calls(db, (write) => write === 1);
    await expect(healing.write([put('a')])).rejects.toThrow('No space left');
    vi.spyOn(db, 'open').mockRejectedValueOnce(new Error('No space left on device'));
    await expect(healing.write([put('b')])).rejects.toThrow('No space left');
    await healing.write([put('c')]);
    expect(await keysOf(healing)).toEqual(['c']);
  });

  it('goes on with rows that are being read, from where they are', async () => {
    const { db, healing } = await opened();
    const keys = Array.from({ length: 1000 }, (_, k) => `row ${1000 + k}`);
    await healing.write(keys.map((key) => put(key)));
    calls(db, (write) => write === 1);
    const found: string[] = [];
    for await (const [key] of healing.rows(ALL)) {
      if (found.push(key) !== 300) continue;
      await expect(healing.write([put('x')])).rejects.toThrow('No space left');
      await healing.write([put('y')]);
    }
    expect(found).toEqual([...keys, 'y']);
  });

  it('that is closed after a failed write stays closed', async () => {
    const { db, healing } = await opened();
    calls(db, (write) => write === 1);
    await expect(healing.write([put('a')])).rejects.toThrow('No space left');
    await healing.close();
    await expect(healing.read(() => db.get('a'))).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' });
    await expect(healing.write([put('b')])).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' });
    expect(db.status).toBe('closed');
  });

  it('closes when what was begun has ended', async () => {
    const { healing } = await opened();
    const ends: string[] = [];
    const write = healing.write([put('a')]).then(() => ends.push('write'));
    const read = keysOf(healing).then(() => ends.push('read'));
    await healing.close();
    await Promise.all([write, read]);
    expect(ends.sort()).toEqual(['read', 'write']);
  });
});
