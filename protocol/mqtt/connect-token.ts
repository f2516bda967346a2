/**
 * How a writer shows who it is in MQTT CONNECT (protocol.md §13, "Connect token"): the user name is its
 * writerId in lowercase hex, the password is base64url without padding of
 *
 *     0x01 || public key 32 || wallMs u64 || nonce 16
 *          || Ed25519(writer, D("firebreak/connect/v1") || the 57 bytes before) 64
 *
 * wallMs is the time of the host, not the deployment's clock: it bounds how long an overheard token is of use.
 */
import { ByteReader, ByteWriter, toHex } from '../bytes.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain, type Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { partyIdOf } from '../keys.js';

const VERSION = 1;
const DOMAIN = 'firebreak/connect/v1';
const NONCE_BYTES = 16;
const SIGNED_BYTES = 1 + 32 + 8 + NONCE_BYTES;
const TOKEN_BYTES = SIGNED_BYTES + SIGNATURE_BYTES;

/** User name and password for a session that begins now. `nonce`: 16 random bytes. */
export function makeConnectToken(
  signer: Signer,
  wallMs: number,
  nonce: Uint8Array,
): { readonly username: string; readonly password: string } {
  if (nonce.length !== NONCE_BYTES)
    throw new FirebreakError('format', 'the nonce of a connect token has 16 bytes');
  const writer = new ByteWriter(SIGNED_BYTES);
  writer.u8(VERSION);
  writer.bytes(signer.publicKey);
  writer.u64(wallMs);
  writer.bytes(nonce);
  const signed = writer.finish();
  const token = Buffer.concat([signed, signDomain(signer, DOMAIN, signed)]);
  return { username: toHex(partyIdOf(signer.publicKey)), password: token.toString('base64url') };
}

export interface ConnectCheck {
  readonly username: string;
  /** The host's time. */
  readonly wallMs: number;
  /** How far the writer's host may be off, before and after. */
  readonly toleranceMs: number;
}

/**
 * The public key of the writer that connects; whether it may write is for the caller to say.
 *
 * Throws `format`, `signature`, and `permission` for another's user name or a token that is not fresh.
 */
export function checkConnectToken(
  password: string,
  { username, wallMs, toleranceMs }: ConnectCheck,
): Uint8Array {
  const bytes = Buffer.from(password, 'base64url');
  if (bytes.length !== TOKEN_BYTES || bytes.toString('base64url') !== password) {
    throw new FirebreakError('format', 'the MQTT password is not a connect token');
  }
  const reader = new ByteReader(bytes, 'a connect token');
  if (reader.u8() !== VERSION)
    throw new FirebreakError('format', 'a connect token of a version that is not known');
  const publicKey = reader.take(32);
  const madeAtMs = reader.u64();
  if (!verifyDomain(publicKey, DOMAIN, bytes.subarray(0, SIGNED_BYTES), bytes.subarray(SIGNED_BYTES))) {
    throw new FirebreakError('signature', 'the connect token is not signed by the key in it');
  }
  if (username !== toHex(partyIdOf(publicKey))) {
    throw new FirebreakError(
      'permission',
      'the MQTT user name is not the writer id of the key in the connect token',
    );
  }
  if (Math.abs(wallMs - madeAtMs) > toleranceMs) {
    throw new FirebreakError(
      'permission',
      "the connect token is not fresh: check the clock of the writer's host",
    );
  }
  return publicKey;
}
