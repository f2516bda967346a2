/** The files that hold payloads: what is taken lies where it was to lie, also a second time, and goes as a whole. */
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger/ledger.js';
import { NODE_DISK, type Disk } from '../../ledger/store/disk.js';
import { openPayloadFiles, type PayloadFiles } from '../../ledger/store/payload-files.js';
import { KEPT_DAY, payloadKey, segmentKey } from '../../ledger/store/store-keys.js';
import {
  decodePayloadPlace,
  decodePayloadSegment,
  encodePayloadSegment,
  joinPayloadRows,
} from '../../ledger/store/store-payloads.js';
import { batchOf, ledgerDeps, noticeItem, officer, temporaryFolder } from './deployment.js';

/** A row of a frame for `count` payloads of a day, from entry `first` on. */
function rowFor(files: PayloadFiles, day: number, first: number, count: number) {
  const payloads = Array.from({ length: count }, (_, i) => ({
    index: first + i,
    payload: Buffer.alloc(20 + i, first + i),
  }));
  const length = encodePayloadSegment(0, payloads).length - 6;
  return {
    key: payloadKey(day, first),
    value: encodePayloadSegment(files.reserve(day, length), payloads),
  };
}

const indexesAt = (files: PayloadFiles, day: number, row: Uint8Array | undefined) =>
  files.reading(day, async (read) => {
    const records = await read(decodePayloadPlace(row ?? new Uint8Array(0)));
    return decodePayloadSegment(records).map(({ index }) => index);
  });

describe('files of payloads', () => {
  test('hold each day apart, and are the same when everything is written again', async () => {
    const dir = await temporaryFolder();
    const files = openPayloadFiles(dir);
    const rows = [
      rowFor(files, 20_000, 0, 3),
      { key: segmentKey(0), value: Buffer.of(1) },
      rowFor(files, KEPT_DAY, 3, 2),
      rowFor(files, 20_000, 5, 1),
    ];
    const taken = await files.take(rows);
    expect(taken.map(({ key }) => key)).toEqual(rows.map(({ key }) => key));
    expect(taken[1]).toEqual(rows[1]);
    await files.sync();
    const read = (name: string) => readFile(join(dir, 'payloads', name));
    const before = [await read('20000'), await read('kept')];
    await files.take(rows.slice(2));
    await files.take(rows);
    expect([await read('20000'), await read('kept')]).toEqual(before);
    expect(await indexesAt(files, 20_000, taken[0]?.value)).toEqual([0, 1, 2]);
    expect(await indexesAt(files, KEPT_DAY, taken[2]?.value)).toEqual([3, 4]);
    expect(await indexesAt(files, 20_000, taken[3]?.value)).toEqual([5]);
    await files.close();
  });

  test('take small rows joined as they take them one by one', async () => {
    const [one, joined] = [openPayloadFiles(await temporaryFolder()), await temporaryFolder()];
    const rows = [0, 1, 2, 3, 4, 5].map((n) => rowFor(one, n % 2 === 0 ? 20_000 : 20_001, n, 1));
    await one.take(rows);
    const files = openPayloadFiles(joined);
    const taken = await files.take(joinPayloadRows(rows));
    expect(taken).toHaveLength(2);
    expect(await indexesAt(files, 20_000, taken[0]?.value)).toEqual([0, 2, 4]);
    expect(await indexesAt(files, 20_001, taken[1]?.value)).toEqual([1, 3, 5]);
    expect(files.size(20_000)).toBe(one.size(20_000));
    await Promise.all([one.close(), files.close()]);
  });

  test('are more than may be open at once', async () => {
    const dir = await temporaryFolder();
    const files = openPayloadFiles(dir);
    await files.take(Array.from({ length: 150 }, (_, n) => rowFor(files, 20_000 + n, n, 1)));
    expect(await readdir(join(dir, 'payloads'))).toHaveLength(150);
    await files.sync();
    await files.close();
  });

  test('go as a whole, and may go twice', async () => {
    const dir = await temporaryFolder();
    const files = openPayloadFiles(dir);
    const [row] = await files.take([rowFor(files, 20_000, 0, 3)]);
    for (let n = 0; n < 2; n++) await files.remove(20_000);
    expect(await readdir(join(dir, 'payloads'))).toEqual([]);
    expect(await indexesAt(files, 20_000, row?.value)).toEqual([]);
    await files.close();
  });

  test('that go are synced every few MB, so that no commit waits for a whole day', async () => {
    const dir = await temporaryFolder();
    const [written, MB] = [[0], 2 ** 20];
    const disk: Disk = {
      ...NODE_DISK,
      writeAsync: async (fd, piece) => {
        const bytes = await NODE_DISK.writeAsync(fd, piece);
        written.push((written.pop() ?? 0) + bytes);
        return bytes;
      },
      sync: async (fd) => void (await NODE_DISK.sync(fd), written.push(0)),
    };
    const files = openPayloadFiles(dir, disk);
    await writeFile(join(dir, 'payloads', '20000'), Buffer.alloc(9 * MB + 1, 7));
    await files.remove(20_000);
    expect(written.filter((bytes) => bytes > 0)).toEqual([4 * MB, 4 * MB, MB + 1]);
    expect(written.at(-1)).toBe(0);
    expect(await readdir(join(dir, 'payloads'))).toEqual([]);
    await files.close();
  });
});

test('a ledger does not open when a file of payloads has lost its end', async () => {
  const dir = await temporaryFolder();
  const ledger = await openLedger(ledgerDeps(dir));
  await ledger.submit(batchOf(officer, 1, [noticeItem('a'), noticeItem('b')]));
  await ledger.close();
  const path = join(dir, 'payloads', 'kept');
  await truncate(path, (await readFile(path)).length - 1);
  await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringContaining('payloads/kept') as string,
  });
});
