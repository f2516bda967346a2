/** Flips single bits in the files of a stopped ledger, one at a time, and counts what fsck makes of each. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { checkFolder, storedFiles } from './fsck-folder.js';

export interface FlipCount {
  readonly flips: number;
  readonly found: number;
  /** Found, with a finding that names the file. */
  readonly rightFile: number;
  /** Found, with the very byte. */
  readonly rightByte: number;
  /** Flips that were not found or whose file was not named, as "file@byte.bit". */
  readonly missed: readonly string[];
  readonly flipsByKind: Readonly<Record<string, number>>;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Place {
  readonly file: string;
  readonly byte: number;
  readonly bit: number;
}

type SizedFile = { readonly file: string; readonly size: number };

/** Half of the flips over all bytes alike, half over all files alike, so that small files get their share. */
function pickPlace(files: readonly SizedFile[], random: () => number): Place {
  const below = (count: number): number => Math.floor(random() * count);
  const bit = below(8);
  let picked = files[below(files.length)];
  let byte = below(picked?.size ?? 0);
  if (random() < 0.5) {
    byte = below(files.reduce((sum, { size }) => sum + size, 0));
    picked = files.find(({ size }) => {
      if (byte < size) return true;
      byte -= size;
      return false;
    });
  }
  return { file: picked?.file ?? '', byte, bit };
}

async function flip(dir: string, { file, byte, bit }: Place): Promise<void> {
  const handle = await open(join(dir, file), 'r+');
  const one = Buffer.alloc(1);
  await handle.read(one, 0, 1, byte);
  one[0] = (one[0] ?? 0) ^ (1 << bit);
  await handle.write(one, 0, 1, byte);
  await handle.close();
}

const kindOf = (file: string): string => file.replace(/^store\//, '').replace(/\d{5,}/, '*');

/** The folder is as it was afterwards. */
export async function countFlips(dir: string, flips: number, seed: number): Promise<FlipCount> {
  const random = seeded(seed);
  const files = (await storedFiles(dir)).map(({ file, bytes }) => ({ file, size: bytes.length }));
  const filled = files.filter(({ size }) => size > 0);
  const missed: string[] = [];
  const flipsByKind: Record<string, number> = {};
  let [found, rightFile, rightByte] = [0, 0, 0];
  for (let i = 0; i < flips; i++) {
    const place = pickPlace(filled, random);
    await flip(dir, place);
    const { findings } = await checkFolder(dir);
    await flip(dir, place);
    const named = findings.kept.filter(({ kind, file }) => kind === 'damage' && file === place.file);
    if (findings.damageCount > 0) found += 1;
    if (named.length > 0) rightFile += 1;
    else missed.push(`${place.file}@${place.byte}.${place.bit}`);
    if (named.some(({ offset }) => offset === place.byte)) rightByte += 1;
    const kind = kindOf(place.file);
    flipsByKind[kind] = (flipsByKind[kind] ?? 0) + 1;
  }
  return { flips, found, rightFile, rightByte, missed, flipsByKind };
}
