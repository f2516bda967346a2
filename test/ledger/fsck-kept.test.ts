/** What fsck makes of payloads that are gone, by the book or not, and of the rows of days. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { checkPayloads } from '../../ledger/fsck/check-payloads.js';
import { EntryColumns } from '../../ledger/fsck/entry-columns.js';
import { Findings } from '../../ledger/fsck/findings.js';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { memorySource } from '../../ledger/fsck/leveldb-rows.js';
import { PayloadSource } from '../../ledger/fsck/payload-source.js';
import { RowView } from '../../ledger/fsck/row-view.js';
import { openLedger } from '../../ledger/ledger.js';
import { decodeDayRow, encodeDayRow, newDayRecord, type DayRecord } from '../../ledger/store/day-record.js';
import { dayKey, payloadKey, payloadRange } from '../../ledger/store/store-keys.js';
import { asUnixMs } from '../../protocol/brands.js';
import { dayOf } from '../../protocol/time.js';
import {
  batchOf,
  certificateItem,
  destroyedItem,
  issuer,
  ledgerDeps,
  logSigner,
  NOW_MS,
  pruningItem,
  reportItem,
  signerOf,
  standingClock,
  temporaryFolder,
} from './deployment.js';
import { checkFolder, foundIn, onStore, WRITERS } from './fsck-folder.js';

const gateway = signerOf('gateway one');
const DAY = dayOf(NOW_MS / 1000);
const AFTER_THE_WINDOW = asUnixMs(NOW_MS + 22 * 86_400_000);

/** Entries 0: a gateway, 1 and 2: reports of a day, 3: its keys are destroyed; with `prunes`, 4: its payloads are pruned. */
async function endedLedger({ prunes }: { readonly prunes: boolean }): Promise<string> {
  const dir = await temporaryFolder();
  const clock = standingClock();
  const ledger = await openLedger(ledgerDeps(dir, { writers: WRITERS, clock }));
  await ledger.submit(batchOf(issuer, 1, [certificateItem(gateway)]));
  await ledger.submit(batchOf(gateway, 1, [reportItem(gateway), reportItem(gateway)]));
  await ledger.submit(batchOf(issuer, 2, [destroyedItem(DAY)]));
  clock.passTo(AFTER_THE_WINDOW);
  if (prunes) await ledger.submit(batchOf(issuer, 3, [pruningItem(DAY)]));
  while (ledger.status().daysToRemove > 0) await sleep(5);
  await ledger.close();
  return dir;
}

async function dropPayloads(dir: string): Promise<void> {
  await onStore(dir, (db) => db.clear(payloadRange(DAY)));
  await rm(join(dir, 'payloads', String(DAY)));
}

/** A bit of the salt in the last payload that is kept. */
async function changePruningPayload(dir: string): Promise<void> {
  const file = join(dir, 'payloads', 'kept');
  const bytes = await readFile(file);
  bytes.writeUInt8((bytes.at(-25) ?? 0) ^ 1, bytes.length - 25);
  await writeFile(file, bytes);
}

async function changeDayRow(dir: string, changes: Partial<DayRecord>): Promise<void> {
  await onStore(dir, async (db) => {
    const record = decodeDayRow((await db.get(dayKey(DAY))) ?? new Uint8Array(0), DAY);
    await db.put(dayKey(DAY), encodeDayRow({ ...record, ...changes }));
  });
}

describe('payloads that are gone', () => {
  test('are pruned when the log says so', async () => {
    const report = await checkFolder(await endedLedger({ prunes: true }));
    expect(foundIn(report)).toEqual([]);
    expect(report.counted).toMatchObject({ payloadsPruned: 2, payloadsStored: 3 });
  });

  test('are lost when the log says nothing of their day', async () => {
    const dir = await endedLedger({ prunes: false });
    expect(foundIn(await checkFolder(dir))).toEqual([]);
    await dropPayloads(dir);
    const report = await checkFolder(dir);
    expect(foundIn(report)).toEqual(
      [1, 2].map(
        (index) => `damage payloads #${index} has lost its payload: no pruning of its day is recorded`,
      ),
    );
    expect(report.counted?.payloadsPruned).toBe(0);
  });

  test('are lost when somebody else than the issuer says that they were pruned', async () => {
    const dir = await endedLedger({ prunes: true });
    const options = { dir, verifier: logSigner, issuerPublicKey: gateway.publicKey };
    expect(foundIn(await fsckLedger(options))).toEqual(
      expect.arrayContaining([
        'damage payloads #4 prunes a day, and is not the issuer’s',
        'damage payloads #1 has lost its payload: no pruning of its day is recorded',
      ]),
    );
  });

  test('are pruned also where the entry that says so has lost its words, as the row of the day knows', async () => {
    const dir = await endedLedger({ prunes: true });
    await changePruningPayload(dir);
    const report = await checkFolder(dir);
    expect(foundIn(report)).toEqual([
      `unchecked files #4 prunes a day, and its payload cannot be read: that it is day ${DAY}, only the row of that day says`,
      expect.stringMatching(
        /^damage payloads payloads\/kept @\d+ #4 has other bytes stored than its payload$/,
      ),
    ]);
    expect(report.findings.firstBadIndex).toBe(4);
    expect(report.counted).toMatchObject({ payloadsPruned: 2 });
  });

  test.each<readonly [string, Partial<DayRecord>]>([
    ['names another entry', { pruned: { by: 3, atMs: AFTER_THE_WINDOW, removed: true } }],
    ['has another time', { pruned: { by: 4, atMs: NOW_MS, removed: true } }],
    ['names none', { pruned: undefined }],
  ])('are lost where those words are lost and the row %s', async (_, changes) => {
    const dir = await endedLedger({ prunes: true });
    await changePruningPayload(dir);
    await changeDayRow(dir, changes);
    expect(foundIn(await checkFolder(dir))).toEqual(
      expect.arrayContaining([
        'damage payloads #1 has lost its payload: no pruning of its day is recorded',
        'damage payloads #2 has lost its payload: no pruning of its day is recorded',
      ]),
    );
  });
});

describe('the row of a day', () => {
  test.each<readonly [string, Partial<DayRecord>]>([
    ['another count', { payloads: 3 }],
    ['other bytes', { payloadBytes: 7 }],
    ['another entry that destroyed its keys', { destroyedBy: 1 }],
    ['no end', { pruned: undefined }],
    ['another end', { pruned: { by: 4, atMs: NOW_MS, removed: true } }],
  ])('with %s is not what the log says', async (_, changes) => {
    const dir = await endedLedger({ prunes: true });
    await changeDayRow(dir, changes);
    expect(foundIn(await checkFolder(dir))).toEqual([
      `damage days the row of day ${DAY} is not what the log says of it`,
    ]);
  });

  test('must be there, be readable, and be of a day that an entry speaks of', async () => {
    const dir = await endedLedger({ prunes: true });
    await onStore(dir, async (db) => {
      await db.put(dayKey(5), encodeDayRow(newDayRecord(5)));
      await db.del(dayKey(DAY));
    });
    expect(foundIn(await checkFolder(dir))).toEqual([
      'damage days day 5 has a row, and no entry speaks of it',
      `damage days the row of day ${DAY} is missing`,
    ]);
    await onStore(dir, (db) => db.put(dayKey(DAY), new Uint8Array(3)));
    expect(foundIn(await checkFolder(dir))[1]).toContain(`the row of day ${DAY} cannot be read`);
  });
});

test('more that is wrong with one day than is told hides nothing of another', async () => {
  const unreadable = (day: number, index: number) => ({ key: payloadKey(day, index), value: Buffer.of(1) });
  const rows = [...Array.from({ length: 10_001 }, (_, i) => unreadable(1, i)), unreadable(2, 10_001)];
  const findings = new Findings();
  const { faults } = await checkPayloads({
    rows: new RowView([memorySource(rows.map(({ key, value }) => ({ key, value, sequence: 1 })))], findings),
    source: new PayloadSource(await temporaryFolder(), []),
    files: [],
    columns: new EntryColumns(0),
    wanted: new Set(),
    pace: () => undefined,
  });
  expect(faults.filter(({ day }) => day === 1)).toHaveLength(10_000);
  expect(faults.filter(({ day }) => day === 2)).toHaveLength(1);
});
