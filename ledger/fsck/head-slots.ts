/**
 * Checks every byte of the head file (head-file.ts has its format): two slots of 128 bytes, written in turn. One of them
 * may be torn by a crash; a slot that one flipped bit explains was not torn.
 */
import { equalBytes, isZero } from '../../protocol/bytes.js';
import { sha256 } from '../../protocol/hash.js';
import type { Head } from '../store/head-file.js';
import type { Findings } from './findings.js';

const SLOT = 128;
const SIGNED = 48;
const SUM_END = 80;
const MAGIC = Buffer.from('FBH1');

interface Slot extends Head {
  readonly turn: number;
}

function readSlot(bytes: Buffer): Slot | undefined {
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return undefined;
  if (!equalBytes(sha256(bytes.subarray(0, SIGNED)), bytes.subarray(SIGNED, SUM_END))) return undefined;
  if (!isZero(bytes.subarray(SUM_END))) return undefined;
  return {
    turn: bytes.readUIntBE(4, 6),
    size: bytes.readUIntBE(10, 6),
    root: Uint8Array.from(bytes.subarray(16, SIGNED)),
  };
}

/** Bytes of the slot that, with one bit changed, are a good slot or one that was never written. */
function findFlippedByte(slot: Buffer): number | undefined {
  const bytes = Buffer.from(slot);
  for (let bit = 0; bit < SLOT * 8; bit++) {
    const at = bit >> 3;
    bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
    if (readSlot(bytes) !== undefined || isZero(bytes)) return at;
    bytes[at] = slot[at] as number;
  }
  return undefined;
}

/** What the head file holds that can be trusted, the newest first. Empty for a file that is. */
export function checkHeadSlots(file: Buffer, findings: Findings): Head[] {
  if (file.length === 0) return [];
  if (file.length !== 2 * SLOT)
    findings.damage('files', `has ${file.length} bytes, not ${2 * SLOT}`, { file: 'head', offset: 0 });
  const slots: Slot[] = [];
  let torn: number | undefined;
  for (let at = 0; at + SLOT <= file.length; at += SLOT) {
    const bytes = file.subarray(at, at + SLOT);
    const slot = readSlot(bytes);
    if (slot !== undefined) slots.push(slot);
    else if (!isZero(bytes)) torn = checkBadSlot(bytes, at, findings) ?? torn;
  }
  slots.sort((a, b) => b.turn - a.turn);
  if (slots.length === 0 && torn !== undefined)
    findings.damage('files', 'has no slot that can be read', { file: 'head', offset: 0 });
  else if (torn !== undefined)
    findings.note('interrupted', 'ends in a write that was cut short', { file: 'head', offset: torn });
  requireTurns(slots, file, findings);
  return slots;
}

/** Where the slot begins, when it may have been torn. */
function checkBadSlot(bytes: Buffer, at: number, findings: Findings): number | undefined {
  const flipped = findFlippedByte(bytes);
  if (flipped === undefined) return at;
  findings.damage('files', 'one bit was flipped', { file: 'head', offset: at + flipped });
  return undefined;
}

/** A slot is empty only as long as the file was written once; turns follow one another, and the log only grows. */
function requireTurns([newer, older]: readonly Slot[], file: Buffer, findings: Findings): void {
  if (newer === undefined) return;
  const other = file.subarray(newer.turn % 2 === 0 ? SLOT : 0).subarray(0, SLOT);
  if (older === undefined && isZero(other) && newer.turn > 1)
    findings.damage('files', 'has lost one of its slots', { file: 'head', offset: 0 });
  if (older !== undefined && (older.turn !== newer.turn - 1 || older.size > newer.size))
    findings.damage('files', 'has slots that do not follow one another', { file: 'head', offset: 0 });
}
