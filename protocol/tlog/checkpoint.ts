/**
 * C2SP tlog-checkpoint without extension lines (protocol.md §10), the text of a signed note:
 *
 *     origin newline || size in decimal newline || base64(root hash 32) newline
 *
 * The log signs under the name that is its origin.
 */
import { asTreeSize, type TreeSize } from '../brands.js';
import { equalBytes } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { emptyRoot, HASH_LENGTH } from './merkle.js';
import { openNote, signNote, type NoteSigner, type NoteVerifier, type OpenedNote } from './note.js';
import { decimal, fromBase64 } from './text-forms.js';

export interface Checkpoint {
  /** What the log calls itself: a URL without scheme. */
  readonly origin: string;
  readonly size: TreeSize;
  readonly root: Uint8Array;
}

const malformed = (why: string) => new FirebreakError('format', `not a checkpoint: ${why}`);

/** Throws `format` for an origin of no or several lines, or a root that cannot be one. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (origin === '' || origin.includes('\n')) throw malformed('the origin must be one line');
  requireRoot(root, size);
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** Throws `format`; extension lines are refused. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', digits = '', base64 = '', ...rest] = text.split('\n');
  if (rest.length !== 1 || rest[0] !== '') throw malformed('it must have exactly three lines');
  if (origin === '') throw malformed('the origin is empty');
  const leaves = decimal(digits);
  if (leaves === undefined) throw malformed('the size is not a decimal number below 2^53');
  const size = asTreeSize(leaves);
  const root = fromBase64(base64);
  if (root === undefined) throw malformed('the root is not base64');
  requireRoot(root, size);
  return { origin, size, root };
}

/**
 * As {@link parseCheckpoint}, for the logs of others: lines after the third are allowed, not empty, and their
 * meaning is left open. Throws `format`.
 */
export function parseForeignCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.includes('')) throw malformed('a line of it is empty or cut off');
  return parseCheckpoint(`${lines.slice(0, 3).join('\n')}\n`);
}

function requireRoot(root: Uint8Array, size: TreeSize): void {
  if (root.length !== HASH_LENGTH) throw malformed('the root must have 32 bytes');
  if (size === 0 && !equalBytes(root, emptyRoot()))
    throw malformed('an empty log has the root of the empty tree');
}

/** The checkpoint as a signed note. Throws `format`. */
export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): string {
  return signNote(formatCheckpoint(checkpoint), [signer]);
}

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The note it was read from: its other signatures are those of witnesses, unverified. */
  readonly note: OpenedNote;
}

/**
 * The checkpoint of the log that `verifier` names, its signature checked.
 *
 * Throws `format`, `signature`, and `foreign` for the checkpoint of another log.
 */
export const openCheckpoint = (note: string | Uint8Array, verifier: NoteVerifier): Checkpoint =>
  openCheckpointNote(note, verifier).checkpoint;

/** As {@link openCheckpoint}, for whoever looks at the other signatures too. */
export function openCheckpointNote(signed: string | Uint8Array, verifier: NoteVerifier): OpenedCheckpoint {
  const note = openNote(signed, [verifier]);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin === verifier.name) return { checkpoint, note };
  throw new FirebreakError(
    'foreign',
    `the checkpoint is of the log ${checkpoint.origin}, not ${verifier.name}`,
  );
}
