/**
 * C2SP tlog-proof (c2sp.org/tlog-proof@v1): a text file that proves, to whoever knows the log's key and
 * nothing else, that an entry is in a log.
 *
 *     "c2sp.org/tlog-proof@v1" newline
 *     ["extra " base64(extra data) newline]       absent when there is none; the proof does not vouch for it
 *     "index " decimal newline                    counted from 0, no leading zeros
 *     base64(hash 32) newline                     RFC 6962 §2.1.1 audit path, leaf's sibling first; 0 or more lines
 *     newline
 *     checkpoint, verbatim                        a signed note (checkpoint.ts), cosignatures and all
 *
 * Base64 is RFC 4648 §4 and must be canonical, so that what decodes encodes to the same bytes. Bounds of
 * ours: index below 2^53, hence at most 53 hashes; a file of at most 2 MiB. What the checkpoint says is
 * checked when it is opened, not here.
 */
import { FirebreakError } from '../errors.js';
import { HASH_LENGTH } from './merkle.js';
import { decimal, fromBase64, utf8Text } from './text-forms.js';

const HEADER = 'c2sp.org/tlog-proof@v1';
const EXTRA = 'extra ';
const INDEX = 'index ';
/** No leaf of a tree of fewer than 2^53 leaves has a longer path. */
const MAX_HASHES = 53;
/** A checkpoint, which may be 1 MiB, and as much again. */
const MAX_PROOF_BYTES = 2 << 20;

export interface TlogProof {
  /** Opaque, never empty; `undefined` for none. */
  readonly extra: Uint8Array | undefined;
  readonly index: number;
  /** Leaf's sibling first. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note as it was, unopened. */
  readonly checkpoint: string;
}

const malformed = (why: string) => new FirebreakError('format', `not a tlog-proof file: ${why}`);

const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Throws `format` for what the format has no room for. */
export function encodeTlogProof(proof: TlogProof): string {
  requireBounds(proof);
  const { extra, index, hashes, checkpoint } = proof;
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [EXTRA + base64Of(extra)]),
    INDEX + String(index),
    ...hashes.map(base64Of),
  ];
  const text = `${lines.join('\n')}\n\n${checkpoint}`;
  if (Buffer.byteLength(text) > MAX_PROOF_BYTES) throw malformed('it would be over 2 MiB');
  return text;
}

function requireBounds({ extra, index, hashes, checkpoint }: TlogProof): void {
  if (extra?.length === 0) throw malformed('extra data that is there must not be empty');
  if (!Number.isSafeInteger(index) || index < 0)
    throw malformed('the index is not a whole number below 2^53');
  if (hashes.length > MAX_HASHES) throw malformed(`it has more than ${MAX_HASHES} hashes`);
  if (hashes.some((hash) => hash.length !== HASH_LENGTH)) throw malformed('a hash must have 32 bytes');
  if (!/^[^\n][^]*\n$/.test(checkpoint)) throw malformed('the checkpoint does not follow the blank line');
}

/** Throws `format` for any bytes that {@link encodeTlogProof} would not write. */
export function decodeTlogProof(file: string | Uint8Array): TlogProof {
  const text = textOf(file);
  const blank = text.indexOf('\n\n');
  if (!text.startsWith(`${HEADER}\n`)) throw malformed(`it does not begin with ${HEADER}`);
  if (blank === -1) throw malformed('there is no blank line before the checkpoint');
  const lines = text.slice(HEADER.length + 1, blank).split('\n');
  const extra = lines[0]?.startsWith(EXTRA) ? bytesOf(lines.shift(), EXTRA, 'extra data') : undefined;
  const index = indexOf(lines.shift());
  const hashes = lines.map((line) => bytesOf(line, '', 'a hash'));
  const proof = { extra, index, hashes, checkpoint: text.slice(blank + 2) };
  requireBounds(proof);
  return proof;
}

function textOf(file: string | Uint8Array): string {
  if (Buffer.byteLength(file) > MAX_PROOF_BYTES) throw malformed('it is over 2 MiB');
  const text = typeof file === 'string' ? file : utf8Text(file);
  if (text === undefined) throw malformed('it is not UTF-8');
  return text;
}

function indexOf(line = ''): number {
  const index = line.startsWith(INDEX) ? decimal(line.slice(INDEX.length)) : undefined;
  if (index === undefined)
    throw malformed('there is no index line with a number below 2^53 where it belongs');
  return index;
}

function bytesOf(line = '', prefix: string, what: string): Uint8Array {
  const base64 = line.slice(prefix.length);
  const bytes = base64 === '' ? new Uint8Array() : fromBase64(base64);
  if (bytes === undefined) throw malformed(`${what} is not canonical base64`);
  return bytes;
}
