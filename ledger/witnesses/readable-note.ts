/** A signed note off the disk, of which a damaged signature line is to cost that line and no more. */
import { FirebreakError } from '../../protocol/errors.js';
import { cosignedAt, isBy, type Cosigner } from '../../protocol/tlog/cosignature.js';
import { noteText, readNote, signatureText, type NoteSignature } from '../../protocol/tlog/note.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';

export interface ReadableNote {
  /** Text and those signature lines that can be read, none of them checked. The bytes themselves where all can. */
  readonly note: string;
  /** Signature lines that cannot be read. */
  readonly lost: number;
}

/**
 * Reads a checkpoint's note: its text has no blank line, so that the first one ends it. Throws `format` where
 * the text is not UTF-8.
 */
export function readableNote(bytes: Uint8Array): ReadableNote {
  const note = Buffer.from(bytes);
  const blank = note.indexOf('\n\n');
  if (blank < 0) return { note: noteText(note), lost: 0 };
  const text = note.subarray(0, blank + 2);
  const lines = linesOf(note.subarray(text.length));
  const readable = lines.filter((line) => isReadable(Buffer.concat([text, line])));
  return { note: noteText(Buffer.concat([text, ...readable])), lost: lines.length - readable.length };
}

/** Each with its newline; the last one may lack it. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf('\n', start);
    const end = newline < 0 ? bytes.length : newline + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

function isReadable(note: Uint8Array): boolean {
  try {
    readNote(note);
    return true;
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'format') return false;
    throw error;
  }
}

/** A note without the lines that bear a key of the policy's witnesses and are not valid: one spoils it for every reader. */
export function withoutInvalid(note: string, { witnesses }: WitnessPolicy): string {
  const { text, signatures } = readNote(note);
  const isInvalid = (signature: NoteSignature): boolean =>
    witnesses.some(({ cosigner }) => isBy(signature, cosigner) && !isValid(text, signature, cosigner));
  return `${text}\n${signatures
    .filter((one) => !isInvalid(one))
    .map(signatureText)
    .join('')}`;
}

function isValid(text: string, signature: NoteSignature, cosigner: Cosigner): boolean {
  try {
    return cosignedAt(text, [signature], cosigner) !== undefined;
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'signature') return false;
    throw error;
  }
}
