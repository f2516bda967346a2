/**
 * Hello (protocol.md §7), 408 bytes: what a gateway says first in a session, and a tag checks before it
 * writes anything.
 *
 *     01 || certificate 109 || timeMs u64 || nonce 16 || statement of today 105 || of yesterday 105
 *        || sig(gateway, "firebreak/hello/v1")
 */
import { asUnixMs } from '../brands.js';
import type { UnixMs } from '../brands.js';
import { ByteReader, ByteWriter } from '../bytes.js';
import {
  decodeDayKeyStatement,
  encodeDayKeyStatement,
  STATEMENT_BYTES,
  verifyDayKeyStatement,
} from './day-key-statement.js';
import type { DayKeyStatement } from './day-key-statement.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import {
  CERTIFICATE_BYTES,
  decodeGatewayCertificate,
  encodeGatewayCertificate,
  verifyGatewayCertificate,
} from './gateway-certificate.js';
import type { GatewayCertificate } from './gateway-certificate.js';
import { dayOf } from '../time.js';

const DOMAIN = 'firebreak/hello/v1';
const VERSION = 1;
const BODY_BYTES = 1 + CERTIFICATE_BYTES + 8 + 16 + 2 * STATEMENT_BYTES;
export const HELLO_BYTES = BODY_BYTES + SIGNATURE_BYTES;

export interface Hello {
  readonly certificate: GatewayCertificate;
  readonly timeMs: UnixMs;
  readonly nonce: Uint8Array;
  readonly today: DayKeyStatement;
  readonly yesterday: DayKeyStatement;
}

export function signHello(gateway: Signer, hello: Hello): Uint8Array {
  const body = new ByteWriter(BODY_BYTES)
    .u8(VERSION)
    .bytes(encodeGatewayCertificate(hello.certificate))
    .u64(hello.timeMs)
    .bytes(hello.nonce)
    .bytes(encodeDayKeyStatement(hello.today))
    .bytes(encodeDayKeyStatement(hello.yesterday))
    .finish();
  return new ByteWriter(HELLO_BYTES)
    .bytes(body)
    .bytes(signDomain(gateway, DOMAIN, body))
    .finish();
}

/** What a hello says, nothing of it checked. Throws `format`. */
export function decodeHello(bytes: Uint8Array): Hello {
  const reader = new ByteReader(bytes, 'hello');
  if (reader.u8() !== VERSION) throw new FirebreakError('format', 'a hello of another version');
  const hello = {
    certificate: decodeGatewayCertificate(reader.view(CERTIFICATE_BYTES)),
    timeMs: asUnixMs(reader.u64()),
    nonce: reader.take(16),
    today: decodeDayKeyStatement(reader.view(STATEMENT_BYTES)),
    yesterday: decodeDayKeyStatement(reader.view(STATEMENT_BYTES)),
  };
  reader.take(SIGNATURE_BYTES);
  reader.end();
  return hello;
}

/**
 * A hello one may trust: certified by this issuer for the day it states, signed by that gateway, with this issuer's
 * statements of that day and the one before. Throws `format`, `certificate`, `issuer`, `signature` or `day`.
 */
export function openHello(bytes: Uint8Array, issuerPublicKey: Uint8Array): Hello {
  const hello = decodeHello(bytes);
  const day = dayOf(hello.timeMs / 1000);
  if (!verifyGatewayCertificate(issuerPublicKey, hello.certificate, day)) {
    throw new FirebreakError('certificate', 'the gateway has no valid certificate for today');
  }
  const body = bytes.subarray(0, BODY_BYTES);
  if (!verifyDomain(hello.certificate.gatewayPublicKey, DOMAIN, body, bytes.subarray(BODY_BYTES))) {
    throw new FirebreakError('signature', 'the hello is not signed by its gateway');
  }
  for (const statement of [hello.today, hello.yesterday]) {
    if (!verifyDayKeyStatement(issuerPublicKey, statement)) {
      throw new FirebreakError('issuer', 'a day-key statement of the hello is not signed by the issuer');
    }
  }
  if (hello.today.day !== day || hello.yesterday.day !== day - 1) {
    throw new FirebreakError('day', 'the hello carries day keys of other days');
  }
  return hello;
}
