/** What fsck makes of a ledger whose rows were changed on purpose, through LevelDB, so that every file is in order. */
import { cp, mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { KEPT_DAY, segmentKey, STATE_KEY, tileKey } from '../../ledger/store/store-keys.js';
import { decodeEntrySegment, encodeEntrySegment } from '../../ledger/store/store-segments.js';
import { asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { openLedger } from '../../ledger/ledger.js';
import { batchOf, ledgerDeps, noticeItem, officer, ORIGIN, signerOf, temporaryFolder } from './deployment.js';
import {
  change,
  changeEntry,
  changeState,
  flipAt,
  foundInCopy,
  noticeLedger,
  rowOf,
  SIZE,
} from './fsck-damage.js';
import { checkFolder, foundIn, onStore, variedLedger, type Store } from './fsck-folder.js';

let whole: string;

/** A ledger of 600 entries in two full bundles and a part of one. */
beforeAll(async () => {
  whole = await mkdtemp(join(tmpdir(), 'firebreak-fsck-'));
  await noticeLedger(whole, SIZE);
  return () => rm(whole, { recursive: true, force: true });
});

const foundAfter = (damage: (db: Store) => Promise<void>, from = whole) => foundInCopy(damage, from);

describe('fsck finds nothing wrong', () => {
  test.each([0, 1, 2, 255, 256, 257, 513])('with a log of %i entries', async (size) => {
    const dir = await temporaryFolder();
    await noticeLedger(dir, size);
    const report = await checkFolder(dir);
    expect(foundIn(report)).toEqual([]);
    expect(report.counted).toMatchObject({ size, payloadsStored: size, batches: Math.ceil(size / 100) });
  });

  test('with entries of every type, repeated payloads, refusals, and tables at several levels', async () => {
    const dir = await temporaryFolder();
    await variedLedger(dir, { rounds: 3, batches: 9 });
    const report = await checkFolder(dir);
    expect(foundIn(report)).toEqual([]);
    expect([...(report.counted?.entriesByType.keys() ?? [])].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(report.counted?.payloadsStored).toBeLessThan(report.counted?.size ?? 0);
  });
});

test('fsck leaves no file open', async () => {
  const dir = await temporaryFolder();
  await noticeLedger(dir, 600);
  for (const seq of [1001, 1002]) {
    const ledger = await openLedger(ledgerDeps(dir));
    await ledger.submit(batchOf(officer, seq, [noticeItem(`${seq}`)]));
    await ledger.close();
  }
  const tables = (await readdir(join(dir, 'store'))).filter((name) => name.endsWith('.ldb'));
  expect(tables.length).toBeGreaterThan(1);
  const open = async () => {
    const links = (await readdir('/proc/self/fd')).map((fd) =>
      readlink(`/proc/self/fd/${fd}`).catch(() => ''),
    );
    return (await Promise.all(links)).filter((path) => path.startsWith(dir));
  };
  await checkFolder(dir);
  expect(await open()).toEqual([]);
});

describe('fsck names the entry', () => {
  test.each([0, 100, 255, 256, 511, 512, 560, 599])('that was altered: %i', async (index) => {
    const found = await foundAfter((db) =>
      changeEntry(db, index, (entry) => flipAt(entry.length - 50)(entry)),
    );
    expect(found).toEqual([`damage entries #${index} is not the one that was logged`]);
  });

  test.each([300, 580])('whose link to the one before was altered: %i', async (index) => {
    const found = await foundAfter((db) =>
      changeEntry(db, index, (entry) => flipAt(entry.length - 1)(entry)),
    );
    expect(found).toEqual([`damage entries #${index} is not the one that was logged`]);
  });

  test('that is no entry any more', async () => {
    const found = await foundAfter((db) => changeEntry(db, 7, flipAt(0)));
    expect(found).toEqual(['damage entries #7 cannot be read as an entry']);
  });

  test('from which on entries are missing, and goes on behind them', async () => {
    const found = await foundAfter(async (db) => {
      await db.del((await rowOf(db, 'e', segmentKey(256))).key);
      await changeEntry(db, 560, flipAt(100));
    });
    expect(found[0]).toMatch(/^damage entries #256 to \d+ are missing$/);
    expect(found).toContain('damage entries #560 is not the one that was logged');
  });

  test('from which on the log was cut off', async () => {
    const found = await foundAfter(async (db) => {
      await db.del((await rowOf(db, 'e', segmentKey(512))).key);
    });
    expect(found.join('\n')).toMatch(/#5\d\d .*missing/);
  });

  test('that two rows hold', async () => {
    const found = await foundAfter(async (db) => {
      const { value } = await rowOf(db, 'e');
      await db.put(segmentKey(3), encodeEntrySegment(decodeEntrySegment(value).slice(3, 5)));
    });
    expect(found).toEqual(['damage entries #3 is held by two rows']);
  });

  test('that was put behind the signed log', async () => {
    const found = await foundAfter(async (db) => {
      const { value } = await rowOf(db, 'e');
      await db.put(segmentKey(SIZE), encodeEntrySegment(decodeEntrySegment(value).slice(0, 2)));
    });
    expect(found).toEqual([`damage entries #${SIZE} and those behind it are not in the signed log`]);
  });

  test('whose payload is kept under another day than it says', async () => {
    const found = await foundAfter(async (db) => {
      const { key, value } = await rowOf(db, 'e');
      const entries = decodeEntrySegment(value);
      await db.put(
        key,
        encodeEntrySegment(entries.map((one, i) => (i === 5 ? { ...one, retentionDay: 20_000 } : one))),
      );
    });
    expect(found).toEqual([
      `damage payloads payloads/kept @300 #5 has its payload stored under day ${KEPT_DAY}, not 20000`,
      'damage days the row of day 20000 is missing',
    ]);
  });
});

describe('fsck names the tile', () => {
  test('whose hash was altered, and not the entry', async () => {
    const found = await foundAfter((db) => change(db, tileKey(0, 1), flipAt(44 * 32 + 3)));
    expect(found).toEqual(['damage tiles #300 is not the one whose hash stands in tile/0/001']);
  });

  test('of a higher level, with the first entry that it covers', async () => {
    const found = await foundAfter((db) => change(db, tileKey(1, 0), flipAt(32 + 3)));
    expect(found).toEqual([
      'damage tiles #256 is covered by tile/1/000.p/2, whose hash 1 is not what the entries below it hash to',
    ]);
  });

  test('that is missing, cut short, or of no use', async () => {
    const missing = await foundAfter((db) => db.del(tileKey(0, 0)));
    expect(missing).toEqual(['damage tiles #0 is covered by tile/0/000, which is missing']);
    const short = await foundAfter((db) => change(db, tileKey(1, 0), (value) => value.subarray(0, 32)));
    expect(short).toEqual(['damage tiles #0 is covered by tile/1/000.p/2, which has 32 bytes, not 64']);
    const extra = await foundAfter((db) => db.put(tileKey(2, 0), Buffer.alloc(32)));
    expect(extra).toEqual(['damage tiles tile 2/0 is stored, and the log has none of that number']);
  });
});

describe('fsck finds in the state', () => {
  test('a root that the entries do not give', async () => {
    const found = await foundAfter((db) =>
      changeState(db, (row) => ({ ...row, state: { ...row.state, root: new Uint8Array(32) } })),
    );
    expect(found).toContain('damage state the entries do not give the root of the checkpoint');
    expect(found).toContain(
      'damage state the checkpoint is of 600 entries, and not of the state it stands in',
    );
  });

  test('a checkpoint of another key', async () => {
    const forger = noteSigner(ORIGIN, signerOf('another log key'));
    const found = await foundAfter((db) =>
      changeState(db, (row) => {
        const { size, root } = row.state;
        return {
          ...row,
          state: { ...row.state, checkpoint: signCheckpoint({ origin: ORIGIN, size, root }, forger) },
        };
      }),
    );
    expect(found.join()).toContain('the checkpoint is not one that this log signed');
  });

  test('each counter that is off, the last hash and the last time', async () => {
    const found = await foundAfter((db) =>
      changeState(db, (row) => ({
        ...row,
        state: {
          ...row.state,
          lastAppendedMs: asUnixMs(row.state.lastAppendedMs + 1),
          counters: {
            batches: 7,
            duplicates: 1,
            entriesByType: new Map([[8, 601]]),
            refusalsByNumber: new Map([[3, 1]]),
          },
        },
      })),
    );
    expect(found).toEqual([
      'damage state the time of the last entry is another than the state row says',
      'damage state the counter of entries of type 8 says 601, and it is 600',
      'damage state the counter of batches says 7, and it is 6',
      'damage state the counter of refusals with number 3 says 1, and it is 0',
      'damage state the counter of duplicates says 1, and it is 0',
    ]);
  });

  test('that it went back to an earlier commit', async () => {
    const found = await foundAfter((db) =>
      changeState(db, (row) => ({ ...row, state: { ...row.state, size: asTreeSize(500) } })),
    );
    expect(found).toContain('damage state #500 and those behind it are lost: 600 entries were answered for');
    expect(found).toContain('damage entries #500 and those behind it are not in the signed log');
  });

  test('that it cannot be read, and still checks the entries', async () => {
    const found = await foundAfter(async (db) => {
      await db.put(STATE_KEY, Buffer.from('x'));
      await changeEntry(db, 100, flipAt(60));
    });
    expect(found[0]).toContain('the state row cannot be read');
    expect(found).toContain('damage entries #100 is not the one that was logged');
  });
});

describe('fsck', () => {
  test('finds rows of no kind', async () => {
    const found = await foundAfter(async (db) => {
      await db.put(Buffer.from('c'), Buffer.of());
      await db.put(Buffer.from('e12'), Buffer.of());
      await db.put(Buffer.from('zz'), Buffer.of());
    });
    expect(found.map((line) => /the row \w+/.exec(line)?.[0])).toEqual([
      'the row 63',
      'the row 7a7a',
      'the row 653132',
    ]);
  });

  test('keeps to the first findings of each kind, and counts the others', async () => {
    const dir = await temporaryFolder();
    await cp(whole, dir, { recursive: true });
    await onStore(dir, (db) => db.clear({ gte: Buffer.from('p'), lt: Buffer.from('q') }));
    const { findings } = await checkFolder(dir);
    expect(findings.kept).toHaveLength(20);
    expect(findings.damageCount).toBe(SIZE + 1);
    expect([...findings.dropped()]).toEqual([['payloads', SIZE + 1 - 20]]);
    expect(findings.firstBadIndex).toBe(0);
  });

  test('refuses the ledger of another log', async () => {
    const verifier = noteSigner('another.example/log', signerOf('log'));
    await expect(fsckLedger({ dir: whole, verifier })).rejects.toMatchObject({ code: 'foreign' });
  });
});
