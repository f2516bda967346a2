/** What is wrong with a payload that is stored for an entry of the log, and at which of its bytes. */
import { equalBytes } from '../../protocol/bytes.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { PlacedPayload } from './payload-records.js';

/** In payloads up to this long the flipped bit is looked for: some 10,000 hashes. */
const MAX_SEARCHED_BYTES = 1280;

export interface WrongPayload {
  /** In words that stand after the place. */
  readonly what: string;
  /** First byte of the payload that is concerned. */
  readonly byte: number;
}

/** `undefined` when it is stored as it was logged, once, under its entry and day. */
export function wrongPayload(columns: EntryColumns, placed: PlacedPayload): WrongPayload | undefined {
  const misplaced = misplacedIn(columns, placed);
  if (misplaced !== undefined) return { what: misplaced, byte: 0 };
  const { index, payload } = placed;
  const hash = columns.hashOf(index);
  if (equalBytes(sha256(payload), hash)) return undefined;
  return { what: 'has other bytes stored than its payload', byte: flippedByte(payload, hash) };
}

function misplacedIn(columns: EntryColumns, { index, day, payload }: PlacedPayload): string | undefined {
  if (columns.has(index, MARK.stored)) return 'has its payload stored twice';
  if (!columns.has(index, MARK.first))
    return `has a payload stored that first came with entry ${columns.firstWith(columns.hashOf(index))}`;
  if (columns.retentionDays[index] !== day)
    return `has its payload stored under day ${day}, not ${columns.retentionDays[index]}`;
  if (columns.lengths[index] !== payload.length)
    return `has a payload of ${payload.length} bytes stored, and says ${columns.lengths[index]}`;
  return undefined;
}

/** The byte of a payload that has its hash once one bit of it is changed; 0 when no bit explains it. */
function flippedByte(payload: Uint8Array, hash: Uint8Array): number {
  if (payload.length > MAX_SEARCHED_BYTES) return 0;
  const bytes = Buffer.from(payload);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3;
    const before = bytes[at] as number;
    bytes[at] = before ^ (1 << (bit & 7));
    if (equalBytes(sha256(bytes), hash)) return at;
    bytes[at] = before;
  }
  return 0;
}
