/**
 * What the ledger answers a batch with (protocol.md §9):
 *
 *     CBOR [1, writerId bstr16, seq, H(batch) bstr32, [[reason, index or null], …], checkpoint text]
 *          || Ed25519(ledger receipt key, D("firebreak/ledger-receipt/v1") || the CBOR) 64
 *
 * One outcome for each item of the batch, in order: reason 0 with the index of its entry (of its first entry, for a
 * duplicate), or a refusal (protocol.md §13) with null. The checkpoint, a signed note, covers every index named.
 */
import { cborHeadSize, CborReader, CborWriter } from '../cbor.js';
import { MAX_BATCH_ITEMS } from './batch.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain, type Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';

const VERSION = 1;
const DOMAIN = 'firebreak/ledger-receipt/v1';
const MAX_REASON = 255;
const MAX_CHECKPOINT_BYTES = 65_536;

/** reason 0: it stands in the log at `index`; any other reason: refused, `index` is null. */
export interface Outcome {
  readonly reason: number;
  readonly index: number | null;
}

export interface LedgerReceipt {
  readonly writerId: Uint8Array;
  readonly seq: number;
  readonly batchHash: Uint8Array;
  readonly outcomes: readonly Outcome[];
  /** Signed note; the reader checks it against the log's verifier key. */
  readonly checkpoint: string;
}

/** The receipt, signed. Throws `format` for outcomes that contradict themselves or a checkpoint that is too long. */
export function signLedgerReceipt(receipt: LedgerReceipt, signer: Signer): Uint8Array {
  const signedBytes = encode(receipt);
  return Buffer.concat([signedBytes, signDomain(signer, DOMAIN, signedBytes)]);
}

function encode({ writerId, seq, batchHash, outcomes, checkpoint }: LedgerReceipt): Uint8Array {
  outcomes.forEach(requireOutcome);
  requireShape(
    writerId.length === 16 && batchHash.length === 32,
    'the writer id has 16 bytes and the hash 32',
  );
  requireShape(
    outcomes.length >= 1 && outcomes.length <= MAX_BATCH_ITEMS,
    `it has 1 to ${MAX_BATCH_ITEMS} outcomes`,
  );
  const textLength = Buffer.byteLength(checkpoint);
  requireShape(textLength <= MAX_CHECKPOINT_BYTES, `its checkpoint is at most ${MAX_CHECKPOINT_BYTES} bytes`);
  const capacity = 1 + 1 + 17 + 9 + 34 + 3 + outcomes.length * 12 + cborHeadSize(textLength) + textLength;
  const writer = new CborWriter(capacity).array(6).uint(VERSION).bytes(writerId).uint(seq).bytes(batchHash);
  writer.array(outcomes.length);
  for (const { reason, index } of outcomes) {
    writer.array(2).uint(reason);
    if (index === null) writer.null();
    else writer.uint(index);
  }
  return writer.text(checkpoint).finish();
}

function requireOutcome({ reason, index }: Outcome): void {
  const agrees = (reason === 0) === (index !== null) && reason <= MAX_REASON;
  requireShape(agrees, 'an outcome is reason 0 with an index, or a refusal without one');
}

function requireShape(holds: boolean, what: string): void {
  if (!holds) throw new FirebreakError('format', `not a ledger receipt: ${what}`);
}

/** The receipt behind its signature by `publicKey`. Throws `format`, `signature`. */
export function openLedgerReceipt(bytes: Uint8Array, publicKey: Uint8Array): LedgerReceipt {
  const end = Math.max(0, bytes.length - SIGNATURE_BYTES);
  const signedBytes = bytes.subarray(0, end);
  const receipt = decode(signedBytes);
  if (verifyDomain(publicKey, DOMAIN, signedBytes, bytes.subarray(end))) return receipt;
  throw new FirebreakError(
    'signature',
    'the ledger receipt is not signed by the ledger this writer was given',
  );
}

function decode(bytes: Uint8Array): LedgerReceipt {
  const reader = new CborReader(bytes, 'a ledger receipt');
  reader.array({ length: 6 });
  requireShape(reader.uint() === VERSION, 'its version is not known');
  const writerId = reader.bytes(16);
  const seq = reader.uint();
  const batchHash = reader.bytes(32);
  const outcomes = Array.from({ length: reader.array({ max: MAX_BATCH_ITEMS }) }, () => readOutcome(reader));
  requireShape(outcomes.length >= 1, 'it has no outcome');
  const checkpoint = reader.text(MAX_CHECKPOINT_BYTES);
  reader.end();
  return { writerId, seq, batchHash, outcomes, checkpoint };
}

function readOutcome(reader: CborReader): Outcome {
  reader.array({ length: 2 });
  const outcome = { reason: reader.uint(MAX_REASON), index: reader.uintOrNull() };
  requireOutcome(outcome);
  return outcome;
}
