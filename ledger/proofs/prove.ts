/**
 * Makes tlog-proof files: that an entry is in the log, bound to a checkpoint of it. What comes out has been
 * checked.
 */
import { equalBytes, toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { proveInclusion } from '../../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { encodeTlogProof } from '../../protocol/tlog/tlog-proof.js';
import { checkProof, type CheckedProof } from './check-proof.js';
import { findPayload, type FindOptions } from '../readers/find-payload.js';
import type { LogView } from '../readers/log-view.js';

export interface MadeProof {
  /** The tlog-proof file, with the entry as its extra data. */
  readonly file: string;
  readonly checked: CheckedProof;
}

/**
 * Proves entry `index` under the checkpoint of the view.
 *
 * Throws `not-found` when the checkpoint does not reach that far; `damaged` when what the ledger holds does not lead to
 * the root of the checkpoint, also where that is one of a fork; and what the reader throws.
 */
export async function proveEntry(view: LogView, verifier: NoteVerifier, index: number): Promise<MadeProof> {
  const { checkpoint, note } = view;
  if (index >= checkpoint.size) throw noEntry(index, checkpoint.size);
  const [hashes, entry] = await Promise.all([
    proveInclusion(index, checkpoint.size, view.readHashes),
    view.readEntry(index),
  ]);
  const file = encodeTlogProof({ extra: entry, index, hashes, checkpoint: note });
  try {
    return { file, checked: checkProof(file, verifier) };
  } catch (cause) {
    throw new FirebreakError(
      'damaged',
      `entry ${index} cannot be proved: what the ledger holds does not lead to the root that it signed for ` +
        `${checkpoint.size} entries. Its entries or tiles are damaged, or the log was rewritten or forked. Keep the ` +
        'checkpoint; firebreak ledger verify tells which',
      { cause },
    );
  }
}

/**
 * Proves the first entry that has this payload.
 *
 * Throws `not-found` when no entry under the checkpoint has it, as {@link findPayload} while looking, and as
 * {@link proveEntry}.
 */
export async function provePayload(
  view: LogView,
  verifier: NoteVerifier,
  payloadSha256: Uint8Array,
  options: FindOptions = {},
): Promise<MadeProof> {
  const index = await findPayload(view, payloadSha256, options);
  const made = index === undefined ? undefined : await proveEntry(view, verifier, index);
  // The entry was read twice: what counts is what was proved.
  if (made?.checked.entry && equalBytes(made.checked.entry.payloadSha256, payloadSha256)) return made;
  throw new FirebreakError(
    'not-found',
    `none of the ${view.checkpoint.size} entries has a payload with the hash ${toHex(payloadSha256)}`,
  );
}

function noEntry(index: number, size: number): FirebreakError {
  const reach = size === 0 ? 'the log is empty' : `the checkpoint covers the entries 0 to ${size - 1}`;
  return new FirebreakError('not-found', `there is no entry ${index}: ${reach}`);
}
