/** The exported log, read by an auditor that shares no code with us: golang.org/x/mod's sumdb/note and sumdb/tlog. */
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noteVerifierKey } from '../../protocol/tlog/note.js';
import { ORIGIN, signerOf } from '../ledger/deployment.js';
import { exportLogOf, filesOf, VKEY } from './exported-log.js';
import { buildAuditor, type Auditor } from './go-auditor.js';

/** Full and partial tiles on two levels, full and partial bundles. */
const SIZE = 700;
const FLIPS_ANYWHERE = 1000;

let workDir: string;
let good: string;
let auditor: Auditor;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'firebreak-interop-'));
  good = join(workDir, 'good');
  auditor = await buildAuditor(workDir);
  await exportLogOf(SIZE, join(workDir, 'ledger'), good);
});

afterAll(() => rm(workDir, { recursive: true, force: true }));

/** Numbers below `bound`, the same on each run (mulberry32). */
function drawer(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** Flips one bit of a file for as long as `look` takes. */
async function withFlip<T>(file: string, bit: number, look: () => Promise<T>): Promise<T> {
  const bytes = await readFile(file);
  const mangled = Uint8Array.from(bytes, (byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
  await writeFile(file, mangled);
  try {
    return await look();
  } finally {
    await writeFile(file, bytes);
  }
}

const bitsOf = async (file: string) => (await readFile(join(good, file))).length * 8;

async function isNoticed(file: string, bit: number): Promise<boolean> {
  return withFlip(join(good, file), bit, async () => !(await auditor.audit(good, VKEY)).ok);
}

/** The verdict on a copy of the log to which something was done. */
async function afterDoing(change: (dir: string) => Promise<unknown>): Promise<string> {
  const dir = join(workDir, 'changed');
  await rm(dir, { recursive: true, force: true });
  await cp(good, dir, { recursive: true });
  await change(dir);
  return (await auditor.audit(dir, VKEY)).said;
}

describe('an auditor on golang.org/x/mod', () => {
  it('accepts the exported log, whole', async () => {
    const { said } = await auditor.audit(good, VKEY);
    expect(said).toMatch(
      new RegExp(`^ok ${ORIGIN}: ${SIZE} entries, root \\S{44}, 4 tiles, \\d{2,} proofs$`),
    );
  });

  it.each([0, 1, 2, 255, 256, 257, 511, 512, 513])('accepts a log of %i entries', async (size) => {
    const dir = join(workDir, `of-${size}`);
    await exportLogOf(size, `${dir}-ledger`, dir);
    expect((await auditor.audit(dir, VKEY)).said).toMatch(new RegExp(`^ok ${ORIGIN}: ${size} entries`));
  });

  it('accepts a log that grew between exports into one folder, with a tile on the third level', async () => {
    const dir = join(workDir, 'growing');
    for (const size of [3, 300, 65_600]) {
      await exportLogOf(size, `${dir}-ledger`, dir);
      expect((await auditor.audit(dir, VKEY)).said).toMatch(new RegExp(`^ok ${ORIGIN}: ${size} entries`));
    }
    expect(await filesOf(dir)).toContain('tile/2/000.p/1');
  });

  it(`notices each of ${FLIPS_ANYWHERE} bits flipped anywhere`, async () => {
    const draw = drawer(1);
    const files = await filesOf(good);
    const sizes = await Promise.all(files.map(bitsOf));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    for (let flip = 0; flip < FLIPS_ANYWHERE; flip += 1) {
      let bit = draw(total);
      let index = 0;
      while (bit >= (sizes[index] ?? Infinity)) bit -= sizes[index++] ?? 0;
      const file = files[index] ?? '';
      expect(await isNoticed(file, bit), `${file} bit ${bit}`).toBe(true);
    }
  });

  it('notices each single bit of the checkpoint flipped', async () => {
    const bits = await bitsOf('checkpoint');
    for (let bit = 0; bit < bits; bit += 1)
      expect(await isNoticed('checkpoint', bit), `bit ${bit}`).toBe(true);
  });

  it('refuses the log under another key of the same name', async () => {
    const other = noteVerifierKey(ORIGIN, signerOf('another log').publicKey);
    expect((await auditor.audit(good, other)).said).toContain('not ok: checkpoint:');
  });

  it.each<[string, (dir: string) => Promise<unknown>, string]>([
    ['a tile is missing', (dir) => rm(join(dir, 'tile/0/000')), 'tile/0/000: missing'],
    ['a bundle is missing', (dir) => rm(join(dir, 'tile/entries/001')), 'tile/entries/001: missing'],
    ['the checkpoint is missing', (dir) => rm(join(dir, 'checkpoint')), 'checkpoint'],
    [
      'there is a file too many',
      (dir) => writeFile(join(dir, 'tile/0/003'), ''),
      'tile/0/003: not a file of this log',
    ],
    [
      'two bundles are swapped',
      async (dir) => {
        await rename(join(dir, 'tile/entries/000'), join(dir, 'aside'));
        await rename(join(dir, 'tile/entries/001'), join(dir, 'tile/entries/000'));
        await rename(join(dir, 'aside'), join(dir, 'tile/entries/001'));
      },
      'does not name the leaf before it',
    ],
    [
      'a tile is cut short',
      async (dir) =>
        writeFile(join(dir, 'tile/0/001'), (await readFile(join(good, 'tile/0/001'))).subarray(32)),
      'tile/0/001: not what its entries hash to',
    ],
    [
      'a bundle has a byte too many',
      async (dir) => writeFile(join(dir, 'tile/entries/001'), Uint8Array.of(0), { flag: 'a' }),
      'bytes after entry',
    ],
    [
      'the checkpoint has a second signature that nobody vouches for',
      async (dir) =>
        writeFile(join(dir, 'checkpoint'), `— witness ${Buffer.alloc(68).toString('base64')}\n`, {
          flag: 'a',
        }),
      'whose key was not given',
    ],
  ])('says what is wrong when %s', async (_what, change, words) => {
    const said = await afterDoing(change);
    expect(said).toMatch(/^not ok: /);
    expect(said).toContain(words);
  });
});
