/** What fsck makes of payloads, their index, batches and gateways that are not what the entries say. */
import { appendFile, cp, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { encodeGatewayRecord, withRevocation } from '../../ledger/store/gateway-record.js';
import { bucketOf } from '../../ledger/store/payload-table.js';
import {
  batchKey,
  bucketKey,
  gatewayKey,
  indexOfKey,
  KEPT_DAY,
  segmentKey,
} from '../../ledger/store/store-keys.js';
import { decodeEntrySegment } from '../../ledger/store/store-segments.js';
import { asTreeSize } from '../../protocol/brands.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import { partyIdOf } from '../../protocol/keys.js';
import { logSigner, NOW_MS, officer, temporaryFolder } from './deployment.js';
import {
  change,
  changeBatch,
  changePayloadRows,
  changePayloads,
  changeState,
  type Damage,
  flipAt,
  foundInCopy,
  noticeLedger,
  rowOf,
  SIZE,
  writer,
} from './fsck-damage.js';
import { checkFolder, foundIn, gateways, onStore, variedLedger, type Store } from './fsck-folder.js';

let whole: string;

/** A ledger of 600 entries in two full bundles and a part of one. */
beforeAll(async () => {
  whole = await mkdtemp(join(tmpdir(), 'firebreak-fsck-'));
  await noticeLedger(whole, SIZE);
  return () => rm(whole, { recursive: true, force: true });
});

const foundAfter = (damage: Damage, from = whole) => foundInCopy(damage, from);

describe('fsck finds a payload', () => {
  test('whose bytes, entry or day are not the right ones', async () => {
    const bytes = await foundAfter((db, dir) =>
      changePayloads(db, dir, ([one, ...rest]) => [
        { index: one?.index ?? 0, payload: flipAt(3)(Buffer.from(one?.payload ?? [])) },
        ...rest,
      ]),
    );
    expect(bytes).toEqual(['damage payloads payloads/kept @13 #0 has other bytes stored than its payload']);
    const swapped = await foundAfter((db, dir) =>
      changePayloads(db, dir, ([a, b, ...rest]) => [
        { index: 0, payload: b?.payload ?? Buffer.of() },
        { index: 1, payload: a?.payload ?? Buffer.of() },
        ...rest,
      ]),
    );
    expect(swapped.filter((line) => line.includes('other bytes'))).toHaveLength(2);
    const moved = await foundAfter((db, dir) =>
      changePayloadRows(db, dir, ([first, ...rest]) => [
        { day: 20_001, payloads: first?.payloads ?? [] },
        ...rest,
      ]),
    );
    expect(moved[0]).toBe(
      `damage payloads payloads/20001 @10 #0 has its payload stored under day 20001, not ${KEPT_DAY}`,
    );
  });

  test('that is gone, stored twice, or of nobody', async () => {
    const gone = await foundAfter((db, dir) =>
      changePayloads(db, dir, (all) => all.filter(({ index }) => index !== 4)),
    );
    expect(gone).toEqual(['damage payloads #4 has lost its payload: no pruning of its day is recorded']);
    const twice = await foundAfter((db, dir) =>
      changePayloadRows(db, dir, (rows) => [
        ...rows,
        { day: 20_001, payloads: rows[0]?.payloads.slice(3, 4) ?? [] },
      ]),
    );
    expect(twice.join()).toMatch(/#3 has its payload stored (twice|under day 20001)/);
    const nobody = await foundAfter((db, dir) =>
      changePayloadRows(db, dir, (rows) => [
        ...rows,
        { day: KEPT_DAY, payloads: [{ index: 700, payload: Buffer.of(1) }] },
      ]),
    );
    expect(nobody).toHaveLength(1);
    expect(nobody[0]).toMatch(
      /^damage payloads payloads\/kept @\d+ #700 is not in the signed log, and has a payload stored$/,
    );
  });

  test('that its row leads astray from, or its file has lost', async () => {
    const astray = await foundAfter(async (db) => {
      const { key, value } = await rowOf(db, 'p');
      await db.put(key, flipAt(5)(value));
    });
    expect(astray[0]).toMatch(/^damage payloads #0 begins a row/);
    const longer = await foundAfter((_, dir) => appendFile(join(dir, 'payloads/kept'), 'more'));
    expect(longer.join()).toMatch(/^damage payloads payloads\/kept has \d+ bytes, and its rows end at \d+$/);
    const cut = await foundAfter((_, dir) => truncate(join(dir, 'payloads/kept'), 5));
    expect(cut[0]).toMatch(/^damage payloads payloads\/kept has 5 bytes, and its rows end at \d+$/);
    expect(cut[1]).toBe('damage payloads #0 has lost its payload: no pruning of its day is recorded');
    const gone = await foundAfter((_, dir) => rm(join(dir, 'payloads/kept')));
    expect(gone[0]).toBe('damage payloads payloads/kept is missing');
    const strange = await foundAfter((_, dir) => writeFile(join(dir, 'payloads/day.key'), ''));
    expect(strange).toEqual(['damage files payloads/day.key is of no day']);
  });
});

describe('fsck finds in the payload index', () => {
  /** As the ledger would write it for these entries, by its format alone. */
  async function indexFor(db: Store, indexes: readonly number[]): Promise<Map<number, Buffer>> {
    const values = new Map<number, Buffer>();
    for (const [key, value] of await db.iterator({ gte: segmentKey(0), lt: segmentKey(SIZE) }).all())
      decodeEntrySegment(value).forEach(({ entry, retentionDay }, i) => {
        const index = indexOfKey(key) + i;
        if (!indexes.includes(index)) return;
        const { payloadSha256, type } = decodeEntry(entry);
        const record = Buffer.alloc(28);
        record.set(payloadSha256.subarray(0, 16));
        record.writeUInt16BE(type, 16);
        record.writeUIntBE(index, 18, 6);
        record.writeUInt32BE(retentionDay, 24);
        const bucket = bucketOf(payloadSha256);
        values.set(bucket, Buffer.concat([values.get(bucket) ?? Buffer.of(), record]));
      });
    return values;
  }
  const firstEntries = Array.from({ length: 300 }, (_, i) => i);
  const withIndex =
    (then: (db: Store, value: Buffer, bucket: number) => Promise<void>) => async (db: Store) => {
      const values = await indexFor(db, firstEntries);
      for (const [bucket, value] of values) await db.put(bucketKey(bucket, 0), value);
      const [[bucket, value] = [0, Buffer.of()]] = values;
      await then(db, Buffer.from(value), bucket);
    };

  test('nothing, when it is right, whole or in part', async () => {
    const dir = await temporaryFolder();
    await cp(whole, dir, { recursive: true });
    await onStore(
      dir,
      withIndex(async () => {}),
    );
    expect(foundIn(await checkFolder(dir))).toEqual([]);
  });

  test('a record of another entry, type or bucket', async () => {
    const index = await foundAfter(
      withIndex((db, value, bucket) => db.put(bucketKey(bucket, 0), flipAt(23)(value))),
    );
    expect(index[0]).toMatch(
      /^damage payload index #\d+ stands in the payload index with another payload than its own$/,
    );
    const type = await foundAfter(
      withIndex((db, value, bucket) => db.put(bucketKey(bucket, 0), flipAt(17)(value))),
    );
    expect(type[0]).toMatch(/#\d+ stands in the payload index as of type 9 and day/);
    const bucket = await foundAfter(
      withIndex(async (db, value, from) => {
        await db.del(bucketKey(from, 0));
        await db.put(bucketKey(from ^ 1, 1), value);
      }),
    );
    expect(bucket.join()).toContain('is in the wrong place of the payload index');
  });

  test('that records are missing that the ledger counts on, and the filters that lead to them', async () => {
    const found = await foundAfter(
      withIndex(async (db, _value, bucket) => {
        await db.del(bucketKey(bucket, 0));
        await changeState(db, (row) => ({ ...row, indexedTo: 300 }));
      }),
    );
    expect(found[0]).toBe('damage payload index its filters are missing');
    expect(found[1]).toMatch(/#\d+ is not in the payload index$/);
  });
});

describe('fsck finds a batch', () => {
  test('that is gone, or was answered with another entry, root or size', async () => {
    const gone = await foundAfter((db) => db.del(batchKey(writer, 200)));
    expect(gone[0]).toBe('damage batches #200 is in the log, and no batch was answered with it');
    expect(gone.at(-1)).toBe('damage state the counter of batches says 6, and it is 5');
    const entry = await foundAfter((db) =>
      changeBatch(db, 200, (record) => ({
        ...record,
        outcomes: [{ reason: 0, index: 3 }, ...record.outcomes.slice(1)],
      })),
    );
    expect(entry.join()).toMatch(
      /#3 is named in the answer to batch 200 of writer \w+, and came in another batch/,
    );
    expect(entry.join()).toContain('#200 is in the log, and no batch was answered with it');
    const root = await foundAfter((db) =>
      changeBatch(db, 200, (record) => ({ ...record, root: new Uint8Array(32) })),
    );
    expect(root.join()).toMatch(
      /batch 200 of writer \w+ was answered with a root that the log of 300 entries never had/,
    );
    const size = await foundAfter((db) =>
      changeBatch(db, 500, (record) => ({ ...record, size: asTreeSize(650) })),
    );
    expect(size.join()).toContain('#600 and those behind it are lost, and batch 500');
  });
});

describe('fsck finds of gateways', () => {
  let varied: string;
  beforeAll(async () => {
    varied = await mkdtemp(join(tmpdir(), 'firebreak-fsck-'));
    await variedLedger(varied, { batches: 3 });
    return () => rm(varied, { recursive: true, force: true });
  });
  const id = partyIdOf((gateways[0] ?? officer).publicKey);

  test('a row that the log does not bear out, one too few and one too many', async () => {
    const changed = await foundAfter((db) => change(db, gatewayKey(id), flipAt(60)), varied);
    expect(changed.join()).toMatch(/the row of gateway \w+ is not what the log says of it/);
    const gone = await foundAfter((db) => db.del(gatewayKey(id)), varied);
    expect(gone.join()).toMatch(/the row of gateway \w+ is missing/);
    const stranger = withRevocation(undefined, partyIdOf(officer.publicKey), NOW_MS);
    const added = await foundAfter(
      (db) => db.put(gatewayKey(stranger.gatewayId), encodeGatewayRecord(stranger)),
      varied,
    );
    expect(added.join()).toMatch(/gateway \w+ has a row, and no entry names it/);
  });

  test('nothing without the key of the issuer, and says so', async () => {
    const { counted } = await fsckLedger({ dir: varied, verifier: logSigner });
    expect(counted?.gatewaysChecked).toBe(false);
  });
});
