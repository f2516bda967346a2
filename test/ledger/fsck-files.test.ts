/** What fsck makes of a ledger's files: flipped bits, files that are gone, cut short or strange, and killed ledgers. */
import { appendFileSync, rmSync } from 'node:fs';
import { appendFile, cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Findings } from '../../ledger/fsck/findings.js';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { checkHeadSlots } from '../../ledger/fsck/head-slots.js';
import { checkJournal } from '../../ledger/fsck/journal-check.js';
import { openLedger } from '../../ledger/ledger.js';
import { SLOT_BYTES } from '../../ledger/store/head-slot.js';
import { batchOf, ledgerDeps, logSigner, noticeItem, officer, temporaryFolder } from './deployment.js';
import { KILLED_POLICY, prunedAndKilled } from './fsck-killed.js';
import { countFlips, seeded } from './fsck-flips.js';
import { checkFolder, foundIn, storedFiles, variedLedger } from './fsck-folder.js';
import { anySigned } from './journal-file.js';

const noticesOf = (seq: number, count: number) =>
  batchOf(
    officer,
    seq,
    Array.from({ length: count }, (_, i) => noticeItem(`${seq}/${i}`)),
  );

/** A stopped ledger of two runs: a table and a write-ahead log whose last record is the last commit. */
async function stoppedLedger(): Promise<string> {
  const dir = await temporaryFolder();
  for (const run of [1, 2]) {
    const ledger = await openLedger(ledgerDeps(dir));
    for (const n of [0, 1, 2]) await ledger.submit(noticesOf(run * 10 + n, 40));
    await ledger.close();
  }
  return dir;
}

/** What a power cut leaves right after the last answer: the newest commits are in the journal and nowhere else. */
async function killedLedger(commits: number): Promise<string> {
  const dir = await stoppedLedger();
  const killed = await temporaryFolder();
  for (const name of ['store', 'payloads'])
    await cp(join(dir, name), join(killed, name), { recursive: true });
  const ledger = await openLedger(ledgerDeps(dir));
  for (let n = 0; n < commits; n++) await ledger.submit(noticesOf(100 + n, 20 + n));
  for (const name of ['head', 'journal-0', 'journal-1']) await cp(join(dir, name), join(killed, name));
  await ledger.close();
  return killed;
}

const fileOf = async (dir: string, ending: string): Promise<string> =>
  join(dir, (await storedFiles(dir)).find(({ file }) => file.endsWith(ending))?.file ?? ending);

const found = async (dir: string): Promise<string[]> => foundIn(await checkFolder(dir));

describe('fsck', () => {
  test('finds each of 150 flipped bits all over the files of a ledger, and names the file', async () => {
    const dir = await temporaryFolder();
    await variedLedger(dir, { rounds: 3, batches: 2 });
    expect(await found(dir)).toEqual([]);
    const counted = await countFlips(dir, { flips: 150, seed: 3 });
    expect(counted.missed).toEqual([]);
    expect(counted).toMatchObject({ found: 150, rightFile: 150 });
    expect(counted.rightByte).toBeGreaterThan(120);
    expect(Object.keys(counted.flipsByKind).sort()).toEqual([
      '*.ldb',
      '*.log',
      'CURRENT',
      'MANIFEST-*',
      'head',
      'payloads/*',
      'payloads/kept',
    ]);
    expect(await found(dir)).toEqual([]);
  });

  test('finds each of 80 flipped bits of a ledger that was killed, but where no damage can be', async () => {
    const dir = join(await temporaryFolder(), 'killed');
    await prunedAndKilled(dir, { batches: 12, journalTurnBytes: 64 * 1024 });
    const report = await checkFolder(dir, KILLED_POLICY);
    expect(foundIn(report)).toEqual([]);
    expect(report.counted).toMatchObject({ payloadsPruned: 40, cosignaturesChecked: true });
    const counted = await countFlips(dir, { flips: 80, seed: 4, policy: KILLED_POLICY });
    expect(counted.missed).toEqual([]);
    const exempt = Object.values(counted.exempt).reduce((sum, count) => sum + count, 0);
    expect(counted.found + exempt).toBe(80);
    expect(counted.found).toBeGreaterThan(40);
    expect(Object.keys(counted.flipsByKind)).toEqual(
      expect.arrayContaining(['journal-0', 'journal-1', 'published', 'head', 'payloads/kept']),
    );
  });

  test('says what is missing of a ledger whose database is gone', async () => {
    const dir = await stoppedLedger();
    await rm(join(dir, 'store'), { recursive: true });
    expect(await found(dir)).toContain('damage files store/CURRENT is missing');
  });

  test('changes nothing, and opens nothing for writing', async () => {
    const dir = await stoppedLedger();
    const before = await storedFiles(dir);
    await checkFolder(dir);
    expect(await storedFiles(dir)).toEqual(before);
  });

  test('says that there is no ledger, and when one is written to meanwhile', async () => {
    await expect(checkFolder(await temporaryFolder())).rejects.toMatchObject({ code: 'not-found' });
    const dir = await stoppedLedger();
    const writesMeanwhile = {
      ...logSigner,
      get name() {
        appendFileSync(join(dir, 'head'), Buffer.of(0));
        return logSigner.name;
      },
    };
    await expect(fsckLedger({ dir, verifier: writesMeanwhile })).rejects.toMatchObject({ code: 'locked' });
  });

  test('says so too when a file it was about to read is gone by then', async () => {
    const dir = await stoppedLedger();
    const table = await fileOf(dir, '.ldb');
    const removesMeanwhile = {
      ...logSigner,
      get name() {
        rmSync(table, { force: true });
        return logSigner.name;
      },
    };
    await expect(fsckLedger({ dir, verifier: removesMeanwhile })).rejects.toMatchObject({ code: 'locked' });
  });

  test('names files that are gone, cut short or of no use', async () => {
    const dir = await stoppedLedger();
    const table = await fileOf(dir, '.ldb');
    const name = table.slice(dir.length + 1);
    const bytes = await readFile(table);
    await truncate(table, bytes.length - 1);
    expect((await found(dir))[0]).toBe(
      `damage files ${name} @0 it has ${bytes.length - 1} bytes, and the manifest says ${bytes.length}`,
    );
    await rm(table);
    expect((await found(dir))[0]).toBe(`damage files ${name} is missing`);
    await writeFile(table, bytes);
    await writeFile(join(dir, 'store', '000999.ldb'), 'half a table');
    await writeFile(join(dir, 'store', 'notes.txt'), '');
    await writeFile(join(dir, 'day.key'), '');
    expect(await found(dir)).toEqual([
      'damage files day.key does not belong into a ledger’s folder',
      'damage files store/notes.txt does not belong into a ledger’s store',
      'leftover files store/000999.ldb is not in use; LevelDB removes it when it starts',
    ]);
  });

  test('names what LevelDB needs to know what it holds, when it is gone', async () => {
    for (const [ending, line] of [
      ['CURRENT', 'damage files store/CURRENT is missing'],
      ['MANIFEST', 'damage files store/CURRENT @0 names MANIFEST'],
    ] as const) {
      const dir = await stoppedLedger();
      const file = (await storedFiles(dir)).find((one) => one.file.includes(ending))?.file ?? '';
      await rm(join(dir, file));
      const report = await checkFolder(dir);
      expect(foundIn(report)[0]).toContain(line);
      expect(report.counted).toBeUndefined();
    }
  });

  test('does not believe a log that lost what was answered for', async () => {
    const dir = await stoppedLedger();
    const log = await fileOf(dir, '.log');
    const { length } = await readFile(log);
    await truncate(log, length - 100);
    expect((await found(dir)).join('\n')).toMatch(
      /#\d+ and those behind it are lost: 240 entries were answered for/,
    );
    await rm(log);
    const lines = await found(dir);
    expect(lines[0]).toBe(`damage files ${log.slice(dir.length + 1)} is missing`);
    expect(lines.join('\n')).toContain('#120 and those behind it are lost: 240 entries were answered for');
  });

  test('takes the rest of a write that was never answered for what it is', async () => {
    const dir = await stoppedLedger();
    const log = await fileOf(dir, '.log');
    const { length } = await readFile(log);
    const header = Buffer.from([1, 2, 3, 4, 0xe8, 0x03, 1]); // 1,000 bytes were to follow
    await appendFile(log, Buffer.concat([header, Buffer.alloc(300, 7)]));
    const report = await checkFolder(dir);
    expect(foundIn(report)).toEqual([
      `interrupted files ${log.slice(dir.length + 1)} @${length} ends in a write that was cut short`,
    ]);
    expect(report.findings.damageCount).toBe(0);
  });
});

describe('fsck on a killed ledger', () => {
  test('counts what only its journal holds', async () => {
    const dir = await killedLedger(5);
    const report = await checkFolder(dir);
    expect(foundIn(report)).toEqual([]);
    expect(report.counted).toMatchObject({ size: 240 + 20 + 21 + 22 + 23 + 24, batches: 11 });
  });

  test('finds any bit of the journal that was flipped, and where nothing is written', async () => {
    const dir = await killedLedger(3);
    const journal = await readFile(join(dir, 'journal-0'));
    const random = seeded(17);
    const end = journal.findLastIndex((byte) => byte !== 0) + 1;
    for (let n = 0; n < 60; n++) {
      const at = Math.floor(random() * (n % 3 === 0 ? journal.length : end));
      const flipped = Buffer.from(journal);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      const findings = new Findings();
      checkJournal([{ name: 'journal-0', bytes: flipped }], findings, anySigned);
      expect(findings.damageCount, `byte ${at}`).toBeGreaterThan(0);
      expect(findings.kept[0]).toMatchObject({ file: 'journal-0', offset: at });
    }
  });

  test('does not believe a journal that lost what was answered for', async () => {
    const dir = await killedLedger(3);
    const path = join(dir, 'journal-0');
    const journal = await readFile(path);
    const end = journal.findLastIndex((byte) => byte !== 0) + 1;
    await truncate(path, end - 1000);
    const lines = await found(dir);
    expect(lines.join('\n')).toMatch(/interrupted files journal-0 @\d+ ends in a write that was cut short/);
    expect(lines.join('\n')).toContain('#281 and those behind it are lost: 303 entries were answered for');
  });
});

describe('the head file', () => {
  test('has no bit that may change unnoticed, and one slot that may be torn', async () => {
    const dir = await stoppedLedger();
    const file = await readFile(join(dir, 'head'));
    const check = (bytes: Buffer) => {
      const findings = new Findings();
      const heads = checkHeadSlots(bytes, findings);
      return { sizes: heads.map(({ size }) => size), damage: findings.damageCount, found: findings.kept };
    };
    const whole = check(file);
    expect(whole).toMatchObject({ damage: 0, found: [] });
    expect(whole.sizes[0]).toBe(240);
    for (let bit = 0; bit < file.length * 8; bit += bit < 128 ? 1 : 5) {
      const flipped = Buffer.from(file);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(check(flipped).found[0], `bit ${bit}`).toMatchObject({ kind: 'damage', offset: bit >> 3 });
    }
    for (const slot of [0, SLOT_BYTES]) {
      const torn = Buffer.from(file);
      torn.fill(0x5a, slot + 20, slot + 90);
      expect(check(torn)).toMatchObject({ damage: 0, found: [{ kind: 'interrupted', offset: slot }] });
    }
    expect(check(Buffer.from(file).fill(0x5a)).damage).toBeGreaterThan(0);
  });
});
