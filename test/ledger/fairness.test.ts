import { expect, onTestFinished, test } from 'vitest';
import { WriterDirectory } from '../../ledger/admission/writer.js';
import { Intake } from '../../ledger/intake/intake.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { inlineChecker } from '../../ledger/intake/checker-inline.js';
import { toHex } from '../../protocol/bytes.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { refusalNumber } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { withFlippedBit } from '../protocol/errors-of.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  noticeItem,
  officer,
  openReceipt,
  signerOf,
  temporaryFolder,
} from './deployment.js';

const flooding = signerOf('a gateway that floods');
const forging = signerOf('a gateway that sends garbage');
const quiet = signerOf('a quiet gateway');

const forged = (batch: Uint8Array): Uint8Array => withFlippedBit(batch, batch.length * 8 - 1);
const notices = (writer: Signer, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, seq) => batchOf(writer, seq, [noticeItem(`${seq}`)]));

test('a batch is checked and handed on after one turn of each flood, not after all of them', async () => {
  const writers = [flooding, forging, quiet].map(({ publicKey }) => ({ publicKey, types: [8] }));
  const directory = new WriterDirectory(writers, []);
  const order: string[] = [];
  const intake = new Intake({
    checker: inlineChecker({ directory, issuerPublicKey: issuer.publicKey, retentionDays: 21 }),
    answer: async ({ writerId, seq }) => {
      order.push(`${toHex(writerId)}/${seq}`);
      return new Uint8Array();
    },
    limits: { batches: 1000, bytes: 1e9, batchesPerWriter: 200, bytesPerWriter: 1e9 },
  });
  const answers = [
    ...notices(flooding, 100).map((batch) => intake.submit(batch, undefined)),
    ...notices(forging, 100).map((batch) => intake.submit(forged(batch), undefined)),
    ...notices(quiet, 3).map((batch) => intake.submit(batch, undefined)),
  ];
  await Promise.all(answers);
  const name = toHex(partyIdOf(quiet.publicKey));
  expect([0, 1, 2].map((seq) => order.indexOf(`${name}/${seq}`))).toEqual([3, 6, 9]);
  const flood = order.filter((one) => one.startsWith(toHex(partyIdOf(flooding.publicKey))));
  expect(flood.map((one) => Number(one.split('/')[1]))).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(intake).toMatchObject({ batches: 0, bytes: 0 });
});

test('what finds no room is told so a few each turn of the event loop, and the rest of it goes on', async () => {
  const directory = new WriterDirectory([{ publicKey: flooding.publicKey, types: [8] }], []);
  let refusedThisTurn = 0;
  const intake = new Intake({
    checker: inlineChecker({ directory, issuerPublicKey: issuer.publicKey, retentionDays: 21 }),
    answer: async (batch) => {
      if ('refusal' in batch) refusedThisTurn += 1;
      return new Uint8Array();
    },
    limits: { batches: 10, bytes: 1e9, batchesPerWriter: 10, bytesPerWriter: 1e9 },
  });
  const answers = notices(flooding, 500).map((batch) => intake.submit(batch, undefined));
  const eachTurn: number[] = [];
  for (let refused = 0; refused < 490; refused += refusedThisTurn) {
    refusedThisTurn = 0;
    await new Promise((resolve) => setImmediate(resolve));
    eachTurn.push(refusedThisTurn);
  }
  await Promise.all(answers);
  expect(Math.max(...eachTurn)).toBe(32);
  await intake.idle();
});

/** Keeps `outstanding` batches of one writer at the ledger until it is stopped. */
function flood(ledger: Ledger, outstanding: number, next: (seq: number) => Uint8Array) {
  let seq = 0;
  let isOver = false;
  const keepOne = async (): Promise<void> => {
    while (!isOver) await ledger.submit(next(seq++));
  };
  const lanes = Promise.all(Array.from({ length: outstanding }, keepOne));
  return async (): Promise<void> => {
    isOver = true;
    await lanes;
  };
}

test.each([0, 2])(
  'with %i threads, two floods do not keep waiting a writer that sends one batch every 50 ms',
  async (checkThreads) => {
    const writers = [flooding, forging, quiet].map(({ publicKey }) => ({ publicKey, types: [8] }));
    const ledger = await openLedger(ledgerDeps(await temporaryFolder(), { checkThreads, writers }));
    onTestFinished(() => ledger.close());
    const batch = (writer: Signer, seq: number) => batchOf(writer, seq, [noticeItem('the same')]);
    const stops = [
      flood(ledger, 250, (seq) => batch(flooding, seq)),
      flood(ledger, 250, (seq) => forged(batch(forging, seq))),
    ];
    const before: number[] = [];
    for (let seq = 0; seq < 20; seq++) {
      const own = batch(quiet, seq);
      const { size } = ledger.status();
      const [outcome] = openReceipt(await ledger.submit(own), own).outcomes;
      before.push((outcome?.index ?? Infinity) - size);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await Promise.all(stops.map((stop) => stop()));
    // At most what had begun (128) and a turn of the flood come into the log before it, never the 250 that wait.
    expect(Math.max(...before)).toBeLessThan(140);
    expect(ledger.status().refusedBatches.get(refusalNumber('batch-signature'))).toBeGreaterThan(250);
    expect(ledger.status().refusedBusy).toBe(0);
  },
);

test('a writer past its bound is refused as busy, in a receipt, while others are taken', async () => {
  const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
  onTestFinished(() => ledger.close());
  const batches = notices(officer, 300);
  const answers = batches.map((batch) => ledger.submit(batch));
  const other = batchOf(issuer, 0, [certificateItem(quiet)]);
  expect(openReceipt(await ledger.submit(other), other).outcomes).toMatchObject([{ reason: 0 }]);
  const receipts = await Promise.all(answers);
  const reasons = receipts.map(
    (receipt, i) => openReceipt(receipt, batches[i] ?? receipt).outcomes[0]?.reason,
  );
  expect(reasons.filter((reason) => reason === 0)).toHaveLength(256);
  expect(reasons.filter((reason) => reason === refusalNumber('busy'))).toHaveLength(44);
  expect(ledger.status().refusedBatches).toEqual(new Map([[refusalNumber('busy'), 44]]));
  expect(ledger.status()).toMatchObject({ refusedBusy: 44, pendingBatches: 0, pendingBytes: 0 });
});
