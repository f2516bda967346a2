/**
 * The size and root of the log as last answered for, beside the store (`head`). LevelDB drops a damaged tail of its
 * write-ahead log without a word; this file is how the ledger notices that its store went back in time.
 *
 *     two slots of 128 bytes, written in turn, so that a torn write spoils one at most:
 *     "FBH1" | turn u48 | size u48 | root 32 | SHA-256 over all before 32 | zeros
 *
 * Written after a commit is synced and before it is answered; synced itself when the ledger closes.
 */
import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { equalBytes } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import { sha256 } from '../protocol/hash.js';

const SLOT_BYTES = 128;
const SIGNED_BYTES = 48;
const MAGIC = 'FBH1';

export interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

export interface HeadFile {
  /** What the file said when it was opened; `undefined` when there was none. */
  readonly found: Head | undefined;
  write(head: Head): void;
  close(): void;
}

interface Slot extends Head {
  readonly turn: number;
}

function readSlot(bytes: Buffer): Slot | undefined {
  if (bytes.toString('latin1', 0, 4) !== MAGIC) return undefined;
  const sum = bytes.subarray(SIGNED_BYTES, SIGNED_BYTES + 32);
  if (!equalBytes(sum, sha256(bytes.subarray(0, SIGNED_BYTES)))) return undefined;
  return {
    turn: bytes.readUIntBE(4, 6),
    size: bytes.readUIntBE(10, 6),
    root: Uint8Array.from(bytes.subarray(16, SIGNED_BYTES)),
  };
}

function slotBytes(slot: Slot): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUIntBE(slot.turn, 4, 6);
  bytes.writeUIntBE(slot.size, 10, 6);
  bytes.set(slot.root, 16);
  bytes.set(sha256(bytes.subarray(0, SIGNED_BYTES)), SIGNED_BYTES);
  return bytes;
}

function readNewest(fd: number, path: string): Slot | undefined {
  const bytes = Buffer.alloc(2 * SLOT_BYTES);
  const length = readSync(fd, bytes, 0, bytes.length, 0);
  if (length === 0) return undefined;
  const slots = [readSlot(bytes.subarray(0, SLOT_BYTES)), readSlot(bytes.subarray(SLOT_BYTES))];
  const valid = slots.filter((slot) => slot !== undefined).sort((a, b) => b.turn - a.turn);
  if (valid[0] !== undefined) return valid[0];
  throw new FirebreakError(
    'damaged',
    `${path} is damaged: check the log with 'ledger verify', then restore the folder`,
  );
}

/** Opens or makes the head file. Throws `damaged` when neither of its slots can be read. */
export function openHeadFile(path: string): HeadFile {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  let newest: Slot | undefined;
  try {
    newest = readNewest(fd, path);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let turn = newest?.turn ?? 0;
  return {
    found: newest,
    write(head) {
      turn += 1;
      writeSync(fd, slotBytes({ ...head, turn }), 0, SLOT_BYTES, (turn % 2) * SLOT_BYTES);
    },
    close() {
      fsyncSync(fd);
      closeSync(fd);
    },
  };
}
