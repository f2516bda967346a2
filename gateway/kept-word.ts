/**
 * What a gateway keeps of the authority's word, so that a restart without a network forgets none of it:
 *
 *     revocation of this gateway 93, or nothing || day-key statements 105 each, ascending by day
 *
 * The lengths tell these two apart. The notices are kept too, as a list (tag/notice-list.ts), in a place of their own. Signatures stay
 * on: what was kept is verified like what arrives.
 */
import { joinDayKeyStatements, splitDayKeyStatements } from '../protocol/mqtt/authority-topics.js';
import { concat } from '../protocol/bytes.js';
import { STATEMENT_BYTES } from '../protocol/session/day-key-statement.js';
import { REVOCATION_BYTES } from '../protocol/session/revocation.js';

const NOTHING = new Uint8Array(0);

export interface KeptWord {
  readonly revocation: Uint8Array | undefined;
  readonly statements: readonly Uint8Array[];
}

export function encodeKeptWord({ revocation, statements }: KeptWord): Uint8Array {
  return concat(revocation ?? NOTHING, joinDayKeyStatements(statements));
}

/** Throws `format` for any other length, `size` for too many statements. */
export function decodeKeptWord(bytes: Uint8Array): KeptWord {
  const isRevoked = bytes.length % STATEMENT_BYTES === REVOCATION_BYTES;
  const from = isRevoked ? REVOCATION_BYTES : 0;
  return {
    revocation: isRevoked ? Uint8Array.from(bytes.subarray(0, from)) : undefined,
    statements: splitDayKeyStatements(bytes.subarray(from)),
  };
}
