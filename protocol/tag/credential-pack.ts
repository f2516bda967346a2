/**
 * Credential pack (protocol.md §7): what the authority gives a tag for the coming days.
 *
 *     pack    H(request) 32 || firstDay u32 || days u8
 *             || per day {day-key statement 105 || 96 × (ephId 16 || authKey 16 || credential signature 64)}
 *             || sig(issuer, "firebreak/pack/v1")
 *     sealed  HPKE enc 32 || ct, to the request's reply key, info "firebreak/pack/v1", empty aad
 */
import { ByteReader, ByteWriter, concat, equalBytes } from '../bytes.js';
import {
  decodeDayKeyStatement,
  encodeDayKeyStatement,
  STATEMENT_BYTES,
  verifyDayKeyStatement,
} from '../session/day-key-statement.js';
import type { DayKeyStatement } from '../session/day-key-statement.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { hpkeOpen, hpkeSeal } from '../crypto/hpke.js';
import { MAX_REQUEST_DAYS } from './credential-request.js';
import { EPOCHS_PER_DAY } from '../time.js';

const DOMAIN = 'firebreak/pack/v1';
const INFO = Buffer.from(DOMAIN, 'latin1');
const HEAD_BYTES = 37;
const EPOCH_BYTES = 96;
const DAY_BYTES = STATEMENT_BYTES + EPOCHS_PER_DAY * EPOCH_BYTES;
const NO_AAD = new Uint8Array(0);

export interface PackEpoch {
  readonly ephId: Uint8Array;
  readonly authKey: Uint8Array;
  readonly credentialSignature: Uint8Array;
}

export interface PackDay {
  readonly statement: DayKeyStatement;
  /** 96, in order. */
  readonly epochs: readonly PackEpoch[];
}

export interface CredentialPack {
  /** H(request): of the plaintext, without signature or sealing. */
  readonly requestHash: Uint8Array;
  readonly firstDay: number;
  readonly days: readonly PackDay[];
}

/** The pack signed by the issuer; kept, and sealed afresh at each delivery. */
export function signCredentialPack(issuer: Signer, pack: CredentialPack): Uint8Array {
  const writer = new ByteWriter(HEAD_BYTES + DAY_BYTES * pack.days.length);
  writer.bytes(pack.requestHash).u32(pack.firstDay).u8(pack.days.length);
  for (const day of pack.days) {
    writer.bytes(encodeDayKeyStatement(day.statement));
    for (const epoch of day.epochs)
      writer.bytes(epoch.ephId).bytes(epoch.authKey).bytes(epoch.credentialSignature);
  }
  const body = writer.finish();
  return concat(body, signDomain(issuer, DOMAIN, body));
}

/** Sealed to the reply key of its request. Throws `sealing` for a key of small order. */
export function sealCredentialPack(
  signedPack: Uint8Array,
  replyPublicKey: Uint8Array,
  ephemeralSecretKey?: Uint8Array,
): Uint8Array {
  const { enc, ciphertext } = hpkeSeal({
    recipientPublicKey: replyPublicKey,
    info: INFO,
    aad: NO_AAD,
    plaintext: signedPack,
    ...(ephemeralSecretKey && { ephemeralSecretKey }),
  });
  return concat(enc, ciphertext);
}

/** Throws `sealing`, `format`, `signature`, or `issuer` for a day-key statement that is not the issuer's. */
export function openCredentialPack(
  sealed: Uint8Array,
  replySecretKey: Uint8Array,
  issuerPublicKey: Uint8Array,
): CredentialPack {
  const plaintext = hpkeOpen({
    recipientSecretKey: replySecretKey,
    enc: sealed.subarray(0, 32),
    info: INFO,
    aad: NO_AAD,
    ciphertext: sealed.subarray(32),
  });
  const body = plaintext.subarray(0, -SIGNATURE_BYTES);
  if (!verifyDomain(issuerPublicKey, DOMAIN, body, plaintext.subarray(-SIGNATURE_BYTES))) {
    throw new FirebreakError('signature', 'the credential pack is not signed by the issuer');
  }
  const pack = decodePack(body);
  for (const { statement } of pack.days) {
    if (!verifyDayKeyStatement(issuerPublicKey, statement)) {
      throw new FirebreakError('issuer', 'a day-key statement of the pack is not signed by the issuer');
    }
  }
  return pack;
}

/** Throws `format` when the pack answers another request. */
export function requirePackFor(
  pack: CredentialPack,
  requestHash: Uint8Array,
  firstDay: number,
  days: number,
): void {
  const fits =
    equalBytes(pack.requestHash, requestHash) && pack.firstDay === firstDay && pack.days.length === days;
  if (!fits) throw new FirebreakError('format', 'the credential pack answers another request');
}

function decodePack(body: Uint8Array): CredentialPack {
  const reader = new ByteReader(body, 'credential pack');
  const head = { requestHash: reader.take(32), firstDay: reader.u32() };
  const count = reader.u8();
  if (count < 1 || count > MAX_REQUEST_DAYS)
    throw new FirebreakError('format', 'a credential pack of too many days');
  const days = Array.from({ length: count }, () => readDay(reader));
  reader.end();
  days.forEach(({ statement }, index) => {
    if (statement.day !== head.firstDay + index)
      throw new FirebreakError('format', 'the days of a pack are out of order');
  });
  return { ...head, days };
}

function readDay(reader: ByteReader): PackDay {
  const statement = decodeDayKeyStatement(reader.view(STATEMENT_BYTES));
  const epochs = Array.from({ length: EPOCHS_PER_DAY }, () => ({
    ephId: reader.take(16),
    authKey: reader.take(16),
    credentialSignature: reader.take(SIGNATURE_BYTES),
  }));
  return { statement, epochs };
}
