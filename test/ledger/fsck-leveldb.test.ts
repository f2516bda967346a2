/** LevelDB's files read without LevelDB, against what LevelDB itself says is in them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { Level } from 'level';
import { describe, expect, test } from 'vitest';
import { crc32c, crcHolds, findFlippedBit } from '../../ledger/fsck/crc32c.js';
import { CRC_32, findFlippedByte } from '../../ledger/store/crc-tables.js';
import { Findings } from '../../ledger/fsck/findings.js';
import { LevelBytes } from '../../ledger/fsck/leveldb-bytes.js';
import { checkLevelFolder } from '../../ledger/fsck/leveldb-folder.js';
import { scanLog } from '../../ledger/fsck/leveldb-log.js';
import { mergeRows } from '../../ledger/fsck/leveldb-rows.js';
import { decodeFooter } from '../../ledger/fsck/leveldb-table.js';
import { temporaryFolder } from './deployment.js';
import { seeded } from './fsck-flips.js';
import { storedFiles } from './fsck-folder.js';

type Store = Level<Uint8Array, Uint8Array>;

async function openStore(dir: string): Promise<Store> {
  const options = { keyEncoding: 'view', valueEncoding: 'view', compression: false } as const;
  const db: Store = new Level(join(dir, 'store'), { ...options, writeBufferSize: 1 << 17 });
  await db.open();
  return db;
}

/** Puts and deletions of 3,000 keys, small values and some larger than a block of the log, in several runs. */
async function busyStore(dir: string): Promise<[Uint8Array, Uint8Array][]> {
  const random = seeded(5);
  const below = (count: number): number => Math.floor(random() * count);
  for (let run = 0; run < 5; run++) {
    const db = await openStore(dir);
    for (let n = 0; n < 40; n++) {
      const operations = Array.from({ length: 30 }, () => {
        const key = Buffer.from(`k${below(3000)}`);
        const value = Buffer.alloc(random() < 0.01 ? 70_000 : below(300), below(256));
        return random() < 0.2 ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const);
      });
      await db.batch(operations);
    }
    await db.close();
  }
  const db = await openStore(dir);
  const rows = await db.iterator().all();
  await db.close();
  return rows;
}

const text = (rows: readonly (readonly [Uint8Array, Uint8Array])[]): string[] =>
  rows.map(([key, value]) => `${Buffer.from(key).toString('hex')}=${Buffer.from(value).toString('hex')}`);

describe('rows of a LevelDB store', () => {
  test('are those LevelDB gives, in its order, in whole and by range', async () => {
    const dir = await temporaryFolder();
    const wanted = await busyStore(dir);
    const findings = new Findings();
    const options = { dir: join(dir, 'store'), name: 'store/', findings, pace: () => undefined };
    const sources = (await checkLevelFolder(options)) ?? [];
    expect(findings.kept.filter(({ kind }) => kind !== 'leftover')).toEqual([]);
    const rowsOf = (gte: string, lt: string | undefined) => {
      const range = { gte: Buffer.from(gte), lt: lt === undefined ? undefined : Buffer.from(lt) };
      return text([...mergeRows(sources, range)].map(({ key, value }) => [key, value]));
    };
    expect(rowsOf('', undefined)).toEqual(text(wanted));
    const between = wanted.filter(([key]) => {
      const name = Buffer.from(key).toString();
      return name >= 'k12' && name < 'k2';
    });
    expect(rowsOf('k12', 'k2')).toEqual(text(between));
    expect(between.length).toBeGreaterThan(100);
  });
});

describe('CRC-32C', () => {
  test('gives the values of RFC 3720', () => {
    const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
    const vectors: [Uint8Array, number][] = [
      [new Uint8Array(32), 0x8a9136aa],
      [new Uint8Array(32).fill(0xff), 0x62a8ab43],
      [ascending, 0x46dd794e],
      [Uint8Array.from(ascending).reverse(), 0x113fdb5c],
    ];
    for (const [bytes, crc] of vectors) expect(crc32c(bytes)).toBe(crc);
  });

  test('tells which bit was flipped, and that it was more than one', () => {
    const bytes = fc.uint8Array({ minLength: 3, maxLength: 300 });
    fc.assert(
      fc.property(bytes, fc.nat(), (good, seed) => {
        const crc = crc32c(good);
        const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
        expect(crcHolds(good, masked)).toBe(true);
        const at = seed % good.length;
        const bad = Uint8Array.from(good);
        bad[at] = (bad[at] ?? 0) ^ (1 << (seed % 8));
        expect(findFlippedBit(bad, masked)).toBe(at);
        expect(findFlippedBit(good, (masked ^ (1 << (seed % 32))) >>> 0)).toBe(-1);
        expect(findFlippedByte(bad.length, zlibCrc32(bad) ^ zlibCrc32(good), CRC_32)).toBe(at);
        const other = (at + 1) % good.length;
        bad[other] = (bad[other] ?? 0) ^ 0x10;
        expect(findFlippedBit(bad, masked)).toBeUndefined();
      }),
    );
  });
});

describe('a write-ahead log', () => {
  async function logFile(): Promise<Buffer> {
    const dir = await temporaryFolder();
    const db = await openStore(dir);
    for (let n = 0; n < 6; n++)
      await db.batch([
        { type: 'put', key: Buffer.from(`k${n}`), value: Buffer.alloc(9000 * (n % 3) + 50, n + 1) },
      ]);
    await db.close();
    const log = (await storedFiles(dir)).find(({ file }) => file.endsWith('.log'));
    return readFile(join(dir, log?.file ?? ''));
  }

  test('cut short anywhere loses only its last records, and is never taken for damaged', async () => {
    const file = await logFile();
    const whole = scanLog(file);
    expect(whole).toMatchObject({ faults: [], tornAt: undefined });
    expect(whole.records).toHaveLength(6);
    for (let length = 0; length < file.length; length += 1 + (length % 7)) {
      const { records, faults, tornAt } = scanLog(file.subarray(0, length));
      const kept = whole.records.filter((_, i) => (whole.records[i + 1]?.offset ?? file.length) <= length);
      expect(faults).toEqual([]);
      expect(records.length).toBe(kept.length);
      expect(tornAt).toBe(
        kept.length === 6 || length === (whole.records[kept.length]?.offset ?? 0)
          ? undefined
          : whole.records[kept.length]?.offset,
      );
    }
  });

  test('with any bit flipped is damaged, never only cut short', async () => {
    const file = await logFile();
    const random = seeded(11);
    const headers = scanLog(file).records.flatMap(({ offset }) =>
      Array.from({ length: 56 }, (_, bit) => offset * 8 + bit),
    );
    const anywhere = Array.from({ length: 600 }, () => Math.floor(random() * file.length * 8));
    for (const bit of [...headers, ...anywhere]) {
      const flipped = Buffer.from(file);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(scanLog(flipped).faults.length, `bit ${bit}`).toBeGreaterThan(0);
    }
  });

  test('whose last sectors were never written is cut short', async () => {
    const file = await logFile();
    const last = scanLog(file).records.at(-1)?.offset ?? 0;
    const unwritten = Buffer.from(file).fill(0, last + 2048);
    expect(scanLog(unwritten)).toMatchObject({ faults: [], tornAt: last });
    expect(scanLog(Buffer.concat([file, Buffer.alloc(3000)]))).toMatchObject({
      faults: [],
      tornAt: file.length,
    });
  });
});

function readFooter(footer: Buffer): string {
  try {
    return JSON.stringify(decodeFooter(footer));
  } catch (error) {
    return String(error);
  }
}

describe('encodings of LevelDB', () => {
  test('that are longer than they need to be are refused', () => {
    expect(new LevelBytes(Buffer.from('8001', 'hex')).varint()).toBe(128);
    for (const bytes of ['8000', 'ff8000', '80', 'ffffffffffffffffff01'])
      expect(() => new LevelBytes(Buffer.from(bytes, 'hex')).varint()).toThrow(/longer|early|range/);
  });

  test('leave no bit of a footer free', () => {
    const footer = Buffer.alloc(48);
    footer.set([0x10, 0x20, 0x35, 0x81, 0x02]);
    footer.set(Buffer.from('57fb808b247547db', 'hex'), 40);
    const good = readFooter(footer);
    for (let bit = 0; bit < 48 * 8; bit++) {
      const flipped = Buffer.from(footer);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(readFooter(flipped), `bit ${bit}`).not.toBe(good);
    }
  });
});
