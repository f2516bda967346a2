/**
 * Payload of a ledger entry of type 9, credentials issued (protocol.md §1, §10): recorded issuance. A credential whose
 * body is under no such root is a forgery that shows.
 *
 *     salt 16 || H(request) 32 || root 32        the RFC 6962 root over the 53-byte credential bodies, in epoch order
 */
import { ByteReader, concat } from '../bytes.js';
import { rootOfLeaves } from '../tlog/compact-range.js';
import { CREDENTIAL_BODY_BYTES } from '../tag/credential.js';
import { FirebreakError } from '../errors.js';
import { leafHash } from '../tlog/merkle.js';
import { requireSalt, SALT_BYTES } from './salt.js';

export interface CredentialsPayload {
  readonly salt: Uint8Array;
  readonly requestHash: Uint8Array;
  /** {@link credentialsRoot} of the pack. */
  readonly root: Uint8Array;
}

/** RFC 6962 root over credential bodies: version, epoch, ephId and epoch public key (protocol.md §5). */
export function credentialsRoot(bodies: readonly Uint8Array[]): Uint8Array {
  if (bodies.some((body) => body.length !== CREDENTIAL_BODY_BYTES)) {
    throw new FirebreakError('format', `a credential body has ${CREDENTIAL_BODY_BYTES} bytes`);
  }
  return rootOfLeaves(bodies.map(leafHash));
}

/** Throws `format` for parts of another length. */
export function encodeCredentialsPayload({ salt, requestHash, root }: CredentialsPayload): Uint8Array {
  requireSalt(salt);
  if (requestHash.length !== 32 || root.length !== 32)
    throw new FirebreakError('format', 'a hash has 32 bytes');
  return concat(salt, requestHash, root);
}

/** Throws `format`. */
export function decodeCredentialsPayload(bytes: Uint8Array): CredentialsPayload {
  const reader = new ByteReader(bytes, 'a payload of issued credentials');
  const payload = { salt: reader.take(SALT_BYTES), requestHash: reader.take(32), root: reader.take(32) };
  reader.end();
  return payload;
}
