/**
 * Report of a tag (protocol.md §8): kind 1 carries encounters, kind 3 asks for credentials (§7) in the same layout.
 *
 *     0 version 01 | 1 kind | 2 issuerId 4 | 6 day u32 | 10 credential 117 | 127 gatewayId 16 | 143 nonce 16
 *     159 HPKE enc 32 | 191 ctLen u16 | 193 ciphertext | then sig(epoch key, domain of the kind, all before) 64
 *
 *     kind 1, encounters   domain "firebreak/report/v1"    ctLen = 54 + 50·B, B one of 8, 32, 128, 512, 1024
 *     kind 3, request      domain "firebreak/request/v1"   ctLen = 53 + 3072·days, days from 1 to 7
 *     HPKE info = the domain's text, aad = bytes [0,159)
 */
import { asEpoch } from '../brands.js';
import { ByteReader, ByteWriter, concat } from '../bytes.js';
import { CREDENTIAL_BYTES, decodeCredential, encodeCredential } from './credential.js';
import type { Credential } from './credential.js';
import { SIGNATURE_BYTES, signDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { sha256 } from '../crypto/hash.js';
import { hpkeSeal } from '../crypto/hpke.js';
import { isRequestLength } from './credential-request.js';
import { isPlaintextLength, MAX_PLAINTEXT_BYTES } from './report-plaintext.js';
import { dayOfEpoch } from '../time.js';

const VERSION = 1;
const HEAD_BYTES = 159;
const DAY_AT = 6;
/** After the day and the credential's version. */
const CREDENTIAL_EPOCH_AT = 11;
const CIPHERTEXT_AT = 193;
const HPKE_TAG_BYTES = 16;

export const REPORT_KINDS = { encounters: 1, request: 3 } as const;
export type ReportKind = (typeof REPORT_KINDS)[keyof typeof REPORT_KINDS];
const DOMAINS: Readonly<Record<ReportKind, string>> = { 1: 'firebreak/report/v1', 3: 'firebreak/request/v1' };
const INFOS: Readonly<Record<ReportKind, Uint8Array>> = {
  1: new Uint8Array(Buffer.from(DOMAINS[1], 'latin1')),
  3: new Uint8Array(Buffer.from(DOMAINS[3], 'latin1')),
};

export const MAX_REPORT_BYTES = CIPHERTEXT_AT + MAX_PLAINTEXT_BYTES + HPKE_TAG_BYTES + SIGNATURE_BYTES;

export interface ReportEnvelope {
  readonly kind: ReportKind;
  readonly issuerId: Uint8Array;
  /** The day of every record's start, and of the key it is sealed to. */
  readonly day: number;
  readonly credential: Credential;
  readonly gatewayId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly enc: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly signature: Uint8Array;
  /** All of it, as it came. */
  readonly bytes: Uint8Array;
}

export const reportDomain = (kind: ReportKind): string => DOMAINS[kind];
export const reportInfo = (kind: ReportKind): Uint8Array => INFOS[kind];
/** What the sealed part is bound to. */
export const reportAad = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, HEAD_BYTES);
/** What the epoch key signs, but for the domain. */
export const signedPart = (bytes: Uint8Array): Uint8Array =>
  bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
/** H(report), signature included. */
export const reportHash = (bytes: Uint8Array): Uint8Array => sha256(bytes);

/** Sealed to the day's key and signed. Throws `sealing` for a key of small order. */
export function sealReport(given: {
  readonly kind?: ReportKind;
  readonly issuerId: Uint8Array;
  readonly day: number;
  readonly sealingPublicKey: Uint8Array;
  readonly credential: Credential;
  readonly gatewayId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
  /** The epoch key of the credential. */
  readonly signer: Signer;
  readonly ephemeralSecretKey?: Uint8Array;
}): Uint8Array {
  const kind = given.kind ?? REPORT_KINDS.encounters;
  const head = new ByteWriter(HEAD_BYTES)
    .u8(VERSION)
    .u8(kind)
    .bytes(given.issuerId)
    .u32(given.day)
    .bytes(encodeCredential(given.credential))
    .bytes(given.gatewayId)
    .bytes(given.nonce)
    .finish();
  const { enc, ciphertext } = hpkeSeal({
    recipientPublicKey: given.sealingPublicKey,
    info: reportInfo(kind),
    aad: head,
    plaintext: given.plaintext,
    ...(given.ephemeralSecretKey && { ephemeralSecretKey: given.ephemeralSecretKey }),
  });
  const length = new ByteWriter(2).u16(ciphertext.length).finish();
  const body = concat(head, enc, length, ciphertext);
  return concat(body, signDomain(given.signer, DOMAINS[kind], body));
}

/** Throws `format` for another version, kind or length. */
export function decodeReport(bytes: Uint8Array): ReportEnvelope {
  const reader = new ByteReader(bytes, 'report');
  if (reader.u8() !== VERSION) throw new FirebreakError('format', 'a report of another version');
  const kind = reportKindOf(reader.u8());
  const report: ReportEnvelope = {
    kind,
    issuerId: reader.take(4),
    day: reader.u32(),
    credential: decodeCredential(reader.view(CREDENTIAL_BYTES)),
    gatewayId: reader.take(16),
    nonce: reader.take(16),
    enc: reader.take(32),
    ciphertext: reader.take(readLength(reader, kind)),
    signature: reader.take(SIGNATURE_BYTES),
    bytes,
  };
  reader.end();
  return report;
}

/**
 * Days whose keys opening this report can ask for: its own, that of the credential's epoch, and those next to
 * its own. Of bytes that are no report, any days or none.
 */
export function reportDays(bytes: Uint8Array): readonly number[] {
  if (bytes.length < HEAD_BYTES) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES);
  const day = view.getUint32(DAY_AT);
  return [day, dayOfEpoch(asEpoch(view.getUint32(CREDENTIAL_EPOCH_AT))), day - 1, day + 1];
}

function reportKindOf(value: number): ReportKind {
  if (value === REPORT_KINDS.encounters || value === REPORT_KINDS.request) return value;
  throw new FirebreakError('format', `a report of an unknown kind (${value})`);
}

/** ctLen, when a report of this kind can have it. */
function readLength(reader: ByteReader, kind: ReportKind): number {
  const ciphertextBytes = reader.u16();
  const plaintextBytes = ciphertextBytes - HPKE_TAG_BYTES;
  const fits =
    kind === REPORT_KINDS.encounters ? isPlaintextLength(plaintextBytes) : isRequestLength(plaintextBytes);
  if (fits) return ciphertextBytes;
  throw new FirebreakError('format', `no report has a sealed part of ${ciphertextBytes} bytes`);
}
