/**
 * Checks every byte of the head file (head-slot.ts has its format): two slots, written in turn. One of them
 * may be torn by a crash; a slot that one flipped bit explains was not torn.
 */
import { isZero } from '../../protocol/bytes.js';
import { HEAD_FILE } from '../store/folder.js';
import { readSlot, SLOT_BYTES, type Head, type HeadSlot } from '../store/head-slot.js';
import type { Findings } from './findings.js';

/** Bytes of the slot that, with one bit changed, are a good slot or one that was never written. */
function findFlippedByte(slot: Buffer): number | undefined {
  const bytes = Buffer.from(slot);
  for (let bit = 0; bit < SLOT_BYTES * 8; bit++) {
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
  if (file.length !== 2 * SLOT_BYTES)
    findings.damage('files', `has ${file.length} bytes, not ${2 * SLOT_BYTES}`, {
      file: HEAD_FILE,
      offset: 0,
    });
  const slots: HeadSlot[] = [];
  let torn: number | undefined;
  for (let at = 0; at + SLOT_BYTES <= file.length; at += SLOT_BYTES) {
    const bytes = file.subarray(at, at + SLOT_BYTES);
    const slot = readSlot(bytes);
    if (slot !== undefined) slots.push(slot);
    else if (!isZero(bytes)) torn = checkBadSlot(bytes, at, findings) ?? torn;
  }
  slots.sort((a, b) => b.turn - a.turn);
  const isFirst = isZero(file.subarray(0, SLOT_BYTES)); // the first slot is written second
  if (slots.length === 0 && torn !== undefined && !isFirst)
    findings.damage('files', 'has no slot that can be read', { file: HEAD_FILE, offset: 0 });
  else if (torn !== undefined)
    findings.note('interrupted', 'ends in a write that was cut short', { file: HEAD_FILE, offset: torn });
  requireTurns(slots, file, findings);
  return slots;
}

/** Where the slot begins, when it may have been torn. */
function checkBadSlot(bytes: Buffer, at: number, findings: Findings): number | undefined {
  const flipped = findFlippedByte(bytes);
  if (flipped === undefined) return at;
  findings.damage('files', 'one bit was flipped', { file: HEAD_FILE, offset: at + flipped });
  return undefined;
}

/** A slot is empty only as long as the file was written once; turns follow one another, and the log only grows. */
function requireTurns([newer, older]: readonly HeadSlot[], file: Buffer, findings: Findings): void {
  if (newer === undefined) return;
  const other = file.subarray(newer.turn % 2 === 0 ? SLOT_BYTES : 0).subarray(0, SLOT_BYTES);
  if (older === undefined && isZero(other) && newer.turn > 1)
    findings.damage('files', 'has lost one of its slots', { file: HEAD_FILE, offset: 0 });
  if (
    older !== undefined &&
    (older.turn !== newer.turn - 1 || older.commit > newer.commit || older.size > newer.size)
  )
    findings.damage('files', 'has slots that do not follow one another', { file: HEAD_FILE, offset: 0 });
}
