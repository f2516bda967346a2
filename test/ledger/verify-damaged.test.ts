/** A verification of a log of which some payloads are damaged: it goes on, and what else it verifies is verified. */
import { expect, test } from 'vitest';
import { verifyLog } from '../../ledger/verify/verify.js';
import { toHex } from '../../protocol/bytes.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { entriesOf } from '../../protocol/tlog/tile.js';
import { destroyedItem, issuer, logSigner, pruningItem, temporaryFolder } from './deployment.js';
import { DAY, grown } from './pruning-stage.js';

const verified = (reader: LedgerReader) => verifyLog(reader, logSigner, { payloads: true });

/** 47 entries: 0 a certificate, 1 to 40 reports that entry 46 prunes, 41 a notice, 42 to 44 reports, 45 and 46 what ends the day. */
async function pruned() {
  const { ledger, say } = await grown(await temporaryFolder());
  await say(issuer, destroyedItem(DAY), pruningItem(DAY));
  return ledger;
}

/** The payloads of these entries are damaged. */
async function damagedIn(reader: LedgerReader, ...indexes: readonly number[]): Promise<LedgerReader> {
  const entries = entriesOf(await reader.entryBundle(0, 47), 47).map(decodeEntry);
  const damaged = new Set(indexes.map((index) => toHex(entries[index]?.payloadSha256 ?? new Uint8Array())));
  const payloads: LedgerReader['payloads'] = async (hashes) => {
    if (!hashes.some((hash) => damaged.has(toHex(hash)))) return reader.payloads(hashes);
    throw new FirebreakError('damaged-payload', 'one of them is not the one that was logged');
  };
  return { ...reader, payloads };
}

test('counts damaged payloads, names them, and counts all others', async () => {
  const ledger = await pruned();
  expect(await verified(await damagedIn(ledger.reader(), 41, 43))).toMatchObject({
    ...{
      checkpoint: { size: 47 },
      payloads: 5,
      damaged: 2,
      withDamagedPayload: [41, 43],
      lost: 0,
      unproven: 0,
    },
    pruned: [{ day: DAY, prunedBy: 46, payloads: 40 }],
  });
  expect(await verified(ledger.reader())).toMatchObject({ payloads: 7, damaged: 0, withDamagedPayload: [] });
  await ledger.close();
});

test('names the first ten of many, and counts all', async () => {
  const { ledger, say } = await grown(await temporaryFolder());
  await say(issuer, destroyedItem(DAY - 9), destroyedItem(DAY - 8));
  const all = Array.from({ length: 30 }, (_, k) => k + 3);
  const { damaged, withDamagedPayload } = await verified(await damagedIn(ledger.reader(), ...all));
  expect([damaged, withDamagedPayload]).toEqual([30, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]);
  await ledger.close();
});

test('does not take for proven what an entry prunes whose own payload is damaged, nor for a lie', async () => {
  const ledger = await pruned();
  const reader = await damagedIn(ledger.reader(), 46);
  expect(await verified(reader)).toMatchObject({
    damaged: 1,
    withDamagedPayload: [46],
    pruned: [],
    unproven: 40,
  });
  const lying: LedgerReader = {
    ...reader,
    payloads: async (hashes) =>
      (await reader.payloads(hashes)).map((found) =>
        found !== undefined && 'prunedBy' in found ? { ...found, prunedAtMs: found.prunedAtMs + 1 } : found,
      ) as Awaited<ReturnType<LedgerReader['payloads']>>,
  };
  await expect(verified(lying)).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringContaining('pruned by entry 46, which does not say so') as string,
  });
  await ledger.close();
});

test('says of a log that is not whole what it met of damaged payloads before it found that out', async () => {
  const ledger = await pruned();
  const reader = await damagedIn(ledger.reader(), 5);
  const forged: LedgerReader = {
    ...reader,
    payloads: async (hashes) =>
      (await reader.payloads(hashes)).map((found) =>
        found !== undefined && 'prunedBy' in found ? { ...found, prunedBy: 45 } : found,
      ),
  };
  await expect(verified(forged)).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringMatching(
      /entry 45, which does not say so\. Before that: 1 payload is damaged: that of entry 5$/,
    ) as string,
  });
  await ledger.close();
});

test('stops when the ledger is away', async () => {
  const ledger = await pruned();
  const payloads = () => Promise.reject(new FirebreakError('unreachable', 'the ledger is away'));
  await expect(verified({ ...ledger.reader(), payloads })).rejects.toMatchObject({ code: 'unreachable' });
  await ledger.close();
});
