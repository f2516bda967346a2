/**
 * Shows that of two checkpoints of a log the later one continues the earlier: nothing before was changed or
 * dropped.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { openCheckpoint, type Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { FirebreakError } from '../../protocol/errors.js';
import { checkConsistency, proveConsistency } from '../../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import type { WitnessedCheckpoint } from '../../protocol/tlog/witness-policy.js';
import { shrunk, type LogView } from '../readers/log-view.js';

export interface ProvenGrowth {
  readonly older: Checkpoint;
  readonly newer: Checkpoint;
  /** When each witness of the policy cosigned the newer one, as of {@link LogView}. */
  readonly witnesses: WitnessedCheckpoint['cosigned'];
  /** RFC 6962 §2.1.2; checked. */
  readonly hashes: readonly Uint8Array[];
}

/**
 * Proves that the checkpoint of the view continues `olderNote`, from the tiles of the view, and checks the proof.
 *
 * Throws `format`, `signature` or `foreign` for the older checkpoint, `input` when it is the newer one, and
 * `consistency` when the newer does not continue it.
 */
export async function proveGrowth(
  view: LogView,
  verifier: NoteVerifier,
  olderNote: string,
): Promise<ProvenGrowth> {
  const older = openCheckpoint(olderNote, verifier);
  const newer = view.checkpoint;
  if (older.size > view.latestSize) throw shrunk(older.size, view.latestSize);
  if (older.size > newer.size)
    throw new FirebreakError('input', 'the older checkpoint has more entries than the newer: swap the two');
  if (older.size === newer.size && !equalBytes(older.root, newer.root)) throw forked(older);
  const hashes = await proveConsistency(older.size, newer.size, view.readHashes);
  try {
    const [oldSize, oldRoot, newSize, newRoot] = [older.size, older.root, newer.size, newer.root];
    checkConsistency(hashes, { oldSize, oldRoot, newSize, newRoot });
  } catch (cause) {
    throw unconnected(older, newer, cause);
  }
  return { older, newer, witnesses: view.cosigned, hashes };
}

const forked = ({ origin, size }: Checkpoint) =>
  new FirebreakError(
    'consistency',
    `${origin} signed two different roots for ${size} entries: the log was forked. Keep both files, they prove it`,
  );

/** Bad tiles look like a fork from here; only all the entries can tell. */
const unconnected = (older: Checkpoint, newer: Checkpoint, cause: unknown) =>
  new FirebreakError(
    'consistency',
    `the tiles of the ledger do not lead from the checkpoint of ${older.size} entries to that of ${newer.size}: ` +
      'the log was rewritten or forked, or its tiles are damaged. Keep both files; firebreak ledger verify tells which',
    { cause },
  );
