import { cp, mkdir, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { describe, expect, test } from 'vitest';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { FORMAT_VERSION } from '../../ledger/store/store-rows.js';
import { openLedger } from '../../ledger/ledger.js';
import { openLedgerFolder } from '../../ledger/readers/reader-level.js';
import { verifyLog } from '../../ledger/verify/verify.js';
import { asUnixMs } from '../../protocol/brands.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { entriesOf } from '../../protocol/tlog/tile.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  logSigner,
  noticeItem,
  NOW_MS,
  officer,
  openReceipt,
  ORIGIN,
  reportItem,
  signerOf,
  standingClock,
  temporaryFolder,
} from './deployment.js';

const identity = { origin: ORIGIN, logPublicKey: logSigner.publicKey };

/** A closed ledger of `batches` batches of 50 entries. */
async function filledFolder(batches: number): Promise<string> {
  const dir = await temporaryFolder();
  const ledger = await openLedger(ledgerDeps(dir));
  for (let seq = 1; seq <= batches; seq++) {
    await ledger.submit(
      batchOf(
        officer,
        seq,
        Array.from({ length: 50 }, (_, i) => noticeItem(`${seq}/${i}`)),
      ),
    );
  }
  await ledger.close();
  return dir;
}

/** Does something with the format row of a closed ledger, and keeps it. */
async function withFormatRow(dir: string, use: (row: Buffer) => unknown): Promise<void> {
  const store = new Level<string, Buffer>(join(dir, 'store'), { valueEncoding: 'buffer' });
  const row = Buffer.from(await store.get('f'));
  use(row);
  await store.put('f', row);
  await store.close();
}

const storeFile = async (dir: string, ending: string): Promise<string> => {
  const name = (await readdir(join(dir, 'store'))).find((file) => file.endsWith(ending));
  return join(dir, 'store', name ?? ending);
};

describe('a ledger opened again', () => {
  test('goes on where it was: size, chain, registry, counters and receipts', async () => {
    const dir = await temporaryFolder();
    const gateway = signerOf('gateway one');
    const report = reportItem(gateway);
    const first = await openLedger(ledgerDeps(dir));
    await first.submit(batchOf(issuer, 1, [certificateItem(gateway)]));
    const batch = batchOf(gateway, 1, [report, reportItem(gateway)]);
    const receipt = await first.submit(batch);
    const { size, counters, lastAppendedMs } = first.status();
    await first.close();

    const second = await openLedger(ledgerDeps(dir));
    expect(second.status()).toMatchObject({ size, counters, lastAppendedMs, gateways: 1 });
    expect(Buffer.from(await second.submit(batch))).toEqual(Buffer.from(receipt));
    const more = batchOf(gateway, 2, [report, reportItem(gateway)]);
    expect(openReceipt(await second.submit(more), more).outcomes.map(({ index }) => index)).toEqual([1, 3]);
    expect((await verifyLog(second.reader(), logSigner, { payloads: true })).payloads).toBe(4);
    await second.close();
  });

  test.each([1, 255, 256, 257, 511, 512, 700])(
    'verifies at %i entries, opened again after every batch',
    async (size) => {
      const dir = await temporaryFolder();
      for (let at = 0; at < size;) {
        const ledger = await openLedger(ledgerDeps(dir));
        const length = Math.min(size - at, 101);
        await ledger.submit(
          batchOf(
            officer,
            at,
            Array.from({ length }, (_, i) => noticeItem(`${at + i}`)),
          ),
        );
        at += length;
        await ledger.close();
      }
      const reader = await openLedgerFolder(dir, identity);
      expect((await verifyLog(reader, logSigner, { payloads: true })).payloads).toBe(size);
      await reader.close();
    },
  );

  test('never appends at an earlier time than before, when the clock went back', async () => {
    const dir = await temporaryFolder();
    const clock = standingClock(asUnixMs(NOW_MS));
    const ledger = await openLedger(ledgerDeps(dir, { clock }));
    await ledger.submit(batchOf(officer, 1, [noticeItem('a')]));
    clock.set(NOW_MS - 5000);
    await ledger.submit(batchOf(officer, 2, [noticeItem('b')]));
    const entries = entriesOf(await ledger.reader().entryBundle(0, 2), 2).map(
      (entry) => decodeEntry(entry).appendedAtMs,
    );
    expect(entries).toEqual([NOW_MS, NOW_MS]);
    await ledger.close();
  });
});

describe('a folder of the version before', () => {
  test('is opened, and refused by the program of before from then on', async () => {
    const dir = await filledFolder(1);
    await withFormatRow(dir, (row) => row.writeUInt32BE(FORMAT_VERSION - 1, 0));
    await (await openLedger(ledgerDeps(dir))).close();
    await withFormatRow(dir, (row) => expect(row.readUInt32BE(0)).toBe(FORMAT_VERSION));
  });
});

describe('a folder is refused', () => {
  test('while another ledger runs on it, and taken when that one ended', async () => {
    const dir = await temporaryFolder();
    const ledger = await openLedger(ledgerDeps(dir));
    await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`the ledger in ${dir} is open in another process`) as string,
    });
    await ledger.close();
    await (await openLedger(ledgerDeps(dir))).close();
  });

  test('while somebody reads it, without the claim that a ledger runs', async () => {
    const dir = await filledFolder(1);
    const reader = await openLedgerFolder(dir, { origin: ORIGIN, logPublicKey: logSigner.publicKey });
    await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringMatching(/is open in another process: .* or a verify, export or proof/) as string,
    });
    await reader.close();
    await (await openLedger(ledgerDeps(dir))).close();
  });

  test('when it is the ledger of another origin or another log key', async () => {
    const dir = await filledFolder(1);
    const other = { logSigner: noteSigner('other.example/log', logSigner) };
    await expect(openLedger(ledgerDeps(dir, other))).rejects.toMatchObject({ code: 'foreign' });
    const otherKey = { logSigner: noteSigner(ORIGIN, signerOf('another log key')) };
    await expect(openLedger(ledgerDeps(dir, otherKey))).rejects.toMatchObject({ code: 'foreign' });
  });

  test('when a newer version wrote it, or no ledger did', async () => {
    const newer = await filledFolder(1);
    await withFormatRow(newer, (row) => row.writeUInt32BE(FORMAT_VERSION + 1, 0));
    await expect(openLedger(ledgerDeps(newer))).rejects.toMatchObject({
      code: 'foreign',
      message: expect.stringContaining(`format ${FORMAT_VERSION + 1}`) as string,
    });

    const foreign = await temporaryFolder();
    const spool = new Level(join(foreign, 'store'));
    await spool.put('a', 'b');
    await spool.close();
    await expect(openLedger(ledgerDeps(foreign))).rejects.toMatchObject({ code: 'foreign' });
  });

  test('for reading, when there is no ledger in it, and it stays as it was', async () => {
    const dir = await temporaryFolder();
    await expect(openLedgerFolder(dir, identity)).rejects.toMatchObject({ code: 'not-found' });
    expect(await readdir(dir)).toEqual([]);
  });

  test('when the store lost what was answered for: a log cut short, files that are gone', async () => {
    const dir = await filledFolder(3);
    const cut = await temporaryFolder();
    await cp(dir, cut, { recursive: true });
    await truncate(await storeFile(cut, '.log'), 9000);
    await expect(openLedger(ledgerDeps(cut))).rejects.toMatchObject({ code: 'damaged' });

    const empty = await temporaryFolder();
    await cp(dir, empty, { recursive: true });
    await truncate(await storeFile(empty, '.log'), 0);
    await expect(openLedger(ledgerDeps(empty))).rejects.toMatchObject({ code: 'damaged' });

    const gone = await temporaryFolder();
    await cp(dir, gone, { recursive: true });
    await rm(join(gone, 'store', 'CURRENT'));
    await expect(openLedger(ledgerDeps(gone))).rejects.toMatchObject({ code: 'damaged' });
  });

  test('when its last record is altered, or its head file is', async () => {
    const dir = await filledFolder(3);
    const altered = await temporaryFolder();
    await cp(dir, altered, { recursive: true });
    const file = await open(await storeFile(altered, '.log'), 'r+');
    const { size } = await file.stat();
    await file.write(Buffer.from([0x55]), 0, 1, size - 40);
    await file.close();
    await expect(openLedger(ledgerDeps(altered))).rejects.toMatchObject({ code: 'damaged' });

    await writeFile(join(dir, 'head'), Buffer.alloc(256, 7));
    // Of what there is to say more, only fsck can: it opens nothing.
    const told = { code: 'damaged', message: expect.stringContaining('firebreak ledger fsck') as string };
    await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject(told);
    const { findings } = await fsckLedger({ dir, verifier: logSigner });
    expect(findings.kept).toMatchObject([{ kind: 'damage', file: 'head' }]);
  });

  test('but not when its ledger was killed while it was being made', async () => {
    const dir = await temporaryFolder();
    await mkdir(join(dir, 'store'));
    await writeFile(join(dir, 'store', 'LOCK'), '');
    await (await openLedger(ledgerDeps(dir))).close();
  });
});
