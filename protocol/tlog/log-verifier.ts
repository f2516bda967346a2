/**
 * Checks new entries of a log against what was verified before and a new signed checkpoint; pure.
 *
 * A follower holds the compact range of all it verified. Appending the new leaves to it must give the root of the new
 * checkpoint: that shows at once that the entries are those the ledger committed to and that the log was only
 * appended to. Each entry must also name the leaf hash of the one before (protocol.md §10).
 *
 *     state, serialised: leaf hash of the last entry 32 (zeros before the first) || compact range (compact-range.ts)
 */
import type { TreeSize } from '../brands.js';
import { concat, equalBytes } from '../bytes.js';
import type { Checkpoint } from './checkpoint.js';
import { CompactRange, decodeCompactRange, encodeCompactRange } from './compact-range.js';
import { decodeEntry, NO_PREVIOUS_LEAF, type LedgerEntry } from './entry.js';
import { FirebreakError } from '../errors.js';
import { HASH_LENGTH, leafHash } from './merkle.js';

/** A log up to some size. The range is not to be appended to by whoever is handed it. */
interface LogPosition {
  readonly range: CompactRange;
  readonly lastLeaf: Uint8Array;
}

/** A log whose root a checkpoint confirmed. */
export interface VerifiedLog extends LogPosition {
  readonly confirmed: true;
}

/** A log with new entries whose chain holds, not yet confirmed by a checkpoint: nothing in it may be used. */
export interface ExtendedLog extends LogPosition {
  readonly confirmed: false;
}

export interface IndexedEntry extends LedgerEntry {
  readonly index: number;
  readonly leaf: Uint8Array;
}

/** Where a follower begins. */
export function newLog(): VerifiedLog {
  return { confirmed: true, range: new CompactRange(), lastLeaf: NO_PREVIOUS_LEAF };
}

export function sizeOf({ range }: LogPosition): TreeSize {
  return range.size;
}

/**
 * Appends entries, as bytes, that a ledger says come next; for a long log, page by page.
 *
 * Throws `format` for bytes that are no entry, `chain` for one that does not name the leaf before; both name the index.
 */
export function extendLog(
  log: VerifiedLog | ExtendedLog,
  entries: readonly Uint8Array[],
): { readonly log: ExtendedLog; readonly entries: readonly IndexedEntry[] } {
  const range = log.range.copy();
  let lastLeaf = log.lastLeaf;
  const indexed = entries.map((bytes) => {
    const entry = { ...readEntry(bytes, range.size, lastLeaf), index: range.size, leaf: leafHash(bytes) };
    range.append(entry.leaf);
    lastLeaf = entry.leaf;
    return entry;
  });
  return { log: { confirmed: false, range, lastLeaf }, entries: indexed };
}

function readEntry(bytes: Uint8Array, index: number, lastLeaf: Uint8Array): LedgerEntry {
  const entry = decodeAt(bytes, index);
  if (equalBytes(entry.previousLeaf, lastLeaf)) return entry;
  throw new FirebreakError('chain', `entry ${index} does not follow from the entry before it`);
}

function decodeAt(bytes: Uint8Array, index: number): LedgerEntry {
  try {
    return decodeEntry(bytes);
  } catch (cause) {
    throw new FirebreakError('format', `entry ${index} is not a ledger entry`, { cause });
  }
}

/**
 * The log is what the checkpoint commits to. The caller opened the checkpoint with the log's key.
 *
 * Throws `consistency` when the checkpoint is of another size or root: the log shrank, changed its past or forked.
 */
export function confirmLog({ range, lastLeaf }: LogPosition, checkpoint: Checkpoint): VerifiedLog {
  if (checkpoint.size !== range.size) {
    throw new FirebreakError(
      'consistency',
      `the checkpoint is of ${checkpoint.size} entries, and ${range.size} were verified`,
    );
  }
  if (!equalBytes(range.root(), checkpoint.root)) {
    throw new FirebreakError(
      'consistency',
      `the entries up to ${range.size} do not give the root of the checkpoint: the log is not the one seen before`,
    );
  }
  return { confirmed: true, range, lastLeaf };
}

export function encodeVerifiedLog({ lastLeaf, range }: VerifiedLog): Uint8Array {
  return concat(lastLeaf, encodeCompactRange(range));
}

/** A state this program stored itself. Throws `format`. */
export function decodeVerifiedLog(bytes: Uint8Array): VerifiedLog {
  if (bytes.length < HASH_LENGTH)
    throw new FirebreakError('format', 'the state of a verified log is too short');
  const lastLeaf = new Uint8Array(bytes.subarray(0, HASH_LENGTH));
  return { confirmed: true, lastLeaf, range: decodeCompactRange(bytes.subarray(HASH_LENGTH)) };
}
