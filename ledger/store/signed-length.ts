/**
 * Which frames of a journal are surely the ledger's own, whatever somebody had sent as a payload: those that end with a
 * state whose checkpoint the log's key signed.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import type { FoundFrame } from './journal-frames.js';
import { STATE_KEY } from './store-keys.js';
import { decodeStateRow } from './store-state.js';

/** How long the log is by a frame; `undefined` for one that anybody may have made. */
export type SignedLength = (frame: FoundFrame) => number | undefined;

export const signedLengthBy =
  (verifier: NoteVerifier): SignedLength =>
  ({ commit, rows }) => {
    const row = rows.at(-1);
    if (row === undefined || !equalBytes(row.key, STATE_KEY)) return undefined;
    try {
      const { state, commit: stateCommit } = decodeStateRow(row.value);
      const { size } = openCheckpoint(state.checkpoint, verifier);
      return stateCommit === commit && size === state.size ? size : undefined;
    } catch {
      return undefined; // not of this log
    }
  };
