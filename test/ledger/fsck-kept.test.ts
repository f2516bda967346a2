/** What fsck makes of payloads that are gone, by the book or not, and of the checkpoint that was published. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { openLedger } from '../../ledger/ledger.js';
import { payloadKey } from '../../ledger/store-keys.js';
import { decodePayloadSegment, encodePayloadSegment } from '../../ledger/store-payloads.js';
import { asTreeSize } from '../../protocol/brands.js';
import { signCheckpoint } from '../../protocol/checkpoint.js';
import { cosign, cosignerWithKey } from '../../protocol/cosignature.js';
import { ENTRY_TYPE } from '../../protocol/entry.js';
import { readNote } from '../../protocol/note.js';
import { encodePruningPayload } from '../../protocol/payload-pruning.js';
import { dayOf } from '../../protocol/time.js';
import type { WitnessPolicy } from '../../protocol/witness-policy.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  logSigner,
  noticeItem,
  NOW_MS,
  officer,
  ORIGIN,
  reportItem,
  signerOf,
  temporaryFolder,
} from './deployment.js';
import { checkFolder, foundIn, onStore, WRITERS } from './fsck-folder.js';

const gateway = signerOf('gateway one');
const DAY = dayOf(NOW_MS / 1000);

function pruningItem(day: number) {
  const payload = encodePruningPayload({ salt: new Uint8Array(16).fill(9), day, prunedAtMs: NOW_MS });
  return { type: ENTRY_TYPE.pruning, timeMs: NOW_MS, payload };
}

/** Entries 0: a gateway, 1 and 2: reports of one day, 3: the pruning of a day, 4: a report of that day again. */
async function prunedLedger(day: number): Promise<string> {
  const dir = await temporaryFolder();
  const ledger = await openLedger(ledgerDeps(dir, { writers: WRITERS }));
  await ledger.submit(batchOf(issuer, 1, [certificateItem(gateway)]));
  await ledger.submit(batchOf(gateway, 1, [reportItem(gateway), reportItem(gateway)]));
  await ledger.submit(batchOf(issuer, 2, [pruningItem(day)]));
  await ledger.submit(batchOf(gateway, 2, [reportItem(gateway)]));
  await ledger.close();
  return dir;
}

async function dropPayloads(dir: string, indexes: readonly number[]): Promise<void> {
  await onStore(dir, async (db) => {
    const range = { gte: payloadKey(DAY, 0), lt: payloadKey(DAY + 1, 0) };
    for (const [key, value] of await db.iterator(range).all()) {
      const left = decodePayloadSegment(value).filter(({ index }) => !indexes.includes(index));
      await db.del(key);
      if (left[0]) await db.put(payloadKey(DAY, left[0].index), encodePayloadSegment(left));
    }
  });
}

describe('payloads that are gone', () => {
  test('are pruned when the log says so, and only those from before it said so', async () => {
    const dir = await prunedLedger(DAY);
    expect(foundIn(await checkFolder(dir))).toEqual([
      `leftover files #3 pruned day ${DAY}, and payloads of it are still stored; the ledger removes them when it starts`,
    ]);
    await dropPayloads(dir, [1, 2]);
    const report = await checkFolder(dir);
    expect(foundIn(report)).toEqual([]);
    expect(report.counted).toMatchObject({ payloadsPruned: 2, payloadsStored: 3 });
    await dropPayloads(dir, [4]);
    expect(foundIn(await checkFolder(dir))).toEqual([
      'damage payloads #4 has lost its payload: no pruning of its day is recorded',
    ]);
  });

  test('are lost when the log says nothing of their day', async () => {
    const dir = await prunedLedger(DAY - 1);
    await dropPayloads(dir, [1, 2]);
    const report = await checkFolder(dir);
    expect(foundIn(report)).toEqual(
      [1, 2].map(
        (index) => `damage payloads #${index} has lost its payload: no pruning of its day is recorded`,
      ),
    );
    expect(report.counted?.payloadsPruned).toBe(0);
  });

  test('are lost when somebody else than the issuer says that they were pruned', async () => {
    const dir = await temporaryFolder();
    const writers = WRITERS.map((writer) => ({ ...writer, types: [...writer.types, ENTRY_TYPE.pruning] }));
    const ledger = await openLedger(ledgerDeps(dir, { writers }));
    await ledger.submit(batchOf(officer, 1, [noticeItem('a'), pruningItem(DAY)]));
    await ledger.close();
    expect(foundIn(await checkFolder(dir))).toEqual([
      'damage payloads #1 prunes a day, and is not the issuer’s',
    ]);
  });
});

describe('the published checkpoint', () => {
  const witness = cosignerWithKey('witness.example/one', signerOf('witness one'));
  const policy: WitnessPolicy = {
    logs: [],
    witnesses: [{ name: 'one', cosigner: witness, url: undefined }],
    groups: [],
    quorum: 'one',
  };

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
    for (let bit = 0; bit < Buffer.byteLength(note) * 8; bit += 29) {
      const flipped = Buffer.from(note);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(join(dir, 'published'), flipped);
      const { findings } = await check(dir);
      expect(findings.kept, `bit ${bit}`).toMatchObject([{ kind: 'damage', file: 'published' }]);
    }
  });

  test('is evidence of entries that are lost, or are others now', async () => {
    const { dir } = await publishedLedger();
    const ahead = signCheckpoint(
      { origin: ORIGIN, size: asTreeSize(9), root: new Uint8Array(32) },
      logSigner,
    );
    await writeFile(join(dir, 'published'), ahead);
    expect(foundIn(await check(dir))).toEqual([
      'damage state #3 and those behind it are lost: 9 entries were published',
    ]);
    const other = signCheckpoint(
      { origin: ORIGIN, size: asTreeSize(2), root: new Uint8Array(32) },
      logSigner,
    );
    await writeFile(join(dir, 'published'), other);
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
