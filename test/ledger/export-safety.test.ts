/** An export that is cut short, disturbed, or meets another one: the next makes the folder whole, and no newer log is lost. */
import { cp, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Level } from 'level';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EXPORT_DISK, type ExportDisk } from '../../ledger/export/export-folder.js';
import { exportLog } from '../../ledger/export/export-log.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { filesIn } from '../../ledger/readers/reader-folder.js';
import { verifyFolder } from '../../ledger/verify/verify-folder.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { batchOf, ledgerDeps, logSigner, noticeItem, officer, temporaryFolder } from './deployment.js';

async function grow(ledger: Ledger, count: number): Promise<void> {
  const from = ledger.status().size;
  const items = Array.from({ length: count }, (_, i) => noticeItem(`${from + i}`));
  for (let at = 0; at < count; at += 256)
    await ledger.submit(batchOf(officer, from + at, items.slice(at, at + 256)));
}

async function ledgerOf(size: number): Promise<Ledger> {
  const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
  onTestFinished(() => ledger.close());
  await grow(ledger, size);
  return ledger;
}

const sizeOf = async (dir: string) => (await verifyFolder(dir, logSigner)).checkpoint.size;

async function copyOf(dir: string): Promise<string> {
  const copy = join(await temporaryFolder(), 'copy');
  await cp(dir, copy, { recursive: true });
  return copy;
}

/** The real disk: what was done to which file, and a call that fails, before it took effect or after. */
function watchedDisk(dir: string, failing = -1, tookEffect = false) {
  const calls: string[] = [];
  const call = async (name: string, path: string, work: () => Promise<void>): Promise<void> => {
    const isFailing = calls.push(`${name} ${path.slice(dir.length + 1)}`) === failing + 1;
    if (!isFailing || tookEffect) await work();
    if (isFailing) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  };
  const disk: ExportDisk = {
    writeSynced: (file, bytes) => call('write', file, () => EXPORT_DISK.writeSynced(file, bytes)),
    rename: (from, to) => call('rename', to, () => EXPORT_DISK.rename(from, to)),
    syncFolder: (folder) => call('sync', folder, () => EXPORT_DISK.syncFolder(folder)),
  };
  return { disk, calls };
}

describe('an export', () => {
  test('syncs each file before it is named, and every name before the checkpoint', async () => {
    const ledger = await ledgerOf(600);
    const dir = join(await temporaryFolder(), 'out');
    const { disk, calls } = watchedDisk(dir);
    await exportLog(ledger.reader(), dir, logSigner, { disk });
    const at = (call: string): number => {
      expect(calls, call).toContain(call);
      return calls.indexOf(call);
    };
    const files = await filesIn(dir);
    expect(files).toHaveLength(8);
    for (const path of files) {
      expect(at(`write ${path}.new`)).toBeLessThan(at(`rename ${path}`));
      for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
        expect(at(`sync ${folder}`)).toBeGreaterThan(at(`rename ${path}`));
        expect(at(`sync ${folder}`)).toBeLessThan(at('write checkpoint.new'));
      }
    }
    expect(at('sync ')).toBeLessThan(at('write checkpoint.new'));
    expect(calls.lastIndexOf('sync ')).toBeGreaterThan(at('rename checkpoint'));
  });

  test('whose disk fails at any call says so, and the next one makes the folder whole', async () => {
    const ledger = await ledgerOf(250);
    const before = await temporaryFolder();
    const reader = ledger.reader();
    await exportLog(reader, before, logSigner);
    await grow(ledger, 20);
    const first = await copyOf(before);
    const { disk: whole, calls } = watchedDisk(first);
    await exportLog(reader, first, logSigner, { disk: whole });
    expect(calls.length).toBeGreaterThan(20);
    for (const failing of calls.keys())
      for (const tookEffect of [false, true]) {
        const dir = await copyOf(before);
        const { disk } = watchedDisk(dir, failing, tookEffect);
        await expect(exportLog(reader, dir, logSigner, { disk })).rejects.toMatchObject({ code: 'input' });
        expect((await filesIn(dir)).filter((path) => path.startsWith('export.lock'))).toEqual([]);
        await exportLog(reader, dir, logSigner);
        expect(await sizeOf(dir), calls[failing]).toBe(270);
      }
  });

  test.each([
    ['tile/0/000', 0],
    ['tile/0/001', 8191],
    ['tile/1/000.p/2', 1],
    ['tile/entries/001', 0],
    ['tile/entries/001', 4096],
    ['tile/0/002.p/11', 7],
    ['tile/entries/002.p/11', 7],
    ['checkpoint', 0],
    ['checkpoint', 5],
    ['checkpoint', 60],
    ['checkpoint', 'zeros'],
    ['tile/0/001', 'gone'],
  ] as const)('that left %s with %j bytes is mended by the next', async (path, length) => {
    const ledger = await ledgerOf(523);
    const dir = await temporaryFolder();
    await exportLog(ledger.reader(), dir, logSigner);
    await grow(ledger, 77);
    await exportLog(ledger.reader(), dir, logSigner);
    if (length === 'gone') await rm(join(dir, path));
    else if (length === 'zeros') await writeFile(join(dir, path), Buffer.alloc(180));
    else await truncate(join(dir, path), length);
    await expect(verifyFolder(dir, logSigner)).rejects.toHaveProperty('code');
    const { written } = await exportLog(ledger.reader(), dir, logSigner);
    expect(await sizeOf(dir)).toBe(600);
    if (path !== 'checkpoint') expect(written).toBe(1);
  });

  test('that was killed leaves what the next removes', async () => {
    const ledger = await ledgerOf(30);
    const dir = await temporaryFolder();
    await exportLog(ledger.reader(), dir, logSigner);
    const lock = new Level(join(dir, 'export.lock'));
    await lock.open();
    await lock.close();
    await mkdir(join(dir, 'tile/0/000.p'), { recursive: true });
    await writeFile(join(dir, 'tile/0/000.p/40.new'), 'half writ');
    await writeFile(join(dir, 'checkpoint.new'), 'half');
    await expect(sizeOf(dir)).rejects.toThrow('export again');
    await grow(ledger, 10);
    await exportLog(ledger.reader(), dir, logSigner);
    expect(await sizeOf(dir)).toBe(40);
  });

  test('ends when it is told to, and the next goes on', async () => {
    const ledger = await ledgerOf(600);
    const dir = await temporaryFolder();
    const stop = new AbortController();
    const reader: LedgerReader = {
      ...ledger.reader(),
      checkpoint: async () => {
        stop.abort(new Error('told to'));
        return ledger.reader().checkpoint();
      },
    };
    const exporting = exportLog(reader, dir, logSigner, { signal: stop.signal });
    await expect(exporting).rejects.toThrow('told to');
    expect(await filesIn(dir)).toEqual([]);
    await exportLog(ledger.reader(), dir, logSigner);
    expect(await sizeOf(dir)).toBe(600);
  });

  test('puts nothing into a folder of something else', async () => {
    const ledger = await ledgerOf(1);
    const dir = await temporaryFolder();
    await writeFile(join(dir, 'letters.txt'), 'dear');
    await expect(exportLog(ledger.reader(), dir, logSigner)).rejects.toMatchObject({ code: 'exists' });
    expect(await filesIn(dir)).toEqual(['letters.txt']);
  });
});

describe('two exports into one folder', () => {
  test('of one machine: the second is told to wait', async () => {
    const ledger = await ledgerOf(600);
    const dir = await temporaryFolder();
    const reader = ledger.reader();
    const ends = await Promise.allSettled([1, 2, 3].map(() => exportLog(reader, dir, logSigner)));
    const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    expect(reasons).toHaveLength(2);
    for (const reason of reasons) expect(reason).toMatchObject({ code: 'locked' });
    expect(await sizeOf(dir)).toBe(600);
  });

  test('that do not see one lock: the older checkpoint is not put over the newer', async () => {
    const ledger = await ledgerOf(100);
    const [dir, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
    await exportLog(ledger.reader(), dir, logSigner);
    await grow(ledger, 100);
    const older = await ledger.reader().checkpoint();
    await grow(ledger, 100);
    await exportLog(ledger.reader(), elsewhere, logSigner);
    const slow: LedgerReader = {
      ...ledger.reader(),
      checkpoint: async () => older,
      entryBundle: async (index, width) => {
        await cp(elsewhere, dir, { recursive: true });
        return ledger.reader().entryBundle(index, width);
      },
    };
    await expect(exportLog(slow, dir, logSigner)).rejects.toMatchObject({ code: 'busy' });
    await exportLog(ledger.reader(), dir, logSigner);
    expect(await sizeOf(dir)).toBe(300);
  });
});
