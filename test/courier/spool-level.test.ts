import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openLevelSpool } from '../../courier/spool-level.js';
import { NO_FATES } from '../../courier/spool.js';
import { entriesOf, entryOf, LIMITS, refusedOf } from '../contracts/spool-contract.js';
import { leaveRoot } from '../leave-root.js';
import { levelSpool, temporaryFolder, WRITER_ID } from './folder.js';

afterEach(() => void vi.restoreAllMocks());

const noSpace = (): Error => new Error('IO error: 000003.log: No space left on device');

interface Batching {
  batch(...given: unknown[]): Promise<void>;
}

/** Makes the next write fail: nothing of it stored, or all of it. */
function failNextWrite(stored: boolean): void {
  const write = vi.spyOn(Level.prototype, 'batch');
  async function fail(this: Level, ...given: unknown[]): Promise<void> {
    write.mockRestore();
    if (stored) await (this as unknown as Batching).batch(...given);
    throw noSpace();
  }
  write.mockImplementationOnce(fail as never);
}

describe('a spool on disk, opened again', () => {
  it('has everything as it was: batches, numbers, what is parked and what is kept aside', async () => {
    const dir = await temporaryFolder();
    const before = await levelSpool(dir);
    await before.append(entriesOf(0, 8));
    for (let count = 0; count < 3; count += 1) await before.form(LIMITS);
    await before.settle(1, { parked: [1], refused: [{ id: 2, reason: 12 }] });
    await before.renumber(2);
    const formed = await before.formed();
    await before.close();
    const after = await levelSpool(dir);
    expect(await after.formed()).toEqual(formed);
    expect(after.depth()).toEqual(before.depth());
    expect(await refusedOf(after)).toEqual([{ reason: 12, entry: entryOf(2) }]);
    expect([...after.refusedByReason()]).toEqual([[12, 1]]);
    expect((await after.recall(LIMITS))?.ids).toEqual([1]);
    await after.append([entryOf(8)]);
    expect(await after.form(LIMITS)).toMatchObject({ seq: 6, ids: [8] });
  });

  it('has nothing kept aside that was dropped, and gives no id of it again', async () => {
    const dir = await temporaryFolder();
    const before = await levelSpool(dir);
    await before.append(entriesOf(0, 2));
    await before.form(LIMITS);
    await before.settle(1, { parked: [], refused: [{ id: 1, reason: 6 }] });
    await before.dropRefused();
    await before.close();
    const after = await levelSpool(dir);
    expect(await refusedOf(after)).toEqual([]);
    expect(await after.append([entryOf(2)])).toEqual([2]);
  });

  it('goes on numbering after everything in it has gone', async () => {
    const dir = await temporaryFolder();
    const before = await levelSpool(dir);
    await before.append(entriesOf(0, 2));
    await before.form(LIMITS);
    await before.settle(1, NO_FATES);
    await before.close();
    const after = await levelSpool(dir);
    expect(await after.append([entryOf(2)])).toEqual([2]);
    expect((await after.form(LIMITS))?.seq).toBe(2);
  });
});

describe('what a spool on disk acknowledges', () => {
  it('is synced before, appends that come together by few syncs, and so is a batch before it is handed out', async () => {
    const spool = await levelSpool(await temporaryFolder());
    const write = vi.spyOn(Level.prototype, 'batch');
    await Promise.all(Array.from({ length: 200 }, (_, k) => spool.append([entryOf(k)])));
    expect(write.mock.calls.length).toBeLessThanOrEqual(3);
    await spool.form(LIMITS);
    await spool.settle(1, { parked: [0], refused: [] });
    await spool.renumber((await spool.form(LIMITS))?.seq ?? 0);
    const isSynced = (write.mock.calls as unknown[][]).map(
      ([, options]) => (options as { sync: boolean }).sync,
    );
    const settled = isSynced.length - 3;
    expect(isSynced).toEqual(isSynced.map((_, k) => k !== settled)); // settle() alone may be undone
  });
});

describe('what a spool on disk keeps aside', () => {
  it('is read a part at a time, however much it is', async () => {
    const spool = await levelSpool(await temporaryFolder());
    const ids = await spool.append(entriesOf(0, 600));
    await spool.form({ maxItems: 600, maxBytes: 1e6 });
    await spool.settle(1, { parked: [], refused: ids.map((id) => ({ id, reason: 2 })) });
    const atOnce = vi.spyOn(Level.prototype, 'getMany');
    const ranges = vi.spyOn(Level.prototype, 'iterator');
    expect((await refusedOf(spool)).map(({ entry }) => entry)).toEqual(entriesOf(0, 600));
    for (const [keys] of atOnce.mock.calls as unknown[][])
      expect((keys as unknown[]).length).toBeLessThanOrEqual(256);
    for (const [range] of ranges.mock.calls as unknown[][])
      expect((range as { limit?: number }).limit ?? Infinity).toBeLessThanOrEqual(256);
  });

  it('is not what a failed write has put there', async () => {
    const spool = await levelSpool(await temporaryFolder());
    await spool.append(entriesOf(0, 2));
    await spool.form(LIMITS);
    failNextWrite(true);
    const fates = { parked: [], refused: [{ id: 0, reason: 2 }] };
    await expect(spool.settle(1, fates)).rejects.toMatchObject({ code: 'full' });
    expect(await refusedOf(spool)).toEqual([]);
  });
});

describe.each([
  ['nothing of it stored', false],
  ['all of it stored', true],
])('a failed write, %s', (_, stored) => {
  it('rejects an append as "full", gives its ids again, and loses nothing that came later', async () => {
    const dir = await temporaryFolder();
    const spool = await levelSpool(dir);
    await spool.append(entriesOf(0, 2));
    failNextWrite(stored);
    await expect(spool.append(entriesOf(2, 1))).rejects.toMatchObject({ code: 'full' });
    expect(spool.depth().entries).toBe(2);
    expect(await spool.append(entriesOf(3, 2))).toEqual([2, 3]);
    await spool.close();
    const after = await levelSpool(dir);
    const batch = await after.form({ ...LIMITS, maxItems: 10 });
    expect(batch?.entries).toEqual([0, 1, 3, 4].map((number) => entryOf(number)));
  });

  it('leaves a batch to be formed again under the same number', async () => {
    const dir = await temporaryFolder();
    const spool = await levelSpool(dir);
    await spool.append(entriesOf(0, 2));
    failNextWrite(stored);
    await expect(spool.form(LIMITS)).rejects.toMatchObject({ code: 'full' });
    await spool.append([entryOf(2)]);
    const formed = await spool.form(LIMITS);
    expect(formed).toMatchObject({ seq: 1, ids: [0, 1, 2] });
    await spool.close();
    expect(await (await levelSpool(dir)).formed()).toEqual([formed]);
  });

  it('leaves a batch under way when its end could not be noted, to be ended again', async () => {
    const dir = await temporaryFolder();
    const spool = await levelSpool(dir);
    await spool.append(entriesOf(0, 3));
    await spool.form(LIMITS);
    failNextWrite(stored);
    const fates = { parked: [1], refused: [{ id: 2, reason: 3 }] };
    await expect(spool.settle(1, fates)).rejects.toMatchObject({ code: 'full' });
    expect(spool.depth().entries).toBe(3);
    await spool.settle(1, fates);
    expect(spool.depth().entries).toBe(1);
    await spool.close();
    const after = await levelSpool(dir);
    expect(after.depth()).toMatchObject({ entries: 1, parked: 1, refused: 1 });
  });

  it('ends a batch as it was first to be ended, on disk as in memory, though asked otherwise the second time', async () => {
    const dir = await temporaryFolder();
    const spool = await levelSpool(dir);
    await spool.append(entriesOf(0, 3));
    await spool.form(LIMITS);
    failNextWrite(stored);
    const first = { parked: [0], refused: [1, 2].map((id) => ({ id, reason: 3 })) };
    await expect(spool.settle(1, first)).rejects.toMatchObject({ code: 'full' });
    await spool.settle(1, { parked: [1, 2], refused: [] });
    const depth = spool.depth();
    expect(depth).toMatchObject({ entries: 1, parked: 1, refused: 2 });
    expect((await spool.recall(LIMITS))?.ids).toEqual([0]);
    expect(await refusedOf(spool)).toEqual([1, 2].map((id) => ({ reason: 3, entry: entryOf(id) })));
    await spool.close();
    expect((await levelSpool(dir)).depth()).toEqual({ ...depth, parked: 0 }); // recalled
  });

  it('leaves nothing of a batch under a number that was not given after all, though the next goes past it', async () => {
    const dir = await temporaryFolder();
    const spool = await levelSpool(dir);
    await spool.append(entriesOf(0, 2));
    await spool.form(LIMITS);
    failNextWrite(stored);
    await expect(spool.renumber(1)).rejects.toMatchObject({ code: 'full' });
    const again = await spool.renumber(1, 2);
    expect(again.seq).toBe(3);
    await spool.close();
    const after = await levelSpool(dir);
    expect(await after.formed()).toEqual([again]);
    await after.settle(3, NO_FATES);
    await after.close();
    expect((await levelSpool(dir)).depth()).toMatchObject({ entries: 0 });
  });

  it.each(['form', 'recall'] as const)(
    'leaves nothing of a batch that could not be made (%s), though another goes past its number meanwhile',
    async (making) => {
      const dir = await temporaryFolder();
      const spool = await levelSpool(dir);
      await spool.append(entriesOf(0, 6));
      await spool.form(LIMITS);
      if (making === 'recall') {
        await spool.form(LIMITS);
        await spool.settle(2, { parked: [3, 4, 5], refused: [] });
      }
      failNextWrite(stored);
      await expect(spool[making](LIMITS)).rejects.toMatchObject({ code: 'full' });
      const other = await spool.renumber(1, 4);
      const made = await spool[making](LIMITS);
      expect(made).toMatchObject({ seq: other.seq + 1, ids: [3, 4, 5] });
      await spool.settle(other.seq + 1, NO_FATES);
      await spool.close();
      expect(await (await levelSpool(dir)).formed()).toEqual([other]);
    },
  );

  it('ends a batch that could not be renumbered under either number', async () => {
    const dir = await temporaryFolder();
    const spool = await levelSpool(dir);
    await spool.append(entriesOf(0, 2));
    await spool.form(LIMITS);
    failNextWrite(stored);
    await expect(spool.renumber(1)).rejects.toMatchObject({ code: 'full' });
    await spool.settle(1, NO_FATES);
    await spool.close();
    expect(await (await levelSpool(dir)).formed()).toEqual([]);
  });
});

describe('a folder that cannot be a spool', () => {
  it('says "locked" while another has it open, and says where', async () => {
    const dir = await temporaryFolder();
    await levelSpool(dir);
    const again = openLevelSpool(dir, WRITER_ID);
    await expect(again).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(dir) as string,
    });
  });

  it('says "foreign" for another writer’s spool and for another database', async () => {
    const dir = await temporaryFolder();
    await (await levelSpool(join(dir, 'spool'))).close();
    const other = new Uint8Array(16).fill(8);
    await expect(openLevelSpool(join(dir, 'spool'), other)).rejects.toMatchObject({
      code: 'foreign',
      message: expect.stringContaining('put back the key') as string,
    });
    const db = new Level(join(dir, 'other'));
    await db.put('some', 'thing');
    await db.close();
    await expect(openLevelSpool(join(dir, 'other'), WRITER_ID)).rejects.toMatchObject({ code: 'foreign' });
  });

  it('says "damaged" when its files are not level’s, or an entry of a batch is gone', async () => {
    const dir = await temporaryFolder();
    await mkdir(join(dir, 'junk'));
    await writeFile(join(dir, 'junk', 'CURRENT'), 'junk');
    await expect(openLevelSpool(join(dir, 'junk'), WRITER_ID)).rejects.toMatchObject({ code: 'damaged' });
    const spool = await levelSpool(join(dir, 'spool'));
    await spool.append([entryOf(0)]);
    await spool.form(LIMITS);
    await spool.close();
    const db = new Level<Uint8Array, Uint8Array>(join(dir, 'spool'), { keyEncoding: 'view' });
    await db.del(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0));
    await db.close();
    await expect(openLevelSpool(join(dir, 'spool'), WRITER_ID)).rejects.toMatchObject({ code: 'damaged' });
  });

  it('says "permission" for a folder it may not read', async () => {
    leaveRoot();
    const dir = await temporaryFolder();
    onTestFinished(() => chmod(dir, 0o700));
    await (await levelSpool(dir)).close();
    await chmod(dir, 0o000);
    await expect(openLevelSpool(dir, WRITER_ID)).rejects.toMatchObject({ code: 'permission' });
  });
});
