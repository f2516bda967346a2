/**
 * What the clock read when a person last said that it is right, as ledger/clock-said-right keeps it: unix ms and a newline.
 * `firebreak ledger clock --data-dir DIR --yes` writes it; the ledger reads it while it doubts its clock.
 */
import { readFileSync } from 'node:fs';
import { writeAtomically } from '../files/atomic-file.js';

/** `undefined` where nobody said so. */
export function readSaidClock(file: string): number | undefined {
  try {
    const text = readFileSync(file, 'latin1');
    return /^\d{1,15}\n$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

export const writeSaidClock = (file: string, clockMs: number): Promise<void> =>
  writeAtomically(file, `${clockMs}\n`, 0o600);
