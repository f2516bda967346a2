/**
 * Payload of a ledger entry of type 3, gateway enrolled or revoked (protocol.md §7, §10):
 *
 *     enrolled (125)   salt 16 || gateway certificate 109
 *     revoked (109)    salt 16 || revocation 93
 *
 * The two differ in length. What is inside is decoded and verified by its own codec.
 */
import { concat } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { CERTIFICATE_BYTES } from '../session/gateway-certificate.js';
import { requireSalt, SALT_BYTES } from './salt.js';
import { REVOCATION_BYTES } from '../session/revocation.js';

export type GatewayPayload =
  | { readonly kind: 'enrolled'; readonly salt: Uint8Array; readonly certificate: Uint8Array }
  | { readonly kind: 'revoked'; readonly salt: Uint8Array; readonly revocation: Uint8Array };

/** Of a payload of this many bytes. */
export const isRevocationLength = (payloadLength: number): boolean =>
  payloadLength === SALT_BYTES + REVOCATION_BYTES;

/** Throws `format` for parts of another length. */
export function encodeGatewayPayload(payload: GatewayPayload): Uint8Array {
  requireSalt(payload.salt);
  const statement = payload.kind === 'enrolled' ? payload.certificate : payload.revocation;
  const length = payload.kind === 'enrolled' ? CERTIFICATE_BYTES : REVOCATION_BYTES;
  if (statement.length !== length)
    throw new FirebreakError('format', `a gateway ${payload.kind} has ${length} bytes`);
  return concat(payload.salt, statement);
}

/** Throws `format`. */
export function decodeGatewayPayload(bytes: Uint8Array): GatewayPayload {
  const salt = new Uint8Array(bytes.subarray(0, SALT_BYTES));
  const statement = new Uint8Array(bytes.subarray(SALT_BYTES));
  if (statement.length === CERTIFICATE_BYTES) return { kind: 'enrolled', salt, certificate: statement };
  if (statement.length === REVOCATION_BYTES) return { kind: 'revoked', salt, revocation: statement };
  throw new FirebreakError(
    'format',
    `a payload of ${bytes.length} bytes neither enrols nor revokes a gateway`,
  );
}
