/**
 * Request for credentials (protocol.md §7, "Enrolment and refresh").
 *
 *     plaintext      replyKey X25519 32 || firstDay u32 || days u8 (1..7) || 96·days epoch public keys of 32
 *     first request  plaintext || sig(first epoch key, "firebreak/enrol/v1")              by wire
 *     later ones     sealed in a report of kind 3, no padding
 */
import { ByteReader, ByteWriter, concat } from '../bytes.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { EPOCHS_PER_DAY } from '../time.js';

const DOMAIN = 'firebreak/enrol/v1';
const HEAD_BYTES = 37;
const KEY_BYTES = 32;
export const MAX_REQUEST_DAYS = 7;

export interface CredentialRequest {
  /** The pack comes back sealed to it. */
  readonly replyPublicKey: Uint8Array;
  readonly firstDay: number;
  readonly days: number;
  /** 96 a day, in order. */
  readonly epochPublicKeys: readonly Uint8Array[];
}

const lengthFor = (days: number): number => HEAD_BYTES + KEY_BYTES * EPOCHS_PER_DAY * days;

export function isRequestLength(bytes: number): boolean {
  const days = (bytes - HEAD_BYTES) / (KEY_BYTES * EPOCHS_PER_DAY);
  return Number.isInteger(days) && days >= 1 && days <= MAX_REQUEST_DAYS;
}

/** Throws `format` unless it covers 1 to {@link MAX_REQUEST_DAYS} days. */
export function encodeCredentialRequest(request: CredentialRequest): Uint8Array {
  requireDays(request.days);
  return new ByteWriter(lengthFor(request.days))
    .bytes(request.replyPublicKey)
    .u32(request.firstDay)
    .u8(request.days)
    .bytes(concat(...request.epochPublicKeys))
    .finish();
}

/** Throws `format`. */
export function decodeCredentialRequest(bytes: Uint8Array): CredentialRequest {
  const reader = new ByteReader(bytes, 'credential request');
  const replyPublicKey = reader.take(32);
  const firstDay = reader.u32();
  const days = reader.u8();
  requireDays(days);
  const epochPublicKeys = Array.from({ length: days * EPOCHS_PER_DAY }, () => reader.take(KEY_BYTES));
  reader.end();
  return { replyPublicKey, firstDay, days, epochPublicKeys };
}

/** The request by wire, signed with the key of its first epoch. Throws as {@link encodeCredentialRequest}. */
export function signCredentialRequest(firstEpochKey: Signer, request: CredentialRequest): Uint8Array {
  const plaintext = encodeCredentialRequest(request);
  return concat(plaintext, signDomain(firstEpochKey, DOMAIN, plaintext));
}

/** Throws `format`, or `signature` when the first epoch key did not sign it. */
export function openCredentialRequest(bytes: Uint8Array): CredentialRequest {
  const plaintext = bytes.subarray(0, -SIGNATURE_BYTES);
  const request = decodeCredentialRequest(plaintext);
  const [firstKey] = request.epochPublicKeys;
  if (firstKey && verifyDomain(firstKey, DOMAIN, plaintext, bytes.subarray(-SIGNATURE_BYTES))) return request;
  throw new FirebreakError('signature', 'the request is not signed with its first epoch key');
}

function requireDays(days: number): void {
  if (Number.isInteger(days) && days >= 1 && days <= MAX_REQUEST_DAYS) return;
  throw new FirebreakError('format', `a request covers 1 to ${MAX_REQUEST_DAYS} days, not ${days}`);
}
