/**
 * The days whose keys are destroyed, as the file authority/day-keys/destroyed keeps them, one a line: the day, then the
 * prints of its three secrets (authority/days/day-key-file.ts) in hex, by which a stray copy is told. A line without prints is
 * of a day that had no readable keys when it was destroyed, or of an earlier version.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromHex, toHex } from '../../protocol/bytes.js';
import { writeAtomically } from '../files/atomic-file.js';

/** By day; of a day without prints, none. */
export type DestroyedDays = ReadonlyMap<number, readonly Uint8Array[]>;

const LINE = /^(\d+)((?: [0-9a-f]{64}){3})?$/;

/** Empty when there is no such file. A line that is none is passed over: it protects nothing, and the registry knows the day as well. */
export async function readDestroyedDays(file: string): Promise<DestroyedDays> {
  const text = await readFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const days = new Map<number, readonly Uint8Array[]>();
  for (const line of text.split('\n')) {
    const [, day, prints = ''] = LINE.exec(line) ?? [];
    if (day !== undefined) days.set(Number(day), prints.split(' ').slice(1).map(fromHex));
  }
  return days;
}

/** Notes a day, on disk when it resolves. Prints that are known already stay. */
export async function noteDestroyedDay(
  file: string,
  day: number,
  prints: readonly Uint8Array[],
): Promise<void> {
  const noted = await readDestroyedDays(file);
  const known = noted.get(day);
  if (known !== undefined && (known.length > 0 || prints.length === 0)) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const days = [...new Map(noted).set(day, prints)].sort(([a], [b]) => a - b);
  const lines = days.map(([one, kept]) => [one, ...kept.map(toHex)].join(' '));
  await writeAtomically(file, lines.map((line) => `${line}\n`).join(''), 0o600);
}
