/** Type 4: a published day key is the issuer's own statement (protocol.md §7, §10); a destroyed one only names its day. */
import { decodeDayKeyStatement, verifyDayKeyStatement } from '../../protocol/day-key-statement.js';
import { FirebreakError } from '../../protocol/errors.js';
import { decodeDayKeyPayload } from '../../protocol/payload-day-key.js';

/** Throws `format`, `issuer`. */
export function requireDayKeyEntry(payload: Uint8Array, issuerPublicKey: Uint8Array): void {
  const inside = decodeDayKeyPayload(payload);
  if (inside.kind === 'destroyed') return;
  if (verifyDayKeyStatement(issuerPublicKey, decodeDayKeyStatement(inside.statement))) return;
  throw new FirebreakError('issuer', 'a day-key statement that this issuer did not sign');
}
