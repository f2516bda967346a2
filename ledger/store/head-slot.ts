/**
 * A slot of the head file: how far the log had come, in the log's own signed words.
 *
 *     "FBH2" | turn u48 | commit u48 | checkpoint: length u16, signed note in UTF-8 | zeros | SHA-256 of all before 32
 */
import { equalBytes } from '../../protocol/bytes.js';
import { parseCheckpoint, type Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { readNote } from '../../protocol/tlog/note.js';

export const SLOT_BYTES = 1024;
const MAGIC = 'FBH2';
const NOTE_AT = 18;
const SUM_AT = SLOT_BYTES - 32;

/** What was answered for: the commit, counted since the log began, and the checkpoint it left. */
export interface Answered {
  readonly commit: number;
  /** Signed note. */
  readonly checkpoint: string;
}

export type Head = Answered & Checkpoint;

export interface HeadSlot extends Head {
  /** How often the file had been written. */
  readonly turn: number;
}

/** Over all of `slot`. Throws `size` for a checkpoint that a slot cannot hold: its origin is too long. */
export function writeSlot(slot: Buffer, { turn, commit, checkpoint }: Answered & { turn: number }): void {
  const length = Buffer.byteLength(checkpoint);
  if (NOTE_AT + length > SUM_AT)
    throw new FirebreakError(
      'size',
      `a checkpoint of ${length} bytes is too long: give the log a shorter origin`,
    );
  slot.write(MAGIC, 0, 'latin1');
  slot.writeUIntBE(turn, 4, 6);
  slot.writeUIntBE(commit, 10, 6);
  slot.writeUInt16BE(length, 16);
  slot.write(checkpoint, NOTE_AT);
  slot.fill(0, NOTE_AT + length, SUM_AT);
  slot.set(sha256(slot.subarray(0, SUM_AT)), SUM_AT);
}

/** `undefined` when any byte of it is not as it was written. The signature of the note is not checked. */
export function readSlot(slot: Buffer): HeadSlot | undefined {
  if (slot.length !== SLOT_BYTES || slot.toString('latin1', 0, 4) !== MAGIC) return undefined;
  if (!equalBytes(slot.subarray(SUM_AT), sha256(slot.subarray(0, SUM_AT)))) return undefined;
  const checkpoint = slot.toString('utf8', NOTE_AT, NOTE_AT + slot.readUInt16BE(16));
  const read = ifCheckpoint(checkpoint);
  return read && { ...read, turn: slot.readUIntBE(4, 6), commit: slot.readUIntBE(10, 6), checkpoint };
}

function ifCheckpoint(note: string): Checkpoint | undefined {
  try {
    return parseCheckpoint(readNote(note).text);
  } catch (error) {
    if (error instanceof FirebreakError) return undefined;
    throw error;
  }
}
