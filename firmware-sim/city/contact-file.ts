/**
 * The contacts of a city as a recording of contacts (docs/tracing.md, "Replaying recorded contacts"): a line `t i j` for
 * each 20 s that a pair was immediate or near. The first step of a contact and its last are among them, the others lie
 * evenly between. What was not near at all is left out.
 */
import { readFile } from 'node:fs/promises';
import { readContactColumns } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { STEP_SECONDS } from './contact-details.js';
import { dayFile, writeWhole } from './city-folder.js';

/** More would be gigabytes of text. */
export const MAX_FILE_CONTACTS = 2_000_000;
const CONTACTS_A_CHUNK = 10_000;

/** Of all `days` in the folder of a city, in order. Throws as {@link writeWhole} does. */
export async function writeContactFile(
  dir: string,
  days: readonly number[],
  file: string,
  signal: AbortSignal,
): Promise<void> {
  async function* chunks(): AsyncGenerator<string> {
    yield '# t i j: persons i and j were in contact during [t - 20 s, t)\n';
    for (const day of days) {
      const columns = readContactColumns(new Uint8Array(await readFile(dayFile(dir, day))));
      for (let k = 0; k < columns.count; k += CONTACTS_A_CHUNK)
        yield linesOf(columns, k, Math.min(columns.count, k + CONTACTS_A_CHUNK));
    }
  }
  await writeWhole(file, chunks(), signal);
}

/** Of the contacts `from` up to `to`. */
function linesOf(columns: ContactColumns, from: number, to: number): string {
  const lines: string[] = [];
  for (let k = from; k < to; k++) {
    const steps = (columns.immediate[k]! + columns.near[k]!) / STEP_SECONDS;
    const gaps = columns.duration[k]! / STEP_SECONDS - 1;
    for (let step = 0; step < steps; step++) {
      const place = steps === 1 ? 0 : Math.floor((step * gaps) / (steps - 1));
      lines.push(
        `${columns.start[k]! + (place + 1) * STEP_SECONDS} ${columns.lower[k]} ${columns.upper[k]}\n`,
      );
    }
  }
  return lines.join('');
}
