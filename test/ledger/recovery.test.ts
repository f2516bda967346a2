import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scanFrames } from '../../ledger/store/journal-frames.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { verifyLog } from '../../ledger/verify/verify.js';
import { silentLog, type LogFields } from '../../protocol/log.js';
import {
  batchOf,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  openReceipt,
  pruningItem,
  temporaryFolder,
} from './deployment.js';

const batchOfSeq = (seq: number) =>
  batchOf(officer, seq, [noticeItem(`${seq}`), noticeItem(`${seq}, again`)]);

async function append(ledger: Ledger, from: number, to: number): Promise<void> {
  for (let seq = from; seq < to; seq++) await ledger.submit(batchOfSeq(seq));
}

/** The folder as a power cut would leave it just now: LevelDB knows nothing yet of the newest commits. */
async function cutOff(dir: string): Promise<string> {
  const copy = await temporaryFolder();
  await cp(dir, copy, { recursive: true });
  return copy;
}

/** A folder whose ledger was cut off with the commits of batches 20..39 in the journal alone. */
async function folderAheadOfItsDatabase(): Promise<string> {
  const dir = await temporaryFolder();
  const first = await openLedger(ledgerDeps(dir));
  await append(first, 0, 20);
  await first.close();
  const before = await cutOff(dir);
  const second = await openLedger(ledgerDeps(dir));
  await append(second, 20, 40);
  const after = await cutOff(dir);
  await second.close();
  await rm(join(after, 'store'), { recursive: true });
  await cp(join(before, 'store'), join(after, 'store'), { recursive: true });
  return after;
}

async function expectAll(dir: string, batches: number): Promise<void> {
  const ledger = await openLedger(ledgerDeps(dir));
  expect(ledger.status().size).toBe(2 * batches);
  for (let seq = 0; seq < batches; seq++) {
    const batch = batchOfSeq(seq);
    const { outcomes } = openReceipt(await ledger.submit(batch), batch);
    expect(outcomes.map(({ index }) => index)).toEqual([2 * seq, 2 * seq + 1]);
  }
  const summary = await verifyLog(ledger.reader(), logSigner, { payloads: true });
  expect(summary).toMatchObject({ payloads: 2 * batches, withoutPayload: [] });
  await ledger.close();
}

async function journalOf(dir: string): Promise<{ path: string; end: number }> {
  for (const name of ['journal-0', 'journal-1']) {
    const { frames, end } = scanFrames(await readFile(join(dir, name)));
    if (frames.length > 0) return { path: join(dir, name), end };
  }
  throw new Error('no journal holds a frame');
}

const NOT_WHOLE =
  'the journal ends in a commit that is not whole, as a power cut leaves it, or a kill while the journal is wiped';

/** What a ledger logs as it is opened, and of which file. */
async function toldOf(dir: string): Promise<string[]> {
  const told: string[] = [];
  const info = (message: string, fields?: LogFields) =>
    void told.push(`${message}: ${String(fields?.['file'])}`);
  await (await openLedger(ledgerDeps(dir, { log: { ...silentLog, info } }))).close();
  return told;
}

describe('a ledger opened after the power was cut', () => {
  test('has what its database had not synced, from the journal, and again when cut off while putting it back', async () => {
    const dir = await folderAheadOfItsDatabase();
    const twice = await cutOff(dir);
    await expectAll(dir, 40);
    await expectAll(dir, 40);
    await expectAll(twice, 40);
  });

  test('leaves no frame behind when it is closed', async () => {
    const dir = await folderAheadOfItsDatabase();
    await expectAll(dir, 40);
    await expect(journalOf(dir)).rejects.toThrow('no journal');
  });

  test('does not open when the last frame it answered for is damaged and nothing else has that commit', async () => {
    const dir = await folderAheadOfItsDatabase();
    const { path, end } = await journalOf(dir);
    const bytes = await readFile(path);
    bytes.writeUInt8((bytes[end - 5] ?? 0) ^ 1, end - 5);
    await writeFile(path, bytes);
    await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('one bit was flipped; commits up to commit 40 were') as string,
    });
  });

  test('goes on when a frame that was never answered is cut short', async () => {
    const dir = await folderAheadOfItsDatabase();
    const { path, end } = await journalOf(dir);
    const bytes = await readFile(path);
    const torn = Buffer.from(bytes.subarray(0, end));
    await writeFile(path, Buffer.concat([bytes.subarray(0, end), torn.subarray(0, 30)]));
    await expectAll(dir, 40);
  });

  test('says when its journal ends in a commit that is not whole, and says nothing when it does not', async () => {
    const dir = await folderAheadOfItsDatabase();
    const whole = await cutOff(dir);
    const { path, end } = await journalOf(dir);
    const bytes = (await readFile(path)).subarray(0, end);
    const next = Buffer.from(bytes.subarray(0, 100));
    next.writeUIntBE((scanFrames(bytes).frames.at(-1)?.commit ?? 0) + 1, 4, 6);
    await writeFile(path, Buffer.concat([bytes, next]));
    expect(await toldOf(dir)).toEqual([`${NOT_WHOLE}: ${basename(path)}`]);
    expect(await toldOf(dir)).toEqual([]);
    expect(await toldOf(whole)).toEqual([]);
  });

  test('says the same when a kill left a part of a commit that its database has, and has that commit', async () => {
    const dir = await temporaryFolder();
    const ledger = await openLedger(ledgerDeps(dir));
    const items = Array.from({ length: 60 }, (_, i) => noticeItem(`${i}`));
    await ledger.submit(batchOf(officer, 0, items));
    const { path, end } = await journalOf(dir);
    const bytes = (await readFile(path)).fill(0, end / 2);
    await ledger.close();
    await writeFile(path, bytes);
    expect(await toldOf(dir)).toEqual([`${NOT_WHOLE}: ${basename(path)}`]);
    const again = await openLedger(ledgerDeps(dir));
    expect(again.status().size).toBe(60);
    await again.close();
  });

  test('does not open when its database is older than what its journal begins with', async () => {
    const dir = await temporaryFolder();
    await (await openLedger(ledgerDeps(dir))).close();
    const empty = await cutOff(dir);
    const first = await openLedger(ledgerDeps(dir));
    await append(first, 0, 20);
    await first.close();
    const second = await openLedger(ledgerDeps(dir));
    await append(second, 20, 25);
    const after = await cutOff(dir);
    await second.close();
    await cp(join(empty, 'store'), join(after, 'store'), { recursive: true });
    await expect(openLedger(ledgerDeps(after))).rejects.toMatchObject({ code: 'damaged' });
  });

  test('does not open when the journal is gone and the database is behind', async () => {
    const dir = await folderAheadOfItsDatabase();
    for (const name of ['journal-0', 'journal-1']) await truncate(join(dir, name));
    await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({ code: 'damaged' });
  });

  test('judges a batch that it only refused anew when nobody was answered for it, and gives the same receipt', async () => {
    const { before, refused, receipt } = await folderWithoutItsRefusal();
    const third = await openLedger(ledgerDeps(before));
    expect(openReceipt(receipt, refused).outcomes[0]?.index).toBeNull();
    expect(Buffer.from(await third.submit(refused))).toEqual(Buffer.from(receipt));
    await third.close();
  });

  test('does not open when a refusal that was answered for is lost, and fsck says that no entry is', async () => {
    const { dir, before } = await folderWithoutItsRefusal();
    await cp(join(dir, 'head'), join(before, 'head'));
    const told = { code: 'damaged', message: expect.stringContaining('answered for commit') as string };
    await expect(openLedger(ledgerDeps(before))).rejects.toMatchObject(told);
    const { findings } = await fsckLedger({ dir: before, verifier: logSigner });
    expect(findings.kept).toMatchObject([
      { kind: 'damage', what: expect.stringContaining('and no entry') as string },
    ]);
  });
});

/** A ledger that refused a batch last, and a copy of its folder from before that. */
async function folderWithoutItsRefusal() {
  const dir = await temporaryFolder();
  const first = await openLedger(ledgerDeps(dir));
  await append(first, 0, 2);
  await first.close();
  const before = await cutOff(dir);
  const refused = batchOf(officer, 2, [pruningItem(20_000)]);
  const second = await openLedger(ledgerDeps(dir));
  const receipt = await second.submit(refused);
  await second.close();
  return { dir, before, refused, receipt };
}
