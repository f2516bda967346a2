/** What no ledger can take must not get into a spool, where it would be in the way of the others. */
import { FirebreakError } from '../protocol/errors.js';
import { MAX_ENTRY_TYPE, MAX_PAYLOAD_LENGTH } from '../protocol/tlog/entry.js';
import type { OutboundEntry } from './spool.js';

/** Throws `size` or `format`. */
export function requireAcceptable({ type, timeMs, payload }: OutboundEntry): void {
  if (payload.length > MAX_PAYLOAD_LENGTH)
    throw new FirebreakError('size', `the payload of an entry is at most ${MAX_PAYLOAD_LENGTH} bytes`);
  if (Number.isSafeInteger(type) && type >= 0 && type <= MAX_ENTRY_TYPE && timeMs >= 0) return;
  throw new FirebreakError('format', `an entry has a type from 0 to ${MAX_ENTRY_TYPE} and a time`);
}
