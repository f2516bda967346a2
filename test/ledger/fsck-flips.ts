/**
 * Flips single bits in the files of a ledger that does not run, one at a time, and counts what fsck makes of each. A flip
 * that docs/ledger-fsck.md says is no damage is counted apart when it is not found.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FsckReport } from '../../ledger/fsck/fsck.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { exemptionsOf, type Place } from './fsck-exempt.js';
import { checkFolder, storedFiles } from './fsck-folder.js';

export interface FlipCount {
  readonly flips: number;
  readonly found: number;
  /** Found, with a finding that names the file. */
  readonly rightFile: number;
  /** Found, with the very byte. */
  readonly rightByte: number;
  /** Not found, and no damage: how many of each kind. */
  readonly exempt: Readonly<Record<string, number>>;
  /** All other flips that were not found or whose file was not named, as "file@byte.bit". */
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

class Tally {
  readonly exempt: Record<string, number> = {};
  readonly missed: string[] = [];
  readonly flipsByKind: Record<string, number> = {};
  found = 0;
  rightFile = 0;
  rightByte = 0;

  add(place: Place, { findings }: FsckReport, exemption: string | undefined): void {
    const kind = kindOf(place.file);
    this.flipsByKind[kind] = (this.flipsByKind[kind] ?? 0) + 1;
    const named = findings.kept.filter((found) => found.kind === 'damage' && found.file === place.file);
    if (findings.damageCount > 0) this.found += 1;
    if (named.length > 0) this.rightFile += 1;
    else if (findings.damageCount === 0 && exemption !== undefined)
      this.exempt[exemption] = (this.exempt[exemption] ?? 0) + 1;
    else this.missed.push(`${place.file}@${place.byte}.${place.bit}`);
    if (named.some(({ offset }) => offset === place.byte)) this.rightByte += 1;
  }
}

export interface Flips {
  readonly flips: number;
  readonly seed: number;
  /** Where the folder holds a checkpoint that witnesses cosigned. */
  readonly policy?: WitnessPolicy;
}

/** The folder is as it was afterwards. */
export async function countFlips(dir: string, { flips, seed, policy }: Flips): Promise<FlipCount> {
  const random = seeded(seed);
  const stored = await storedFiles(dir);
  const filled = stored
    .map(({ file, bytes }) => ({ file, size: bytes.length }))
    .filter(({ size }) => size > 0);
  const exemptionOf = exemptionsOf(dir, stored, await checkFolder(dir, policy));
  const tally = new Tally();
  for (let i = 0; i < flips; i++) {
    const place = pickPlace(filled, random);
    await flip(dir, place);
    const report = await checkFolder(dir, policy);
    await flip(dir, place);
    tally.add(place, report, exemptionOf(place, report));
  }
  const { found, rightFile, rightByte, exempt, missed, flipsByKind } = tally;
  return { flips, found, rightFile, rightByte, exempt, missed, flipsByKind };
}
