/** The head file of a ledger's folder: made once with the folder, and missed from then on. */
import { cpSync, existsSync } from 'node:fs';
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger/ledger.js';
import { NODE_DISK, type Disk } from '../../ledger/store/disk.js';
import { SLOT_BYTES } from '../../ledger/store/head-slot.js';
import { batchOf, ledgerDeps, noticeItem, officer, pruningItem, temporaryFolder } from './deployment.js';
import { requireSound } from './faults/sound.js';
import { checkFolder, foundIn } from './fsck-folder.js';

const headOf = (dir: string): string => join(dir, 'head');
const LOST: readonly (readonly [string, (dir: string) => Promise<void>])[] = [
  ['is gone', (dir) => rm(headOf(dir))],
  ['is empty', (dir) => truncate(headOf(dir))],
  ['is zeros', (dir) => writeFile(headOf(dir), Buffer.alloc(2 * SLOT_BYTES))],
];

/** A stopped ledger with two entries, or with a batch that it only refused. */
async function stoppedLedger(refused = false): Promise<string> {
  const dir = await temporaryFolder();
  const ledger = await openLedger(ledgerDeps(dir));
  const items = refused ? [pruningItem(20_000)] : [noticeItem('a'), noticeItem('b')];
  await ledger.submit(batchOf(officer, 0, items));
  expect(ledger.status().size).toBe(refused ? 0 : 2);
  await ledger.close();
  return dir;
}

describe('a ledger whose head file', () => {
  test.each(LOST)('%s does not start, and fsck says so', async (_how, lose) => {
    for (const refused of [false, true]) {
      const dir = await stoppedLedger(refused);
      await lose(dir);
      expect(foundIn(await checkFolder(dir))).toEqual([
        expect.stringMatching(/^damage files head .*ledger head --data-dir DIR/),
      ]);
      for (let attempt = 0; attempt < 2; attempt++)
        await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({
          code: 'damaged',
          message: expect.stringContaining(
            `${headOf(dir)}, which tells how far the ledger has answered, is lost`,
          ) as string,
        });
    }
  });

  test.each(LOST)('%s does not start either when only its journal has entries', async (_how, lose) => {
    const dir = await temporaryFolder();
    await (await openLedger(ledgerDeps(dir))).close();
    const empty = await temporaryFolder();
    await cp(join(dir, 'store'), join(empty, 'store'), { recursive: true });
    const ledger = await openLedger(ledgerDeps(dir));
    await ledger.submit(batchOf(officer, 0, [noticeItem('a')]));
    const journal = await readFile(join(dir, 'journal-0'));
    await ledger.close();
    await cp(dir, empty, { recursive: true, filter: (path) => !path.includes('store') });
    await writeFile(join(empty, 'journal-0'), journal);
    await lose(empty);
    await expect(openLedger(ledgerDeps(empty))).rejects.toMatchObject({ code: 'damaged' });
    expect((await readFile(join(empty, 'journal-0'))).equals(journal)).toBe(true);
  });
});

/** The real disk; `before` is told what it is about to do. */
function watchedDisk(before: (call: string) => void): Disk {
  const names = new Map<number, string>();
  const named = (call: string, fd: number): void => before(`${call} ${names.get(fd)}`);
  return {
    ...NODE_DISK,
    open: (path, flags, mode) => {
      before(`open ${basename(path)}`);
      const fd = NODE_DISK.open(path, flags, mode);
      names.set(fd, basename(path));
      return fd;
    },
    write: (fd, piece) => {
      named('write', fd);
      return NODE_DISK.write(fd, piece);
    },
    truncate: (fd) => {
      named('truncate', fd);
      NODE_DISK.truncate(fd);
    },
    sync: async (fd) => {
      named('begin to sync', fd);
      await NODE_DISK.sync(fd);
      named('have synced', fd);
    },
    database: (location, options) => {
      const db = NODE_DISK.database(location, options);
      const batch = db.batch.bind(db) as unknown as (...args: unknown[]) => Promise<void>;
      db.batch = (async (...args: unknown[]) => {
        before('begin a batch');
        await batch(...args);
        before('end a batch');
      }) as never;
      return db;
    },
  };
}

describe('a new folder', () => {
  test('has its head file on the disk, and then its name, before the first entry is taken', async () => {
    const dir = await temporaryFolder();
    const calls: string[] = [];
    const disk = watchedDisk((call) => void calls.push(call));
    const ledger = await openLedger(ledgerDeps(dir, { storeTuning: { disk } }));
    const [written, synced, folder] = [
      'write head',
      'have synced head',
      `begin to sync ${basename(dir)}`,
    ].map((call) => calls.indexOf(call));
    expect(written).toBeGreaterThan(-1);
    expect(synced).toBeGreaterThan(written as number);
    expect(folder).toBeGreaterThan(synced as number);
    await ledger.close();
  });

  test('opens wherever it was killed while it was made', async () => {
    const dir = await temporaryFolder();
    const copies: string[] = [];
    const disk = watchedDisk(() => {
      const copy = `${dir}-${copies.length}`;
      cpSync(dir, copy, { recursive: true });
      copies.push(copy);
    });
    const ledger = await openLedger(ledgerDeps(dir, { storeTuning: { disk } }));
    const made = copies.slice();
    await ledger.close();
    expect(made.some((copy) => !existsSync(headOf(copy)))).toBe(true);
    for (const copy of made) {
      const again = await openLedger(ledgerDeps(copy));
      await again.submit(batchOf(officer, 0, [noticeItem('a')]));
      expect(again.status().size).toBe(1);
      await again.close();
      await requireSound(copy);
    }
    expect(made.length).toBeGreaterThan(8);
    for (const copy of copies) await rm(copy, { recursive: true });
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(2 * SLOT_BYTES)],
    ['half of the first slot written', Buffer.alloc(2 * SLOT_BYTES).fill('FBH2', SLOT_BYTES, 1500)],
  ])('opens when the power was cut while its head file held %s', async (_what, bytes) => {
    const dir = await temporaryFolder();
    await (await openLedger(ledgerDeps(dir))).close();
    await writeFile(headOf(dir), bytes);
    expect((await checkFolder(dir)).findings.damageCount).toBe(0);
    const ledger = await openLedger(ledgerDeps(dir));
    expect(ledger.status().size).toBe(0);
    await ledger.close();
    await requireSound(dir);
  });
});
