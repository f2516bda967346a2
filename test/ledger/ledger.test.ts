import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { asUnixMs } from '../../protocol/brands.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { refusalNumber, type Refusal } from '../../protocol/errors.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { partyIdOf } from '../../protocol/keys.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  logSigner,
  noticeItem,
  NOW_MS,
  officer,
  openReceipt,
  reportItem,
  revocationItem,
  signerOf,
  temporaryFolder,
} from './deployment.js';

const gateway = signerOf('gateway one');
/** A type that says nothing of its payload. */
const UNASSIGNED = 11;
const accepted = (index: number) => ({ reason: 0, index });
const refused = (refusal: Refusal) => ({ reason: refusalNumber(refusal), index: null });

async function withLedger(run: (ledger: Ledger) => Promise<void>): Promise<void> {
  const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
  try {
    await run(ledger);
  } finally {
    await ledger.close();
  }
}

async function outcomes(ledger: Ledger, writer: Signer, seq: number, items: readonly BatchItem[]) {
  const batch = batchOf(writer, seq, items);
  return openReceipt(await ledger.submit(batch, partyIdOf(writer.publicKey)), batch).outcomes;
}

describe('a ledger', () => {
  test('publishes a signed checkpoint of the empty log before the first entry', () =>
    withLedger(async (ledger) => {
      expect(openCheckpoint(await ledger.reader().checkpoint(), logSigner).size).toBe(0);
    }));

  test('answers a batch with an index for each item and a checkpoint that covers them', () =>
    withLedger(async (ledger) => {
      const batch = batchOf(officer, 1, [noticeItem('a'), noticeItem('b')]);
      const receipt = openReceipt(await ledger.submit(batch), batch);
      expect(receipt.outcomes).toEqual([accepted(0), accepted(1)]);
      expect(openCheckpoint(receipt.checkpoint, logSigner).size).toBe(2);
      expect(await ledger.reader().checkpoint()).toBe(receipt.checkpoint);
    }));

  test('gives the same receipt, byte for byte, to a batch that is sent again later', () =>
    withLedger(async (ledger) => {
      const batch = batchOf(officer, 1, [noticeItem('a')]);
      const first = await ledger.submit(batch);
      await ledger.submit(batchOf(officer, 2, [noticeItem('b')]));
      expect(Buffer.from(await ledger.submit(batch))).toEqual(Buffer.from(first));
      expect(ledger.status().size).toBe(2);
    }));

  test('appends a batch that is sent many times at once only once', () =>
    withLedger(async (ledger) => {
      const batch = batchOf(officer, 1, [noticeItem('a'), noticeItem('b')]);
      const receipts = await Promise.all(Array.from({ length: 20 }, () => ledger.submit(batch)));
      for (const receipt of receipts)
        expect(openReceipt(receipt, batch).outcomes).toEqual([accepted(0), accepted(1)]);
      expect(ledger.status()).toMatchObject({ size: 2, counters: { batches: 1 } });
    }));

  test('refuses another batch under a sequence number that is taken, also within one commit', () =>
    withLedger(async (ledger) => {
      const one = batchOf(officer, 7, [noticeItem('a')]);
      const other = batchOf(officer, 7, [noticeItem('b'), noticeItem('c')]);
      const [, raced] = await Promise.all([ledger.submit(one), ledger.submit(other)]);
      expect(openReceipt(raced, other).outcomes).toEqual([refused('sequence'), refused('sequence')]);
      expect(openReceipt(await ledger.submit(other), other).outcomes[0]).toEqual(refused('sequence'));
      expect(ledger.status().size).toBe(1);
    }));

  test('orders several writers that race, and gives each index once', () =>
    withLedger(async (ledger) => {
      await outcomes(
        ledger,
        issuer,
        1,
        Array.from({ length: 8 }, (_, i) => certificateItem(signerOf(`gateway ${i}`))),
      );
      const runs = Array.from({ length: 8 }, async (_, writer) => {
        const who = signerOf(`gateway ${writer}`);
        const answers = Array.from({ length: 6 }, (_, seq) =>
          outcomes(ledger, who, seq, [reportItem(who), reportItem(who)]),
        );
        return (await Promise.all(answers)).flat();
      });
      const indexes = (await Promise.all(runs)).flat().map(({ index }) => index);
      expect(new Set(indexes).size).toBe(96);
      expect(Math.max(...indexes.map(Number))).toBe(103);
      expect(ledger.status().commits).toBeLessThan(49);
    }));

  test('answers a report it has with its first index, whoever brings it in whatever batch', () =>
    withLedger(async (ledger) => {
      await outcomes(ledger, issuer, 1, [certificateItem(gateway)]);
      const report = reportItem(gateway);
      expect(await outcomes(ledger, gateway, 1, [report, report])).toEqual([accepted(1), accepted(1)]);
      expect(await outcomes(ledger, gateway, 2, [reportItem(gateway), report])).toEqual([
        accepted(2),
        accepted(1),
      ]);
      expect(ledger.status()).toMatchObject({ size: 3, counters: { duplicates: 2 } });
    }));

  test('refuses the bytes of a report as an entry of another type: they go with the report’s day', async () => {
    const writers = [
      { publicKey: issuer.publicKey, types: [ENTRY_TYPE.gateway] },
      { publicKey: officer.publicKey, types: [ENTRY_TYPE.notices, UNASSIGNED] },
    ];
    const ledger = await openLedger(ledgerDeps(await temporaryFolder(), { writers }));
    try {
      await outcomes(ledger, issuer, 1, [certificateItem(gateway)]);
      const [stored, underWay] = [reportItem(gateway), reportItem(gateway)];
      await outcomes(ledger, gateway, 1, [stored]);
      const copyOf = ({ payload, timeMs }: BatchItem) => ({ type: UNASSIGNED, timeMs, payload });
      expect(await outcomes(ledger, officer, 1, [copyOf(stored)])).toEqual([refused('type')]);
      const together = [
        outcomes(ledger, gateway, 2, [underWay]),
        outcomes(ledger, officer, 2, [copyOf(underWay), noticeItem('a')]),
      ];
      expect(await Promise.all(together)).toEqual([[accepted(2)], [refused('type'), accepted(3)]]);
    } finally {
      await ledger.close();
    }
  });

  test('appends a notice that is published twice twice', () =>
    withLedger(async (ledger) => {
      expect(await outcomes(ledger, officer, 1, [noticeItem('a'), noticeItem('a')])).toEqual([
        accepted(0),
        accepted(1),
      ]);
    }));
});

describe('admission', () => {
  test('refuses a writer nobody vouched for, and takes it once the issuer certifies it', () =>
    withLedger(async (ledger) => {
      expect(ledger.knows(gateway.publicKey)).toBe(false);
      const report = reportItem(gateway);
      expect(await outcomes(ledger, gateway, 1, [report])).toEqual([refused('certificate')]);
      await outcomes(ledger, issuer, 1, [certificateItem(gateway)]);
      expect(ledger.knows(gateway.publicKey)).toBe(true);
      expect(await outcomes(ledger, gateway, 1, [report])).toEqual([accepted(1)]);
    }));

  test('refuses entries of a type that is not the writer’s', () =>
    withLedger(async (ledger) => {
      const items = [{ ...noticeItem('a'), type: ENTRY_TYPE.dayKey }, noticeItem('b')];
      expect(await outcomes(ledger, officer, 1, items)).toEqual([refused('type'), accepted(0)]);
    }));

  test('refuses a batch that another key signed', () =>
    withLedger(async (ledger) => {
      const batch = batchOf(officer, 1, [noticeItem('a')]);
      const forged = Uint8Array.from(batch);
      forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
      expect(openReceipt(await ledger.submit(forged), forged).outcomes).toEqual([refused('batch-signature')]);
      expect(openReceipt(await ledger.submit(batch), batch).outcomes).toEqual([accepted(0)]);
    }));

  test('refuses a batch that came from another writer than it names', () =>
    withLedger(async (ledger) => {
      const batch = batchOf(officer, 1, [noticeItem('a')]);
      const receipt = openReceipt(await ledger.submit(batch, partyIdOf(issuer.publicKey)), batch);
      expect(receipt.outcomes).toEqual([refused('batch-signature')]);
      expect(Buffer.from(receipt.writerId)).toEqual(Buffer.from(partyIdOf(issuer.publicKey)));
    }));

  test('refuses what is no batch in a receipt to whoever sent it', () =>
    withLedger(async (ledger) => {
      const junk = Buffer.from('not a batch');
      const receipt = openReceipt(await ledger.submit(junk, partyIdOf(officer.publicKey)), junk);
      expect(receipt.outcomes).toEqual([refused('format')]);
      await expect(ledger.submit(junk)).rejects.toMatchObject({ code: 'format' });
    }));

  test('judges a report by the time and gateway its batch states', () =>
    withLedger(async (ledger) => {
      await outcomes(ledger, issuer, 1, [certificateItem(gateway)]);
      const good = reportItem(gateway);
      const altered = { ...good, payload: Uint8Array.from(good.payload) };
      altered.payload[200] = (altered.payload[200] ?? 0) ^ 1;
      const items = [
        altered,
        { ...reportItem(gateway), timeMs: asUnixMs(NOW_MS + 3_600_000) },
        reportItem(signerOf('another gateway')),
        { ...good, payload: good.payload.slice(0, 50) },
        good,
      ];
      expect(await outcomes(ledger, gateway, 1, items)).toEqual([
        refused('report-signature'),
        refused('epoch'),
        refused('session'),
        refused('format'),
        accepted(1),
      ]);
      expect([...ledger.status().counters.refusalsByNumber.keys()]).toHaveLength(4);
    }));

  test('judges a report by the revocations before it in the log, those that came while it was checked too', () =>
    withLedger(async (ledger) => {
      await outcomes(ledger, issuer, 1, [certificateItem(gateway)]);
      const received = [reportItem(gateway, NOW_MS), reportItem(gateway, asUnixMs(NOW_MS - 1))];
      const [revoked, reported] = await Promise.all([
        outcomes(ledger, issuer, 2, [revocationItem(gateway, NOW_MS)]),
        outcomes(ledger, gateway, 1, received),
      ]);
      expect(revoked).toEqual([accepted(1)]);
      expect(reported).toEqual([refused('certificate'), accepted(2)]);
    }));

  test('takes what a gateway received before its certificate ended or was revoked, and nothing from after', () =>
    withLedger(async (ledger) => {
      const hour = 3_600_000;
      const revokedFrom = NOW_MS + 2 * hour;
      await outcomes(ledger, issuer, 1, [certificateItem(gateway), revocationItem(gateway, revokedFrom)]);
      const at = (ms: number) => reportItem(gateway, asUnixMs(ms));
      const items = [at(NOW_MS), at(revokedFrom), at(NOW_MS - 25 * hour), at(revokedFrom - 1)];
      expect(await outcomes(ledger, gateway, 1, items)).toEqual([
        accepted(2),
        refused('certificate'),
        refused('certificate'),
        accepted(3),
      ]);
    }));

  test('takes the very batch it refused once the certificate of its gateway is renewed', () =>
    withLedger(async (ledger) => {
      const later = asUnixMs(NOW_MS + 7 * DAY_SECONDS * 1000);
      const today = dayOf(NOW_MS / 1000);
      await outcomes(ledger, issuer, 1, [certificateItem(gateway, today, today + 6)]);
      const items = [reportItem(gateway, later), reportItem(gateway, later)];
      const none = [refused('certificate'), refused('certificate')];
      expect(await outcomes(ledger, gateway, 1, items)).toEqual(none);
      await outcomes(ledger, issuer, 2, [certificateItem(gateway, today + 7, today + 13)]);
      expect(await outcomes(ledger, gateway, 1, items)).toEqual([accepted(2), accepted(3)]);
    }));

  test('records nothing of what a revoked gateway sends, and answers again what it recorded before', () =>
    withLedger(async (ledger) => {
      await outcomes(ledger, issuer, 1, [certificateItem(gateway)]);
      const before = [reportItem(gateway)];
      expect(await outcomes(ledger, gateway, 1, before)).toEqual([accepted(1)]);
      await outcomes(ledger, issuer, 2, [revocationItem(gateway, 0)]);
      const junk = [reportItem(gateway), { ...reportItem(gateway), type: ENTRY_TYPE.case }];
      const none = [refused('certificate'), refused('certificate')];
      for (const seq of [2, 3, 3]) expect(await outcomes(ledger, gateway, seq, junk)).toEqual(none);
      expect(await outcomes(ledger, gateway, 3, junk.toReversed())).toEqual(none);
      const { counters, refusedBatches } = ledger.status();
      expect(counters).toMatchObject({ batches: 3, refusalsByNumber: new Map() });
      expect(refusedBatches).toEqual(new Map([[refusalNumber('certificate'), 4]]));
      expect(await outcomes(ledger, gateway, 1, before)).toEqual([accepted(1)]);
    }));

  test('refuses certificates and payloads of the issuer that are not what they should be', () =>
    withLedger(async (ledger) => {
      const forged = certificateItem(gateway);
      const payload = Uint8Array.from(forged.payload);
      payload[payload.length - 1] = (payload.at(-1) ?? 0) ^ 1;
      const items = [
        { ...forged, payload },
        { ...forged, payload: forged.payload.slice(1) },
        { ...forged, type: ENTRY_TYPE.credentials },
        { ...forged, type: ENTRY_TYPE.dayKey },
      ];
      expect(await outcomes(ledger, issuer, 1, items)).toEqual([
        refused('certificate'),
        refused('format'),
        refused('format'),
        refused('format'),
      ]);
      expect(ledger.knows(gateway.publicKey)).toBe(false);
    }));

  test('refuses as busy what is over its bound, and keeps nothing of it', async () => {
    const ledger = await openLedger(ledgerDeps(await temporaryFolder(), { maxPendingBatches: 2 }));
    const batches = [1, 2, 3, 4].map((seq) => batchOf(officer, seq, [noticeItem(`${seq}`)]));
    const receipts = await Promise.all(batches.map((batch) => ledger.submit(batch)));
    const reasons = receipts.map(
      (receipt, i) => openReceipt(receipt, batches[i] ?? receipt).outcomes[0]?.reason,
    );
    expect(reasons).toEqual([0, 0, refusalNumber('busy'), refusalNumber('busy')]);
    const again = batches[3] ?? new Uint8Array();
    expect(openReceipt(await ledger.submit(again), again).outcomes).toEqual([accepted(2)]);
    expect(ledger.status().refusedBusy).toBe(2);
    await ledger.close();
    await expect(ledger.submit(again)).rejects.toMatchObject({ code: 'closed' });
  });
});
