/** What fsck makes of payloads that are gone, by the book or not, and of the checkpoint that was published. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { cleanLines, damageSummary } from '../../cli/present/show-fsck.js';
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
import { asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { cosign, cosignerWithKey } from '../../protocol/tlog/cosignature.js';
import { noteSigner, readNote } from '../../protocol/tlog/note.js';
import { dayOf } from '../../protocol/time.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import {
  batchOf,
  certificateItem,
  destroyedItem,
  issuer,
  ledgerDeps,
  logSigner,
  noticeItem,
  NOW_MS,
  officer,
  ORIGIN,
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

describe('the published checkpoint', () => {
  const witness = cosignerWithKey('witness.example/one', signerOf('witness one'));
  const policy: WitnessPolicy = {
    logs: [],
    witnesses: [{ name: 'one', cosigner: witness, url: undefined }],
    groups: [],
    quorum: 'one',
  };

  const WITHOUT_QUORUM =
    'lacks cosignatures that the policy asks for (one), as only the first one of a folder, or one from before this policy, may';

  async function publishedLedger(): Promise<{ readonly dir: string; readonly note: string }> {
    const dir = await temporaryFolder();
    const ledger = await openLedger(ledgerDeps(dir));
    await ledger.submit(batchOf(officer, 1, [noticeItem('a'), noticeItem('b')]));
    const signed = await ledger.reader().checkpoint();
    const note = signed + cosign(readNote(signed).text, witness, 1_790_000_000);
    await ledger.submit(batchOf(officer, 2, [noticeItem('c')]));
    await ledger.close();
    await writeFile(join(dir, 'published'), note);
    return { dir, note };
  }

  const check = async (dir: string, withPolicy = true) =>
    fsckLedger({ dir, verifier: logSigner, ...(withPolicy && { policy }) });

  test('is in order with the log that it is of, and any flipped bit of it is found', async () => {
    const { dir, note } = await publishedLedger();
    const report = await check(dir);
    expect(foundIn(report)).toEqual([]);
    expect(report.counted?.cosignaturesChecked).toBe(true);
    expect((await check(dir, false)).counted?.cosignaturesChecked).toBe(false);
    const keyStart = Buffer.from(note).lastIndexOf(witness.name);
    const keyEnd = keyStart + witness.name.length + ' '.length + 6; // base64 of the key hash
    for (let bit = 0; bit < Buffer.byteLength(note) * 8; bit += 29) {
      const flipped = Buffer.from(note);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(join(dir, 'published'), flipped);
      const { findings } = await check(dir);
      // a key of another name or hash may be that of a witness who is no longer asked
      const isOfKey = bit >> 3 >= keyStart && bit >> 3 < keyEnd;
      const kind = isOfKey ? (expect.stringMatching(/^(damage|unchecked)$/) as string) : 'damage';
      expect(findings.kept.length, `bit ${bit}`).toBeGreaterThan(0);
      for (const found of findings.kept)
        expect(found, `bit ${bit}`).toMatchObject({ kind, file: 'published' });
    }
  });

  test('is of use without a cosignature that was damaged, and is said to be of none where all of it is', async () => {
    const { dir, note } = await publishedLedger();
    const damaged = async (at: number, byte: number) => {
      const bytes = Buffer.from(note);
      bytes[at] = byte;
      await writeFile(join(dir, 'published'), bytes);
      return check(dir);
    };
    for (const byte of [0xff, 0x2a, 0x0a]) {
      const report = await damaged(Buffer.byteLength(note) - 20, byte);
      expect(foundIn(report)).toEqual([
        'damage files published has signature lines that cannot be read; the ledger asks for what is missing when it is started',
      ]);
      expect(damageSummary(report, dir)).toMatch(/\. Nothing of the log is lost: do what is said above$/);
    }
    const wrong = await damaged(Buffer.byteLength(note) - 20, note.at(-20) === 'A' ? 66 : 65);
    expect(foundIn(wrong)).toEqual([
      'damage files published is damaged: the cosignature of witness.example/one on the checkpoint is not valid; the ledger asks ' +
        'for what is missing when it is started',
    ]);
    const useless = await damaged(2, 0xff);
    expect(foundIn(useless)).toEqual([
      expect.stringMatching(/^damage files published.* is not a checkpoint .*remove this file, and readers/),
    ]);
    expect(damageSummary(useless, dir)).toContain('. Nothing of the log is lost');
  });

  test('with cosignatures of witnesses who were replaced is in order, and is said not to be checked whole', async () => {
    const { dir } = await publishedLedger();
    const another = cosignerWithKey('witness.example/two', signerOf('witness two'));
    const replaced = { ...policy, witnesses: [{ name: 'one', cosigner: another, url: undefined }] };
    const report = await fsckLedger({ dir, verifier: logSigner, policy: replaced });
    expect(report.findings.damageCount).toBe(0);
    expect(foundIn(report)).toEqual([
      'unchecked files published bears a signature that is of no witness of the policy',
      `unchecked files published ${WITHOUT_QUORUM}`,
    ]);
    expect(report.counted?.cosignaturesChecked).toBe(false);
    expect(cleanLines(report, ORIGIN, dir).join('\n')).toContain('not all cosignatures were checked');
  });

  test('is not checked by a policy that names another log: that is told, and nothing is said of the file', async () => {
    const { dir } = await publishedLedger();
    const another = { verifier: noteSigner('ledger.example/another', officer), url: undefined };
    await expect(
      fsckLedger({ dir, verifier: logSigner, policy: { ...policy, logs: [another] } }),
    ).rejects.toMatchObject({
      code: 'foreign',
      message: expect.stringContaining('names other logs') as string,
    });
  });

  test('without the cosignatures that the policy asks for is no damage, and is said not to have them', async () => {
    const { dir, note } = await publishedLedger();
    const [text, signatures = ''] = note.split('\n\n');
    const [own = ''] = signatures.split('\n');
    await writeFile(join(dir, 'published'), `${text}\n\n${own}\n`);
    const report = await check(dir);
    expect(report.findings.damageCount).toBe(0);
    expect(foundIn(report)).toEqual([`unchecked files published ${WITHOUT_QUORUM}`]);
    expect(cleanLines(report, ORIGIN, dir).join('\n')).not.toContain('not all cosignatures were checked');
    const nobody = await fsckLedger({ dir, verifier: logSigner, policy: { ...policy, quorum: undefined } });
    expect(foundIn(nobody)).toEqual([]);
    expect(nobody.counted?.cosignaturesChecked).toBe(true);
    expect(foundIn(await check(dir, false))).toEqual([]);
  });

  test('is evidence of entries that are lost, or are others now', async () => {
    const { dir } = await publishedLedger();
    const cosigned = (size: number): string => {
      const signed = signCheckpoint(
        { origin: ORIGIN, size: asTreeSize(size), root: new Uint8Array(32) },
        logSigner,
      );
      return signed + cosign(readNote(signed).text, witness, 1_790_000_000);
    };
    await writeFile(join(dir, 'published'), cosigned(9));
    expect(foundIn(await check(dir))).toEqual([
      'damage state #3 and those behind it are lost: 9 entries were published',
    ]);
    await writeFile(join(dir, 'published'), cosigned(2));
    expect(foundIn(await check(dir))).toEqual([
      'damage state the log of 2 entries has another root than was published',
    ]);
  });

  test('that was never put in its place is only mentioned', async () => {
    const { dir } = await publishedLedger();
    await cp(join(dir, 'published'), join(dir, 'published.new'));
    expect(foundIn(await check(dir))).toEqual(['leftover files published.new was never put in its place']);
    expect((await readFile(join(dir, 'published.new'))).length).toBeGreaterThan(0);
  });
});
