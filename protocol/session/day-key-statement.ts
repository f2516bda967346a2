/**
 * Day-key statement (protocol.md §7), 105 bytes: to which key the reports of a day are sealed.
 *
 *     01 || issuerId 4 || day u32 || sealing public key 32 || sig(issuer, "firebreak/day-key/v1")
 */
import { ByteReader, ByteWriter, concat, equalBytes } from '../bytes.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { issuerIdOf } from '../keys.js';

const DOMAIN = 'firebreak/day-key/v1';
const VERSION = 1;
export const STATEMENT_BYTES = 105;

export interface DayKeyStatement {
  readonly issuerId: Uint8Array;
  readonly day: number;
  readonly sealingPublicKey: Uint8Array;
  readonly signature: Uint8Array;
}

function encodeBody(body: Omit<DayKeyStatement, 'signature'>): Uint8Array {
  return new ByteWriter(STATEMENT_BYTES - SIGNATURE_BYTES)
    .u8(VERSION)
    .bytes(body.issuerId)
    .u32(body.day)
    .bytes(body.sealingPublicKey)
    .finish();
}

export function encodeDayKeyStatement(statement: DayKeyStatement): Uint8Array {
  return concat(encodeBody(statement), statement.signature);
}

/** Throws `format` for another length or version. */
export function decodeDayKeyStatement(bytes: Uint8Array): DayKeyStatement {
  const reader = new ByteReader(bytes, 'day-key statement');
  if (reader.u8() !== VERSION) throw new FirebreakError('format', 'a day-key statement of another version');
  const statement = {
    issuerId: reader.take(4),
    day: reader.u32(),
    sealingPublicKey: reader.take(32),
    signature: reader.take(SIGNATURE_BYTES),
  };
  reader.end();
  return statement;
}

export function issueDayKeyStatement(
  issuer: Signer,
  day: number,
  sealingPublicKey: Uint8Array,
): DayKeyStatement {
  const body = { issuerId: issuerIdOf(issuer.publicKey), day, sealingPublicKey };
  return { ...body, signature: signDomain(issuer, DOMAIN, encodeBody(body)) };
}

export function verifyDayKeyStatement(issuerPublicKey: Uint8Array, statement: DayKeyStatement): boolean {
  return (
    equalBytes(statement.issuerId, issuerIdOf(issuerPublicKey)) &&
    verifyDomain(issuerPublicKey, DOMAIN, encodeBody(statement), statement.signature)
  );
}
