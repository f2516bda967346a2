/**
 * The request of C2SP tlog-witness, by which a log asks a witness to cosign:
 *
 *     POST <submission prefix>/add-checkpoint
 *
 *     "old " size in decimal newline             of the checkpoint the witness cosigned last; 0 for none
 *     base64(hash 32) newline                    RFC 6962 §2.1.2 from the old size to the new; 0 to 63 lines
 *     newline
 *     checkpoint, verbatim                       a signed note (checkpoint.ts)
 *
 * Answers: 200 with cosignature lines; 409 with the size the witness cosigned last, a decimal and a newline of type
 * text/x.tlog.size; 400 malformed, 403 not signed by the log, 404 a log the witness does not know, 422 a bad proof.
 * Base64 must be canonical. Bounds of ours: sizes below 2^53, a request of at most 256 KiB.
 */
import { FirebreakError } from '../errors.js';
import { HASH_LENGTH } from './merkle.js';
import { decimal, fromBase64, utf8Text } from './text-forms.js';

export const MAX_ADD_CHECKPOINT_BYTES = 256 * 1024;
export const TLOG_SIZE_TYPE = 'text/x.tlog.size';
const MAX_HASHES = 63;

export interface AddCheckpoint {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note as it was, unopened. */
  readonly checkpoint: string;
}

const malformed = (why: string) => new FirebreakError('format', `not an add-checkpoint request: ${why}`);

export function encodeAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  const hashes = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return `old ${oldSize}\n${hashes.join('')}\n${checkpoint}`;
}

/** Throws `format`. */
export function decodeAddCheckpoint(body: Uint8Array): AddCheckpoint {
  if (body.length > MAX_ADD_CHECKPOINT_BYTES) throw malformed('it is over 256 KiB');
  const text = utf8Text(body);
  if (text === undefined) throw malformed('it is not UTF-8');
  const blank = text.indexOf('\n\n');
  if (blank === -1) throw malformed('there is no blank line before the checkpoint');
  const [old = '', ...lines] = text.slice(0, blank).split('\n');
  const oldSize = decimal(/^old (.*)$/.exec(old)?.[1] ?? '');
  if (oldSize === undefined) throw malformed('it does not begin with "old" and a size');
  if (lines.length > MAX_HASHES) throw malformed(`it has more than ${MAX_HASHES} hashes`);
  return { oldSize, proof: lines.map(hashOf), checkpoint: text.slice(blank + 2) };
}

/** The body of a 409: the size the witness cosigned last. */
export function encodeTlogSize(size: number): string {
  return `${size}\n`;
}

/** Throws `format`. */
export function decodeTlogSize(body: Uint8Array): number {
  const size = decimal(/^(.*)\n$/.exec(Buffer.from(body).toString('latin1'))?.[1] ?? '');
  if (size !== undefined) return size;
  throw new FirebreakError('format', 'not the size of a log: it must be a decimal number and a newline');
}

function hashOf(line: string): Uint8Array {
  const hash = fromBase64(line);
  if (hash?.length === HASH_LENGTH) return hash;
  throw malformed('a hash of the proof is not 32 bytes in canonical base64');
}
