/**
 * The newest day the authority worked on, as authority/worked-day keeps it: its number and a newline. The running authority
 * writes it, and `firebreak authority retain --yes` for a person who says that the clock is right.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WorkedDayStore } from '../../authority/days/worked-day.js';
import { writeAtomically } from '../files/atomic-file.js';

export function workedDayFile(file: string): WorkedDayStore {
  return {
    read: async () => {
      const text = await readFile(file, 'latin1').catch(() => '');
      return /^\d{1,9}\n$/.test(text) ? Number(text) : undefined;
    },
    write: async (day) => {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeAtomically(file, `${day}\n`, 0o600);
    },
  };
}
