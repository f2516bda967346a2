/** An uplink without a broker, in the test's hands, and a ledger's answers to what was sent over it. */
import type { Uplink } from '../../courier/uplink.js';
import { batchHash, decodeBatch } from '../../protocol/mqtt/batch.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { asUnixMs } from '../../protocol/brands.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { refusalNumber } from '../../protocol/errors.js';
import type { Refusal } from '../../protocol/errors.js';
import { signLedgerReceipt } from '../../protocol/mqtt/ledger-receipt.js';
import type { LedgerReceipt } from '../../protocol/mqtt/ledger-receipt.js';
import { receiptSigner, signerOf } from '../ledger/deployment.js';

export const writer = signerOf('a writer');

export const item = (number: number, type = 8): BatchItem => ({
  type,
  timeMs: asUnixMs(number),
  payload: new Uint8Array(32).fill(number),
});

export interface TestUplink extends Uplink {
  isOnline: boolean;
  trouble: string | undefined;
  /** Every batch handed over, in order. */
  readonly sent: Uint8Array[];
  /** No PUBACK comes while this is set. */
  isMute: boolean;
  goOnline(): void;
  deliver(receipt: Uint8Array): void;
}

export function testUplink(): TestUplink {
  let onReceipt: (receipt: Uint8Array) => void = () => undefined;
  const onOnline: (() => void)[] = [];
  const uplink: TestUplink = {
    isOnline: true,
    trouble: undefined,
    isMute: false,
    sent: [],
    publishBatch: (batch) => {
      uplink.sent.push(batch);
      return uplink.isMute ? new Promise(() => undefined) : Promise.resolve();
    },
    publishRetained: async () => {},
    publishStatus: async () => {},
    onReceipt: (listener) => void (onReceipt = listener),
    subscribe: async () => {},
    onOnline: (listener) => {
      onOnline.push(listener);
      if (uplink.isOnline) listener();
    },
    goOnline: () => {
      uplink.isOnline = true;
      for (const listener of onOnline) listener();
    },
    deliver: (receipt) => onReceipt(receipt),
    close: async () => {},
  };
  return uplink;
}

export const seqOf = (batch: Uint8Array): number => decodeBatch(batch).batch.seq;
export const payloadsOf = (batch: Uint8Array): number[] =>
  decodeBatch(batch).batch.items.map(({ payload }) => payload[0] ?? -1);

/** The receipt a ledger gives: an index or a refusal for each item. */
export function receiptFor(
  batch: Uint8Array,
  outcomes: readonly (number | Refusal)[],
  changes: Partial<LedgerReceipt> = {},
  signer: Signer = receiptSigner,
): Uint8Array {
  const { writerId, seq } = decodeBatch(batch).batch;
  const receipt: LedgerReceipt = {
    writerId,
    seq,
    batchHash: batchHash(batch),
    outcomes: outcomes.map((outcome) =>
      typeof outcome === 'number'
        ? { reason: 0, index: outcome }
        : { reason: refusalNumber(outcome), index: null },
    ),
    checkpoint: 'a checkpoint\n',
    ...changes,
  };
  return signLedgerReceipt(receipt, signer);
}
