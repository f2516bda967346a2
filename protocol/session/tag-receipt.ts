/**
 * A gateway's receipt to a tag (protocol.md §7), 122 bytes.
 *
 *     status u8 (0 accepted, 1 refused) || gatewayId 16 || H(report) 32 || receivedAtMs u64 || reason u8
 *        || sig(gateway, "firebreak/receipt/v1")
 */
import { asUnixMs } from '../brands.js';
import type { UnixMs } from '../brands.js';
import { ByteReader, ByteWriter, equalBytes } from '../bytes.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError, GATEWAY_REFUSALS, refusalNumber, refusalOf } from '../errors.js';
import type { GatewayRefusal } from '../errors.js';
import { partyIdOf } from '../keys.js';

const DOMAIN = 'firebreak/receipt/v1';
const BODY_BYTES = 58;
export const RECEIPT_BYTES = BODY_BYTES + SIGNATURE_BYTES;

export interface TagReceipt {
  readonly gatewayId: Uint8Array;
  readonly reportHash: Uint8Array;
  readonly receivedAtMs: UnixMs;
  /** `undefined`: accepted. */
  readonly refusal: GatewayRefusal | undefined;
}

export function signTagReceipt(gateway: Signer, receipt: TagReceipt): Uint8Array {
  const body = new ByteWriter(BODY_BYTES)
    .u8(receipt.refusal === undefined ? 0 : 1)
    .bytes(receipt.gatewayId)
    .bytes(receipt.reportHash)
    .u64(receipt.receivedAtMs)
    .u8(receipt.refusal === undefined ? 0 : refusalNumber(receipt.refusal))
    .finish();
  return new ByteWriter(RECEIPT_BYTES)
    .bytes(body)
    .bytes(signDomain(gateway, DOMAIN, body))
    .finish();
}

/** Throws `format`, or `signature` when that gateway did not sign it as its own. */
export function openTagReceipt(bytes: Uint8Array, gatewayPublicKey: Uint8Array): TagReceipt {
  const receipt = decodeTagReceipt(bytes);
  const isSigned = verifyDomain(
    gatewayPublicKey,
    DOMAIN,
    bytes.subarray(0, BODY_BYTES),
    bytes.subarray(BODY_BYTES),
  );
  if (isSigned && equalBytes(receipt.gatewayId, partyIdOf(gatewayPublicKey))) return receipt;
  throw new FirebreakError('signature', 'the receipt is not signed by this gateway');
}

function decodeTagReceipt(bytes: Uint8Array): TagReceipt {
  const reader = new ByteReader(bytes, 'receipt');
  const status = reader.u8();
  const named = {
    gatewayId: reader.take(16),
    reportHash: reader.take(32),
    receivedAtMs: asUnixMs(reader.u64()),
  };
  const refusal = gatewayRefusalOf(reader.u8());
  reader.take(SIGNATURE_BYTES);
  reader.end();
  if (status !== (refusal === undefined ? 0 : 1)) {
    throw new FirebreakError('format', 'the status of a receipt does not fit its reason');
  }
  return { ...named, refusal };
}

function gatewayRefusalOf(number: number): GatewayRefusal | undefined {
  const refusal = refusalOf(number);
  if (refusal === undefined) return undefined;
  const known = GATEWAY_REFUSALS.find((candidate) => candidate === refusal);
  if (known) return known;
  throw new FirebreakError('format', `reason ${number} is not a gateway's to give`);
}
