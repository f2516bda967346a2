import { execFile } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { openFileFlash } from '../../firmware-sim/tag/flash-file.js';
import { openFileJournal } from '../../firmware-sim/tag/sample-journal-file.js';
import { program } from '../program.js';
import { sampleAt } from './samples.js';

const PROGRAM = new URL('./full-disk-process.ts', import.meta.url);
const root = mkdtempSync(join(tmpdir(), 'firebreak-journal-'));
afterAll(() => rmSync(root, { recursive: true }));
const newFolder = (): string => mkdtempSync(join(root, 'tag '));

const ENTRY_BYTES = 40;
const START_MS = 1_770_000_000_000;
const sampleOf = (second: number) => sampleAt(START_MS + second * 1000, { peer: 1 });

/** A journal of ten notes. */
function written(): { readonly folder: string; readonly path: string; readonly whole: Buffer } {
  const folder = newFolder();
  const journal = openFileJournal(folder);
  for (let second = 0; second < 10; second += 1) journal.append(7, sampleOf(second));
  journal.close();
  const path = join(folder, 'heard-7.log');
  return { folder, path, whole: readFileSync(path) };
}

function read(folder: string) {
  const journal = openFileJournal(folder);
  return {
    seconds: [...journal.samples()].map(({ atMs }) => (atMs - START_MS) / 1000),
    spoilt: journal.spoilt,
  };
}

/** Of this process. */
const openFilesIn = (folder: string): number =>
  readdirSync('/proc/self/fd')
    .map((fd) => join('/proc/self/fd', fd))
    .filter((fd) => existsSync(fd) && readlinkSync(fd).startsWith(folder)).length;

describe('a sample journal', () => {
  it('plays back what was noted', () => {
    const { folder } = written();
    expect([...openFileJournal(folder).samples()]).toEqual(Array.from({ length: 10 }, (_, k) => sampleOf(k)));
    expect(read(folder).spoilt).toBe(0);
  });

  it('holds no more files open than there are open epochs, though nobody has it forget the old ones', () => {
    const folder = newFolder();
    const journal = openFileJournal(folder);
    for (let epoch = 0; epoch < 20; epoch += 1) journal.append(epoch, sampleOf(epoch));
    expect(openFilesIn(folder)).toBe(2);
    journal.append(3, sampleOf(20)); // the clock was set back
    journal.close();
    expect(openFilesIn(folder)).toBe(0);
    expect([...openFileJournal(folder).samples()]).toHaveLength(21);
  });

  it('passes over a note with any bit flipped, and counts it', () => {
    const { folder, path, whole } = written();
    for (let bit = 0; bit < ENTRY_BYTES * 8; bit += 1) {
      const bent = Buffer.from(whole);
      const at = ENTRY_BYTES + Math.floor(bit / 8);
      bent[at] = (bent[at] ?? 0) ^ (1 << (bit % 8));
      writeFileSync(path, bent);
      expect(read(folder)).toEqual({ seconds: [0, 2, 3, 4, 5, 6, 7, 8, 9], spoilt: 1 });
    }
  });

  it('goes on after a note that was torn at any length', () => {
    const { folder, path, whole } = written();
    for (let cut = 1; cut < ENTRY_BYTES; cut += 1) {
      writeFileSync(path, whole.subarray(0, -cut));
      expect(read(folder)).toEqual({ seconds: [0, 1, 2, 3, 4, 5, 6, 7, 8], spoilt: 1 });
      const journal = openFileJournal(folder);
      journal.append(7, sampleOf(10));
      journal.close();
      expect(read(folder)).toEqual({ seconds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 10], spoilt: 0 });
    }
  });

  it('counts what is no note at all', () => {
    const { folder, path } = written();
    appendFileSync(path, Buffer.alloc(2 * ENTRY_BYTES, 0xff));
    expect(read(folder)).toMatchObject({ spoilt: 2 });
  });
});

describe('a disk that fills up in the middle of a write', () => {
  it('costs what was written meanwhile, and nothing that comes after', async () => {
    const folder = newFolder();
    const { stdout } = await promisify(execFile)(process.execPath, [program(PROGRAM), folder]);
    expect(stdout.trim()).toBe('4'); // notes 22, 23 and 24, and an append to the flash
    expect(statSync(join(folder, 'heard-7.log')).size % ENTRY_BYTES).toBe(0);
    const { seconds, spoilt } = read(folder);
    const kept = Array.from({ length: 125 }, (_, second) => second);
    expect(seconds).toEqual(kept.filter((second) => second < 22 || second >= 25));
    expect(spoilt).toBe(0);
    const flash = openFileFlash(join(folder, 'encounters.flash'), 16);
    expect([...flash.entries()].map(({ id, bytes }) => [id, bytes[3]])).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });
});
