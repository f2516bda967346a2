/**
 * Type 4: a published day key is the issuer's own statement (protocol.md §7, §10); a destroyed one only names
 * its day.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { decodeDayKeyStatement, verifyDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import { FirebreakError } from '../../protocol/errors.js';
import { decodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import type { DayStatement } from '../sequence/checked-batch.js';
import type { Writer } from './writer.js';

/**
 * What the entry says of a day: that its keys are destroyed counts from the issuer alone. Throws `format`,
 * `issuer`.
 */
export function readDayKeyEntry(
  payload: Uint8Array,
  { publicKey }: Writer,
  issuerPublicKey: Uint8Array,
): DayStatement | undefined {
  const inside = decodeDayKeyPayload(payload);
  if (inside.kind === 'destroyed')
    return equalBytes(publicKey, issuerPublicKey) ? { kind: 'keys-destroyed', day: inside.day } : undefined;
  if (verifyDayKeyStatement(issuerPublicKey, decodeDayKeyStatement(inside.statement))) return undefined;
  throw new FirebreakError('issuer', 'a day-key statement that this issuer did not sign');
}
