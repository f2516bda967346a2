import { Level } from 'level';
import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HASHES_A_FILTER, PayloadFilter } from '../../ledger/store/payload-filter.js';
import { PayloadIndex } from '../../ledger/store/payload-index.js';
import { bucketOf, PayloadTable } from '../../ledger/store/payload-table.js';
import { storeLocation } from '../../ledger/store/folder.js';
import { filterKey } from '../../ledger/store/store-keys.js';
import { openDatabase, type Database } from '../../ledger/store/database.js';
import { NODE_DISK } from '../../ledger/store/disk.js';
import { openPayloadFiles } from '../../ledger/store/payload-files.js';
import { WriteBehind } from '../../ledger/store/write-behind.js';
import { logSigner, ORIGIN, temporaryFolder } from './deployment.js';

const hashOf = (n: number): Uint8Array => new Uint8Array(hash('sha256', String(n), 'buffer'));
const recordOf = (n: number) => ({ type: 1 + (n % 3), index: 2 ** 40 + n, day: 20_000 + (n % 23) });

describe('a table of payloads', () => {
  test('finds each record by its hash, and none that is not there', () => {
    const table = new PayloadTable(5000);
    for (let n = 0; n < 5000; n++) table.add(hashOf(n), recordOf(n));
    for (let n = 0; n < 5000; n++) {
      expect(table.find(hashOf(n))).toEqual(recordOf(n));
      expect(table.bucketAt(n)).toBe(bucketOf(hashOf(n)));
    }
    for (let n = 5000; n < 6000; n++) expect(table.find(hashOf(n))).toBeUndefined();
  });
});

describe('the filter', () => {
  test('knows every hash it was given and hardly any other, over several filters', () => {
    const filter = new PayloadFilter();
    const many = 1_200_000;
    for (let n = 0; n < many; n++) {
      if (filter.hashes === HASHES_A_FILTER) filter.begin();
      filter.add(hashOf(n));
    }
    for (let n = 0; n < many; n += 97) expect(filter.mayHave(hashOf(n))).toBe(true);
    let mistaken = 0;
    for (let n = many; n < many + 100_000; n++) if (filter.mayHave(hashOf(n))) mistaken += 1;
    expect(mistaken).toBeLessThan(400);
  });
});

describe('the payload index', () => {
  const behindOf = (db: Database, dir: string) =>
    new WriteBehind({ db, location: storeLocation(dir), files: openPayloadFiles(dir), disk: NODE_DISK });
  const identity = { origin: ORIGIN, logPublicKey: logSigner.publicKey };

  const TABLE = 131_072;

  test('finds all of more than two tables, from memory and from the store, and after opening anew', async () => {
    const dir = await temporaryFolder();
    const { db } = await openDatabase(dir, identity, { create: true });
    const behind = behindOf(db, dir);
    const index = await PayloadIndex.open(db, behind, 0, { tableRecords: TABLE });
    const count = 300_000;
    for (let n = 0; n < count; n++) {
      await index.room(1);
      index.add(hashOf(n), recordOf(n));
    }
    const some = [...Array(2000).keys()].map((i) => i * 150);
    const expectAll = async (asked: PayloadIndex, below: number) => {
      const found = await asked.find(some.map(hashOf));
      found.forEach((record, i) => {
        const n = some[i] ?? 0;
        if (n < below) expect(record).toEqual(recordOf(n));
      });
    };
    await expectAll(index, count);
    expect(await index.find([hashOf(count)])).toEqual([undefined]);
    await index.idle();
    expect(index.indexedTo).toBe(recordOf(2 * TABLE - 1).index + 1);
    await behind.settle();
    const again = await PayloadIndex.open(db, behind, index.indexedTo, { tableRecords: TABLE });
    await expectAll(again, 2 * TABLE);
    // Those that are not in the buckets are not looked for in them.
    const taken = some.filter((n) => n >= 2 * TABLE && again.mayHave(hashOf(n)));
    expect(taken.length).toBeLessThan(10);
    await db.close();
  });

  test('does not write a payload twice that was in its buckets when the ledger was killed', async () => {
    const dir = await temporaryFolder();
    const { db } = await openDatabase(dir, identity, { create: true });
    const behind = behindOf(db, dir);
    for (let turn = 0; turn < 2; turn++) {
      const index = await PayloadIndex.open(db, behind, 0, { tableRecords: TABLE });
      for (let n = 0; n <= TABLE; n++) {
        await index.room(1);
        index.add(hashOf(n), recordOf(n));
      }
      await index.idle();
      await db.del(filterKey(0)); // the last thing that is written of a table
    }
    const values = await db.values({ gte: Buffer.from('h'), lt: Buffer.from('i') }).all();
    expect(values.reduce((sum, value) => sum + value.length, 0)).toBe(TABLE * 28);
    expect(db).toBeInstanceOf(Level);
    await db.close();
  });
});
