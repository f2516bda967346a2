/**
 * Payload of a ledger entry of type 6, access (protocol.md §10): who looked, for which case, why, with which parameters.
 * The tracer writes it before it answers. Sealed to the authority's audit key, which the tracer does not hold.
 *
 *     salt 16 || HPKE enc 32 || ciphertext        info "firebreak/access/v1", aad = the salt
 *     plaintext = CBOR [1, officer, purpose, caseTag, direction, hops, from, to, minSeconds, latentSeconds,
 *                       infectiousSeconds or null, reachedCount] || zeros until the payload is a multiple of 256 bytes
 *
 * Bounds: officer 256 and purpose 2,048 bytes of UTF-8; times are unix seconds.
 */
import { asTagNumber, type TagNumber } from './brands.js';
import { ByteReader, concat } from './bytes.js';
import { CborReader, CborWriter } from './cbor.js';
import { FirebreakError } from './errors.js';
import { hpkeDecap, hpkeEncap, hpkeOpenWith, hpkeSealWith } from './hpke.js';
import { requireSalt, SALT_LENGTH } from './payload-salt.js';

const VERSION = 1;
const FIELDS = 12;
const INFO = Buffer.from('firebreak/access/v1');
const ENC_LENGTH = 32;
const AEAD_TAG_LENGTH = 16;
const SEALED_OVERHEAD = SALT_LENGTH + ENC_LENGTH + AEAD_TAG_LENGTH;
const BLOCK = 256;
const MAX_OFFICER_BYTES = 256;
const MAX_PURPOSE_BYTES = 2048;
const CAPACITY = 2 + MAX_OFFICER_BYTES + MAX_PURPOSE_BYTES + FIELDS * 9;

export type TraceDirection = 'forward' | 'backward' | 'both';

/** One question put to the tracer, as it was asked (tracing.md), and how many tags the answer holds. */
export interface AccessRecord {
  readonly officer: string;
  readonly purpose: string;
  readonly caseTag: TagNumber;
  readonly direction: TraceDirection;
  readonly hops: number;
  readonly from: number;
  readonly to: number;
  readonly minSeconds: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds: number | null;
  readonly reachedCount: number;
}

export interface SealAccess {
  /** 16 random bytes. */
  readonly salt: Uint8Array;
  /** X25519 public key of the authority's audit. */
  readonly recipientPublicKey: Uint8Array;
  /** For vectors only; a fresh one otherwise. */
  readonly ephemeralSecretKey?: Uint8Array;
}

export interface SealedAccess {
  readonly payload: Uint8Array;
  /** The HPKE shared secret of this payload, 32 bytes, for an evidence bundle (protocol.md §11): it opens nothing else. */
  readonly sharedSecret: Uint8Array;
}

/** Throws `format` for a record out of its bounds. */
export function sealAccessPayload(record: AccessRecord, keys: SealAccess): Uint8Array {
  return sealAccess(record, keys).payload;
}

/** As {@link sealAccessPayload}, with what opens it again: only whoever seals it can hand that out. */
export function sealAccess(record: AccessRecord, given: SealAccess): SealedAccess {
  const { salt, recipientPublicKey, ephemeralSecretKey } = given;
  requireSalt(salt);
  const plaintext = pad(encodeRecord(record));
  const { enc, sharedSecret } = hpkeEncap(recipientPublicKey, ephemeralSecretKey);
  const ciphertext = hpkeSealWith(sharedSecret, { info: INFO, aad: salt, plaintext });
  return { payload: concat(salt, enc, ciphertext), sharedSecret };
}

function pad(record: Uint8Array): Uint8Array {
  const whole = Math.ceil((SEALED_OVERHEAD + record.length) / BLOCK) * BLOCK;
  return concat(record, new Uint8Array(whole - SEALED_OVERHEAD - record.length));
}

function encodeRecord(record: AccessRecord): Uint8Array {
  requireLength(record.officer, MAX_OFFICER_BYTES, 'the officer');
  requireLength(record.purpose, MAX_PURPOSE_BYTES, 'the purpose');
  const writer = new CborWriter(CAPACITY).array(FIELDS).uint(VERSION);
  writer
    .text(record.officer)
    .text(record.purpose)
    .uint(record.caseTag)
    .text(record.direction)
    .uint(record.hops);
  writer.uint(record.from).uint(record.to).uint(record.minSeconds).uint(record.latentSeconds);
  if (record.infectiousSeconds === null) writer.null();
  else writer.uint(record.infectiousSeconds);
  return writer.uint(record.reachedCount).finish();
}

function requireLength(text: string, maxBytes: number, what: string): void {
  if (Buffer.byteLength(text) <= maxBytes) return;
  throw new FirebreakError('format', `${what} in an access record is at most ${maxBytes} bytes of text`);
}

/** Throws `format`, `sealing` when it was not sealed to this key, `padding`. */
export function openAccessPayload(bytes: Uint8Array, recipientSecretKey: Uint8Array): AccessRecord {
  const { enc, ...sealed } = partsOf(bytes);
  return decodeRecord(hpkeOpenWith(hpkeDecap({ recipientSecretKey }, enc), { info: INFO, ...sealed }));
}

/** With the shared secret of this one payload. Throws as {@link openAccessPayload}. */
export function readAccessPayload(bytes: Uint8Array, sharedSecret: Uint8Array): AccessRecord {
  return decodeRecord(hpkeOpenWith(sharedSecret, { info: INFO, ...partsOf(bytes) }));
}

function partsOf(bytes: Uint8Array) {
  if (bytes.length === 0 || bytes.length % BLOCK !== 0) {
    throw new FirebreakError('format', `an access payload is a multiple of ${BLOCK} bytes`);
  }
  const reader = new ByteReader(bytes, 'an access payload');
  const aad = reader.take(SALT_LENGTH);
  const enc = reader.take(ENC_LENGTH);
  return { aad, enc, ciphertext: reader.take(reader.remaining) };
}

function decodeRecord(plaintext: Uint8Array): AccessRecord {
  const reader = new CborReader(plaintext, 'an access record');
  reader.array({ length: FIELDS });
  if (reader.uint() !== VERSION)
    throw new FirebreakError('format', 'an access record of a version that is not known');
  const record: AccessRecord = {
    officer: reader.text(MAX_OFFICER_BYTES),
    purpose: reader.text(MAX_PURPOSE_BYTES),
    caseTag: asTagNumber(reader.uint()),
    direction: directionOf(reader.text(16)),
    hops: reader.uint(),
    from: reader.uint(),
    to: reader.uint(),
    minSeconds: reader.uint(),
    latentSeconds: reader.uint(),
    infectiousSeconds: reader.uintOrNull(),
    reachedCount: reader.uint(),
  };
  reader.zerosToEnd();
  return record;
}

function directionOf(text: string): TraceDirection {
  if (text === 'forward' || text === 'backward' || text === 'both') return text;
  throw new FirebreakError('format', 'an access record of a direction that is not known');
}
