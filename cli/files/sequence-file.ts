/** Numbers that never come twice, whatever crashes: taken from a small file, many at a time. */
import { readFile } from 'node:fs/promises';
import type { SequenceStore } from '../../gateway/statement-store.js';
import { FirebreakError } from '../../protocol/errors.js';
import { writeAtomically } from './atomic-file.js';

/** Numbers taken from disk at a time; a crash skips the rest, which a gap shows. */
const STEP = 64;

/**
 * The file holds the first number that was not taken; without one they begin at 0. next() rejects `damaged` for another
 * file and `input` or `unconfirmed` when it cannot be written; then no number is given, and the next call tries again.
 */
export function sequenceFile(file: string): SequenceStore {
  let next: number | undefined;
  let reserved = 0;
  return {
    async next() {
      next ??= reserved = await readNumber(file);
      if (next >= reserved) {
        const upTo = next + STEP;
        await writeAtomically(file, `${upTo}\n`);
        reserved = upTo; // not before it is on disk: after a crash the same numbers would be given again
      }
      return next++;
    },
  };
}

async function readNumber(file: string): Promise<number> {
  const text = await readFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (text === undefined) return 0;
  if (/^\d{1,10}\n$/.test(text)) return Number(text);
  throw new FirebreakError('damaged', `${file} does not hold a number`);
}
