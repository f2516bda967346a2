/** What a look into the payload index reads, and what of its rows is believed after a kill and in older folders. */
import { hash } from 'node:crypto';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Database } from '../../ledger/store/database.js';
import { NODE_DISK } from '../../ledger/store/disk.js';
import { storeLocation } from '../../ledger/store/folder.js';
import { openPayloadFiles } from '../../ledger/store/payload-files.js';
import { PayloadIndex } from '../../ledger/store/payload-index.js';
import { filterKey } from '../../ledger/store/store-keys.js';
import { WriteBehind } from '../../ledger/store/write-behind.js';
import { logSigner, ORIGIN, temporaryFolder } from './deployment.js';
import { asOlderFolder } from './older-index.js';

const BUCKET = 7;
const TABLE = 256;
const FILTER = 2 * TABLE;
/** Fills 52 values of the bucket, in 15 parts. */
const STORED = 15 * FILTER;

/** The first payload of the last part; no filter tells it from the last one of the part before. */
const ALIKE = STORED - FILTER;

/** All in one bucket. */
function hashOf(n: number): Uint8Array {
  const bytes = new Uint8Array(hash('sha256', String(n), 'buffer'));
  if (n === ALIKE) bytes.set(hashOf(n - 1).subarray(0, 8));
  bytes[0] = BUCKET >> 4;
  bytes[1] = ((BUCKET & 0xf) << 4) | ((bytes[1] ?? 0) & 0xf);
  return bytes;
}
const recordOf = (n: number) => ({ type: 1 + (n % 3), index: 2 * n, day: 20_000 + (n % 23) });
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

let db: Database;
let behind: WriteBehind;
/** How many keys each `getMany` asked for. */
let asked: number[];

beforeEach(async () => {
  asked = [];
  const dir = await temporaryFolder();
  ({ db } = await openDatabase(dir, { origin: ORIGIN, logPublicKey: logSigner.publicKey }, { create: true }));
  const getMany = db.getMany.bind(db);
  db.getMany = (keys: Uint8Array[]) => {
    asked.push(keys.length);
    return getMany(keys);
  };
  behind = new WriteBehind({
    db,
    location: storeLocation(dir),
    files: openPayloadFiles(dir),
    disk: NODE_DISK,
  });
  onTestFinished(() => db.close());
});

const open = (): Promise<PayloadIndex> =>
  PayloadIndex.open(db, behind, 0, { tableRecords: TABLE, filterHashes: FILTER });

async function add(index: PayloadIndex, from: number, to: number): Promise<void> {
  for (const n of range(from, to)) {
    await index.room(1);
    index.add(hashOf(n), recordOf(n));
  }
}

/** With so many in the buckets, and one more in memory. */
async function filled(): Promise<PayloadIndex> {
  const index = await open();
  await add(index, 0, STORED + 1);
  await index.idle();
  asked = [];
  return index;
}

async function expectAll(index: PayloadIndex, to: number): Promise<void> {
  const some = range(0, to).filter((n) => n % 7 === 0);
  expect(await index.find(some.map(hashOf))).toEqual(some.map(recordOf));
}

describe('a look into the payload index', () => {
  test('reads a few values of a bucket that has many, in the life that wrote them and in the next', async () => {
    const first = await filled();
    for (const index of [first, await open()]) {
      asked = [];
      for (const n of [0, 300, FILTER, 3000, STORED - 1])
        expect(await index.find([hashOf(n)])).toEqual([recordOf(n)]);
      expect(Math.max(...asked)).toBeLessThanOrEqual(8);
    }
  });

  test('reads no more of them at a time, however many payloads are asked for', async () => {
    const index = await filled();
    const some = range(0, 256).map((i) => 29 * i);
    expect(await index.find(some.map(hashOf))).toEqual(some.map(recordOf));
    expect(asked.length).toBeGreaterThan(0);
    expect(Math.max(...asked)).toBeLessThanOrEqual(1024);
    await expectAll(index, STORED + 1);
  });
});

describe('of a table that was cut off', () => {
  test('nothing is believed, and it is written again as it was', async () => {
    await filled();
    const key = filterKey(ALIKE / FILTER);
    const row = await db.get(key);
    await db.del(key);
    const index = await open();
    expect(index.indexedTo).toBe(recordOf(ALIKE - 1).index + 1);
    expect(await index.find([hashOf(ALIKE)])).toEqual([undefined]);
    expect(asked.at(-1)).toBeGreaterThan(0);
    await add(index, ALIKE, STORED + 1);
    await index.idle();
    expect(Buffer.compare((await db.get(key)) ?? Buffer.of(), row ?? Buffer.of())).toBe(0);
    await expectAll(index, STORED + 1);
  });

  test('a loss of more than that is noticed', async () => {
    const index = await filled();
    await db.del(filterKey(ALIKE / FILTER));
    await expect(PayloadIndex.open(db, behind, index.indexedTo)).rejects.toThrow('has lost its books');
  });
});

describe('an index as older ledgers wrote it', () => {
  test('is read, and goes on with parts of its own', async () => {
    await filled();
    await asOlderFolder(db);
    const older = await PayloadIndex.open(db, behind, recordOf(STORED - 1).index + 1, {
      tableRecords: TABLE,
      filterHashes: FILTER,
    });
    await expectAll(older, STORED);
    expect(Math.max(...asked)).toBeLessThanOrEqual(1024);
    await add(older, STORED, STORED + 3 * FILTER + 1);
    await older.idle();
    await expectAll(older, STORED + 3 * FILTER + 1);
    const again = await open();
    await expectAll(again, STORED + 3 * FILTER);
    asked = [];
    await again.find([hashOf(STORED + 10)]);
    expect(asked.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(8);
  });
});
