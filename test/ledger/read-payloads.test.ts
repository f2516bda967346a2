/** Payloads asked for in any order, however they lie: the right ones, through few descriptors. */
import fc from 'fast-check';
import { statSync } from 'node:fs';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveLedgerHttp } from '../../ledger/http/server.js';
import { openLedger } from '../../ledger/ledger.js';
import { openLedgerFolder } from '../../ledger/readers/reader-level.js';
import { openLedgerReaderHttp } from '../../ledger/readers/reader-http.js';
import { NODE_DISK, type Disk } from '../../ledger/store/disk.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { asUnixMs } from '../../protocol/brands.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { bytesOf, type LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { undamagedPayloads } from '../../protocol/tlog/undamaged-payloads.js';
import { silentLog } from '../../protocol/log.js';
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
  reportItem,
  signerOf,
  temporaryFolder,
} from './deployment.js';

/** The real disk, and how many files of payloads are open at once. */
function countingDisk() {
  const [open, most] = [new Set<number>(), { open: 0 }];
  const disk: Disk = {
    ...NODE_DISK,
    open: (path, flags, mode) => {
      const fd = NODE_DISK.open(path, flags, mode);
      if (basename(dirname(path)) === 'payloads') open.add(fd);
      most.open = Math.max(most.open, open.size);
      return fd;
    },
    close: (fd) => {
      open.delete(fd);
      NODE_DISK.close(fd);
    },
  };
  return { disk, most };
}

/** A ledger opened anew on payloads of three files: some in rows of their own, some in rows of many. */
async function stage() {
  const dir = await temporaryFolder();
  const first = await openLedger(ledgerDeps(dir));
  const gateway = signerOf('gateway');
  const post = async (writer: typeof issuer, seq: number, given: BatchItem[]) => {
    const batch = batchOf(writer, seq, given);
    const { outcomes } = openReceipt(await first.submit(batch), batch);
    expect(outcomes.every(({ reason }) => reason === 0)).toBe(true);
  };
  const items = [certificateItem(gateway)];
  await post(issuer, 1, items);
  for (let n = 0; n < 150; n++) {
    const item =
      n % 5 === 4 ? reportItem(gateway, asUnixMs(NOW_MS + (n % 2) * 86_400_000)) : noticeItem(`${n}`);
    items.push(item);
    await post(n % 5 === 4 ? gateway : officer, n, [item]);
    await first.reader().entryBundle(0, 1); // as if time went by: rows of their own
  }
  const many = Array.from({ length: 400 }, (_, n) => noticeItem(`many ${n}`));
  items.push(...many);
  for (let n = 0; n < 4; n++) await post(officer, 500 + n, many.slice(n * 100, n * 100 + 100));
  await first.close();
  const { disk, most } = countingDisk();
  const ledger = await openLedger(ledgerDeps(dir, { storeTuning: { disk } }));
  onTestFinished(() => ledger.close());
  return { reader: ledger.reader(), payloads: items.map(({ payload }) => payload), most };
}

test('payloads are read in the order asked, whatever is between them, by a few descriptors for all readers', async () => {
  const { reader, payloads, most } = await stage();
  const unknown = Buffer.from('never stored');
  const read = async (picked: readonly number[]) => {
    const wanted = picked.map((n) => payloads[n] ?? unknown);
    const found = await reader.payloads(wanted.map((payload) => sha256(payload)));
    const stored = wanted.map((payload) => (payload === unknown ? undefined : Buffer.from(payload)));
    expect(found.map(bytesOf).map((bytes) => bytes && Buffer.from(bytes))).toEqual(stored);
  };
  most.open = 0;
  const some = fc.array(fc.nat({ max: payloads.length }), { maxLength: 256 });
  const readers = fc.asyncProperty(fc.array(some, { maxLength: 9 }), async (all) => {
    await Promise.all(all.map(read));
  });
  await fc.assert(readers, { numRuns: 30 });
  const apart = payloads.flatMap((_, n) => (n % 3 === 0 ? [n] : []));
  await Promise.all(Array.from({ length: 9 }, () => read(apart)));
  expect(most.open).toBeGreaterThan(0);
  expect(most.open).toBeLessThanOrEqual(4);
});

/** Entries 0 to 39 in rows of ten; `alter` changes the file that holds them. */
async function damagedStage(alter: (file: Buffer) => void) {
  const dir = await temporaryFolder();
  const first = await openLedger(ledgerDeps(dir));
  const items = Array.from({ length: 40 }, (_, n) => noticeItem(`notice ${n}`));
  for (let n = 0; n < 4; n++) {
    await first.submit(batchOf(officer, n, items.slice(10 * n, 10 * n + 10)));
    await first.reader().entryBundle(0, 1); // as if time went by
  }
  await first.close();
  const path = join(dir, 'payloads', 'kept');
  const file = await readFile(path);
  alter(file);
  await writeFile(path, file);
  const ledger = await openLedger(ledgerDeps(dir));
  onTestFinished(() => ledger.close());
  const [token, errors] = ['token', [] as unknown[]];
  const log = { ...silentLog, error: (...words: unknown[]) => void errors.push(words) };
  const http = await serveLedgerHttp({ reader: ledger.reader(), port: 0, payloadToken: token, log });
  onTestFinished(() => http.close());
  const readers = [ledger.reader(), openLedgerReaderHttp({ url: http.url, token })];
  return { dir, ledger, readers, errors, payloads: items.map(({ payload }) => payload) };
}

test.each([
  ['of other bytes', (file: Buffer, at: number) => file.writeUInt8(file.readUInt8(at) ^ 1, at)],
  ['with a length that leads nowhere', (file: Buffer, at: number) => file.writeUInt8(255, at - 4)],
  [
    'amid a page of zeros',
    (file: Buffer, at: number) => file.fill(0, at - 3 * RECORD - 10, at + 7 * RECORD - 10),
  ],
])('a payload %s is said to be damaged, here and over HTTP, and how to look', async (_what, alter) => {
  const { readers, errors, payloads } = await damagedStage((file) => alter(file, file.indexOf(payloads13)));
  for (const reader of readers) {
    const few = payloads.slice(1).map((payload) => sha256(payload));
    await expect(reader.payloads(few)).rejects.toMatchObject({
      code: 'damaged-payload',
      message: expect.stringContaining('firebreak ledger fsck --data-dir DIR') as string,
    });
    const [sound] = await reader.payloads([sha256(payloads[31] ?? new Uint8Array())]);
    expect(Buffer.from(bytesOf(sound) ?? [])).toEqual(Buffer.from(payloads[31] ?? []));
  }
  expect(JSON.stringify(errors)).toContain('firebreak ledger fsck');
});

const payloads13 = Buffer.from(noticeItem('notice 13').payload);
/** Of each record in the row of entry 13: ten such are read as records of length 0 where all is zeros. */
const RECORD = 10 + payloads13.length;

describe.each([
  ['that was cut short', (path: string) => truncate(path, Math.floor(statSync(path).size * 0.6)), 24],
  ['that was deleted', (path: string) => rm(path), 0],
])('of a file of payloads %s', (_what, harm, whole) => {
  const named = {
    code: 'damaged-payload',
    message: expect.stringMatching(
      `^payloads/kept is cut short or gone: .* entry ${whole} and on .* firebreak ledger fsck --data-dir DIR`,
    ) as string,
  };
  const all = Array.from({ length: 40 }, (_, n) => Buffer.from(noticeItem(`notice ${n}`).payload));
  const hashes = all.map((payload) => sha256(payload));
  const requireRest = async (reader: LedgerReader) => {
    const { payloads, damaged } = await undamagedPayloads(reader, hashes);
    const found = payloads.flatMap((one) => (one instanceof Uint8Array ? [Buffer.from(one)] : []));
    expect(found).toEqual(all.slice(0, whole));
    expect(damaged).toEqual(Array.from({ length: 40 - whole }, (_, k) => whole + k));
  };

  test('readers of a ledger that runs, here and over HTTP, get what is before the cut, and the rest is damaged', async () => {
    const { dir, ledger, readers, errors } = await damagedStage(() => undefined);
    await harm(join(dir, 'payloads', 'kept'));
    for (const reader of readers) await requireRest(reader);
    await expect(readers[0]?.payloads(hashes)).rejects.toMatchObject(named);
    expect(JSON.stringify(errors)).toContain('payloads/kept is cut short or gone');
    await ledger.close();
  });

  test('readers of the folder do too, and the ledger itself does not start on it', async () => {
    const { dir, ledger } = await damagedStage(() => undefined);
    await ledger.close();
    await harm(join(dir, 'payloads', 'kept'));
    const identity = { origin: logSigner.name, logPublicKey: logSigner.publicKey };
    const reader = await openLedgerFolder(dir, identity);
    await requireRest(reader);
    await expect(reader.payloads(hashes)).rejects.toMatchObject(named);
    await reader.close();
    await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('payloads/kept') as string,
    });
  });
});

test('of records that are damaged, the first is named', async () => {
  const ruin = (file: Buffer, n: number) =>
    file.writeUInt8(255, file.indexOf(Buffer.from(noticeItem(`notice ${n}`).payload)) - 4);
  const { readers, payloads } = await damagedStage((file) => [13, 33].map((n) => ruin(file, n)));
  const wanted = [13, 33].map((n) => sha256(payloads[n] ?? new Uint8Array()));
  await expect(readers[0]?.payloads(wanted)).rejects.toMatchObject({
    message: expect.stringContaining('stored for entry 13 and on') as string,
  });
});
