/** Payloads of a day end by an entry of the log: who may write it, what is gone, and that all the rest still holds. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WriterDirectory } from '../../ledger/admission/writer.js';
import { AppendClock } from '../../ledger/sequence/append-clock.js';
import { checkProof } from '../../ledger/proofs/check-proof.js';
import { DayRegister } from '../../ledger/store/day-record.js';
import { askDays } from '../../ledger/http/days.js';
import { exportLog } from '../../ledger/export/export-log.js';
import { serveLedgerHttp } from '../../ledger/http/server.js';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { openLogView } from '../../ledger/readers/log-view.js';
import { proveGrowth } from '../../ledger/proofs/prove-growth.js';
import { proveEntry } from '../../ledger/proofs/prove.js';
import { openLedgerReaderHttp } from '../../ledger/readers/reader-http.js';
import { openLedgerFolder } from '../../ledger/readers/reader-level.js';
import { Sequencer } from '../../ledger/sequence/sequencer.js';
import { readEdge } from '../../ledger/start.js';
import { openStoreLevel } from '../../ledger/store/store-open.js';
import { inlineChecker } from '../../ledger/intake/checker-inline.js';
import { verifyFolder } from '../../ledger/verify/verify-folder.js';
import { verifyLog } from '../../ledger/verify/verify.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { asUnixMs } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { silentLog } from '../../protocol/log.js';
import {
  batchOf,
  certificateItem,
  destroyedItem,
  issuer,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  openReceipt,
  ORIGIN,
  pruningItem,
  reportItem,
  standingClock,
  temporaryFolder,
} from './deployment.js';
import { DAY, gateway, grown, laterMs, RETENTION_DAYS, stage } from './pruning-stage.js';

const identity = { origin: ORIGIN, logPublicKey: logSigner.publicKey };
const OFFICER_TOO = {
  writers: [
    { publicKey: issuer.publicKey, types: [ENTRY_TYPE.gateway, ENTRY_TYPE.dayKey, ENTRY_TYPE.pruning] },
    {
      publicKey: officer.publicKey,
      types: [ENTRY_TYPE.notices, ENTRY_TYPE.dayKey, ENTRY_TYPE.pruning],
    },
  ],
};

/** Waits until nothing is left to remove; the test's own time-out ends it. */
async function removed(ledger: Ledger): Promise<void> {
  while (ledger.status().daysToRemove > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(ledger.status().removalFailure).toBeUndefined();
}

async function filesHolding(dir: string, bytes: Uint8Array): Promise<string[]> {
  const all = await readdir(dir, { recursive: true, withFileTypes: true });
  const names = all.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const held = await Promise.all(
    names.map(async (name) => (await readFile(name)).includes(Buffer.from(bytes))),
  );
  return names.filter((_, i) => held[i]);
}

/** The middle of a sealed report: random bytes that nothing else holds. */
const traceOf = ({ payload }: BatchItem) => payload.subarray(300, 340);

describe('an entry of type 10', () => {
  test('is taken once the day left the window and its keys are destroyed, and not before', async () => {
    const { ledger, clock, say } = await stage(await temporaryFolder());
    clock.passTo(laterMs(RETENTION_DAYS));
    expect(await say(issuer, destroyedItem(DAY), pruningItem(DAY))).toEqual([0, -6]);
    clock.passTo(laterMs(RETENTION_DAYS + 1));
    expect(await say(issuer, pruningItem(DAY + 1))).toEqual([-6]);
    expect(await say(issuer, destroyedItem(DAY + 1), pruningItem(DAY + 1))).toEqual([1, -6]);
    expect(await say(issuer, pruningItem(DAY - 1))).toEqual([-6]);
    expect(await say(issuer, pruningItem(DAY), destroyedItem(DAY - 1), pruningItem(DAY - 1))).toEqual([
      2, 3, 4,
    ]);
    await ledger.close();
  });

  test('is the issuer’s alone, and so is the word that keys are destroyed', async () => {
    const { ledger, clock, say } = await stage(await temporaryFolder(), OFFICER_TOO);
    clock.passTo(laterMs(RETENTION_DAYS + 1));
    expect(await say(issuer, destroyedItem(DAY))).toEqual([0]);
    expect(await say(officer, pruningItem(DAY))).toEqual([-9]);
    expect(await say(officer, destroyedItem(DAY - 1))).toEqual([1]);
    expect(await say(issuer, pruningItem(DAY - 1))).toEqual([-6]);
    await ledger.close();
  });

  test('and one of type 4 that destroys keys are there once: said again, the first is named', async () => {
    const dir = await temporaryFolder();
    const { ledger, clock, say } = await stage(dir);
    clock.passTo(laterMs(RETENTION_DAYS + 1));
    expect(await say(issuer, destroyedItem(DAY), destroyedItem(DAY), pruningItem(DAY))).toEqual([0, 0, 1]);
    expect(await say(issuer, destroyedItem(DAY), pruningItem(DAY))).toEqual([0, 1]);
    await ledger.close();
    const again = await openLedger(ledgerDeps(dir, { clock }));
    const batch = batchOf(issuer, 99, [destroyedItem(DAY), pruningItem(DAY)]);
    expect(openReceipt(await again.submit(batch), batch).outcomes.map(({ index }) => index)).toEqual([0, 1]);
    expect(again.status()).toMatchObject({ size: 2, counters: { duplicates: 5 } });
    await again.close();
  });

  test('that is no pruning payload is refused', async () => {
    const { ledger, say } = await stage(await temporaryFolder());
    expect(await say(issuer, { ...pruningItem(DAY), payload: new Uint8Array(28) })).toEqual([-1]);
    await ledger.close();
  });
});

describe('once a day is pruned', () => {
  test('its payloads are answered with when, by every reader, and no other payload is touched', async () => {
    const dir = await temporaryFolder();
    const { ledger, say, first, second } = await grown(dir);
    const hashes = [...first, ...second, noticeItem('kept')].map(({ payload }) => sha256(payload));
    const [destroyedBy, prunedBy] = await say(issuer, destroyedItem(DAY), pruningItem(DAY));
    const gone = { day: DAY, prunedAtMs: laterMs(RETENTION_DAYS + 1), prunedBy };
    const http = await serveLedgerHttp({
      reader: ledger.reader(),
      days: () => ledger.days(),
      port: 0,
      payloadToken: 'sesame',
      log: silentLog,
    });
    onTestFinished(() => http.close());
    const overHttp = openLedgerReaderHttp({ url: http.url, token: 'sesame' });
    for (const reader of [ledger.reader(), overHttp]) {
      const found = await reader.payloads(hashes);
      expect(found.slice(0, 40)).toEqual(first.map(() => gone));
      expect(found.slice(40).map((one) => Buffer.from((one as Uint8Array) ?? []))).toEqual(
        [...second, noticeItem('kept')].map(({ payload }) => Buffer.from(payload)),
      );
    }
    const path = `${http.url}/payload/${toHex(hashes[0] ?? new Uint8Array())}`;
    const answer = await fetch(path, { headers: { authorization: 'Bearer sesame' } });
    expect(answer.status).toBe(410);
    expect(await answer.text()).toBe(`pruned on ${new Date(gone.prunedAtMs).toISOString()}\n`);
    await removed(ledger);
    expect(await askDays(http.url, 'sesame')).toEqual(ledger.days());
    await expect(askDays(http.url, 'wrong')).rejects.toMatchObject({ code: 'permission' });
    const payloadBytes = first.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(ledger.days()).toMatchObject([
      { day: DAY, payloads: 40, payloadBytes, destroyedBy, pruned: { by: prunedBy, removed: true } },
      { day: DAY + 1, payloads: 3, destroyedBy: undefined, pruned: undefined },
    ]);
    await ledger.close();
    const closed = await openLedgerFolder(dir, identity);
    expect((await closed.payloads(hashes.slice(0, 1)))[0]).toEqual(gone);
    await closed.close();
  });

  test('its bytes are in no file of the store, and those of other days are', async () => {
    const dir = await temporaryFolder();
    const { ledger, say, first, second } = await grown(dir);
    const [some, other] = [traceOf(first[7] ?? noticeItem('')), traceOf(second[1] ?? noticeItem(''))];
    expect(await filesHolding(dir, some)).not.toEqual([]);
    await say(issuer, destroyedItem(DAY), pruningItem(DAY));
    await removed(ledger);
    for (const item of first) expect(await filesHolding(dir, traceOf(item))).toEqual([]);
    expect(await filesHolding(dir, other)).toHaveLength(1);
    await ledger.close();
    expect(await filesHolding(dir, some)).toEqual([]);
  });

  test('its bytes are in no file either when they lay on several levels of the store', async () => {
    const dir = await temporaryFolder();
    const reports: BatchItem[] = [];
    for (let round = 0; round < 6; round++) {
      const { ledger, say } = await stage(dir);
      await say(issuer, certificateItem(gateway)); // another salt, another entry
      const items = [
        ...Array.from({ length: 30 }, () => reportItem(gateway)),
        reportItem(gateway, laterMs(1)),
      ];
      await ledger.submit(batchOf(gateway, 100 + round, items));
      reports.push(...items.slice(0, 30));
      await ledger.close();
    }
    const clock = standingClock(laterMs(RETENTION_DAYS + 1));
    const ledger = await openLedger(ledgerDeps(dir, { clock, saidRightMs: () => clock.nowMs() }));
    await ledger.submit(batchOf(issuer, 500, [destroyedItem(DAY), pruningItem(DAY)]));
    await removed(ledger);
    for (const item of reports) expect(await filesHolding(dir, traceOf(item))).toEqual([]);
    expect((await verifyLog(ledger.reader(), logSigner, { payloads: true })).pruned).toMatchObject([
      { day: DAY, payloads: 180 },
    ]);
    await ledger.close();
  });

  test('a report of it that arrives late is refused, though its gateway took it in time', async () => {
    const { ledger, say, first } = await grown(await temporaryFolder());
    const late = reportItem(gateway);
    expect(await say(gateway, late)).toEqual([45]); // not yet pruned: an offline gateway may come late
    const [known, unknown] = [first[0] ?? late, reportItem(gateway)];
    await say(issuer, destroyedItem(DAY), pruningItem(DAY));
    expect(await say(gateway, unknown, known, late)).toEqual([-6, 1, 45]);
    expect(await say(gateway, reportItem(gateway, laterMs(2)))).toEqual([48]);
    await ledger.close();
  });

  test('a report in the same commit after it is refused too', async () => {
    const { ledger, clock, say } = await stage(await temporaryFolder());
    await say(issuer, certificateItem(gateway));
    clock.passTo(laterMs(RETENTION_DAYS + 1));
    const settled = await Promise.all([
      say(issuer, destroyedItem(DAY), pruningItem(DAY)),
      say(gateway, reportItem(gateway)),
      say(gateway, reportItem(gateway, laterMs(1))),
    ]);
    expect(settled).toEqual([[1, 2], [-6], [3]]);
    await ledger.close();
  });

  test('every proof, checkpoint and export from before still holds', async () => {
    const dir = await temporaryFolder();
    const { ledger, say, checkpoint } = await grown(dir);
    const reader = ledger.reader();
    const before = await proveEntry(await openLogView(reader, logSigner), logSigner, 5);
    const out = join(await temporaryFolder(), 'export');
    await exportLog(reader, out, logSigner);
    await say(issuer, destroyedItem(DAY), pruningItem(DAY));
    await removed(ledger);

    expect(checkProof(before.file, logSigner)).toMatchObject({
      index: 5,
      entry: { type: ENTRY_TYPE.tagReport },
    });
    const old = await proveEntry(await openLogView(reader, logSigner, checkpoint), logSigner, 5);
    expect(old.file).toBe(before.file);
    const latest = await openLogView(reader, logSigner);
    expect((await proveEntry(latest, logSigner, 5)).checked).toMatchObject({
      index: 5,
      checkpoint: { size: 47 },
    });
    expect(await proveGrowth(latest, logSigner, checkpoint)).toMatchObject({
      older: { size: 45 },
      newer: { size: 47 },
    });
    const summary = await verifyLog(reader, logSigner, { payloads: true });
    expect(summary).toMatchObject({
      payloads: 7,
      withoutPayload: [],
      pruned: [{ day: DAY, prunedBy: 46, payloads: 40, prunedAtMs: laterMs(RETENTION_DAYS + 1) }],
    });
    expect((await verifyFolder(out, logSigner)).checkpoint.size).toBe(45);
    expect(await exportLog(reader, out, logSigner)).toMatchObject({ size: 47 });
    expect((await verifyFolder(out, logSigner)).checkpoint.size).toBe(47);
    await ledger.close();
  });
});

/** The commit of these items and nothing after it: what a ledger leaves that was killed before the removal. */
async function commitAlone(dir: string, nowMs: number, items: readonly BatchItem[]): Promise<void> {
  const store = await openStoreLevel({ dir, identity });
  const { writers } = ledgerDeps(dir);
  const directory = new WriterDirectory(writers, await store.gateways());
  const days = new DayRegister(await store.days());
  const rules = { issuerPublicKey: issuer.publicKey, retentionDays: RETENTION_DAYS };
  const checker = inlineChecker({ directory, ...rules });
  const checked = await checker.check(batchOf(issuer, 900, items), undefined);
  if ('refusal' in checked) throw new Error(checked.refusal);
  const edge = await readEdge(store, logSigner);
  const time = { clock: standingClock(asUnixMs(nowMs)), saidRightMs: () => nowMs, log: silentLog };
  const clock = new AppendClock(time, store.state());
  await new Sequencer({ store, edge, directory, days, logSigner, clock, ...rules }).submit(checked);
  await store.close();
}

describe('a ledger that ended between the commit and the removal', () => {
  test('hands nothing out all the same, and removes the rest at its next start', async () => {
    const dir = await temporaryFolder();
    const { ledger, clock, first } = await grown(dir);
    await ledger.close();
    await commitAlone(dir, clock.nowMs(), [destroyedItem(DAY), pruningItem(DAY)]);

    const some = first[3] ?? noticeItem('');
    const reader = await openLedgerFolder(dir, identity);
    expect((await reader.payloads([sha256(some.payload)]))[0]).toMatchObject({ day: DAY, prunedBy: 46 });
    await reader.close();
    expect(await filesHolding(dir, traceOf(some))).not.toEqual([]); // a reader removes nothing

    const again = await openLedger(ledgerDeps(dir, { clock }));
    await removed(again);
    expect(await filesHolding(dir, traceOf(some))).toEqual([]);
    expect(again.days()[0]?.pruned?.removed).toBe(true);
    await again.close();
  });

  test('removes the file of a pruned day that came back, and fsck names it until then', async () => {
    const dir = await temporaryFolder();
    const { ledger, say } = await grown(dir);
    const path = join(dir, 'payloads', String(DAY));
    const before = await readFile(path);
    await say(issuer, destroyedItem(DAY), pruningItem(DAY));
    await removed(ledger);
    await ledger.close();
    await writeFile(path, before);
    const fsck = () => fsckLedger({ dir, verifier: logSigner, issuerPublicKey: issuer.publicKey });
    expect((await fsck()).findings.kept).toMatchObject([{ kind: 'leftover', file: `payloads/${DAY}` }]);

    await (await openLedger(ledgerDeps(dir))).close();
    expect(await readdir(join(dir, 'payloads'))).not.toContain(String(DAY));
    expect((await fsck()).findings.kept).toEqual([]);
  });
});
