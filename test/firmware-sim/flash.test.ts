import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openFileFlash } from '../../firmware-sim/tag/flash-file.js';
import { openMemoryFlash } from '../../firmware-sim/tag/flash-memory.js';
import type { Flash } from '../../firmware-sim/tag/flash.js';
import { FLASH_SLOTS, SLOT_BYTES } from '../../firmware-sim/tag/flash.js';
import { flashContract, recordBytes } from '../contracts/flash-contract.js';

const folder = mkdtempSync(join(tmpdir(), 'firebreak-flash-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newPath = (): string => join(folder, `${(files += 1)}.flash`);
const held = (flash: Flash): number[] =>
  [...flash.entries()].map(({ bytes }) => Buffer.from(bytes).readUInt32BE(0));

flashContract('memory', openMemoryFlash);
flashContract('a file', (slots) => openFileFlash(newPath(), slots));

describe('flash in memory', () => {
  it('holds pages only while something is in them', () => {
    const flash = openMemoryFlash();
    const heapBefore = process.memoryUsage().arrayBuffers;
    for (let k = 0; k < 200; k += 1) {
      flash.append(Array.from({ length: 500 }, (_, n) => recordBytes(n)));
      flash.free([...flash.entries()].map(({ id }) => id));
    }
    expect(flash.stored).toBe(0);
    expect(process.memoryUsage().arrayBuffers - heapBefore).toBeLessThan(40_000_000);
  });
});

describe('flash in a file', () => {
  it('is made anew when power was lost before its first header was on disk', () => {
    const path = newPath();
    writeFileSync(path, new Uint8Array(2 * SLOT_BYTES));
    const flash = openFileFlash(path);
    flash.append([recordBytes(7)]);
    flash.close();
    expect(held(openFileFlash(path))).toEqual([7]);
  });

  it('is made anew when the disk was full before its first header was whole', () => {
    const path = newPath();
    openFileFlash(path, 16).close();
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length));
      const flash = openFileFlash(path, 16);
      flash.append([recordBytes(7)]);
      flash.close();
      expect(held(openFileFlash(path, 16))).toEqual([7]);
    }
  });

  it('is 8 MiB of slots and grows only as it fills', () => {
    expect(FLASH_SLOTS * SLOT_BYTES).toBe(8 * 1024 * 1024);
    const path = newPath();
    const flash = openFileFlash(path);
    flash.append([recordBytes(1)]);
    expect(statSync(path).size).toBeLessThanOrEqual(3 * SLOT_BYTES);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('holds after reopening what it held, ids, holes and counts', () => {
    const path = newPath();
    const flash = openFileFlash(path, 4);
    flash.append([1, 2, 3, 4, 5].map(recordBytes));
    flash.free([2]);
    const before = [...flash.entries()];
    flash.close();
    const again = openFileFlash(path, 4);
    expect([...again.entries()]).toEqual(before);
    expect(again).toMatchObject({ stored: 3, dropped: 1 });
    again.append([recordBytes(6)]);
    expect(held(again)).toEqual([4, 5, 6]);
  });

  it('holds what was appended even when it was never closed', () => {
    const path = newPath();
    openFileFlash(path, 4).append([recordBytes(7)]);
    expect(held(openFileFlash(path, 4))).toEqual([7]);
  });

  it('passes over a last write that was torn, at every length', () => {
    const path = newPath();
    const flash = openFileFlash(path, 16);
    flash.append([1, 2, 3].map(recordBytes));
    flash.close();
    const whole = readFileSync(path);
    for (let cut = 1; cut < SLOT_BYTES; cut += 1) {
      writeFileSync(path, whole);
      truncateSync(path, whole.length - cut);
      const torn = openFileFlash(path, 16);
      expect(held(torn)).toEqual([1, 2]);
      torn.close();
    }
  });

  it('passes over a slot with any bit flipped, but for the byte of its state', () => {
    const path = newPath();
    const flash = openFileFlash(path, 16);
    flash.append([1, 2].map(recordBytes));
    flash.close();
    const whole = readFileSync(path);
    for (let byte = 1; byte < SLOT_BYTES; byte += 1) {
      const bent = Buffer.from(whole);
      const at = whole.length - SLOT_BYTES + byte;
      bent[at] = (bent[at] ?? 0) ^ (1 << (byte % 8));
      writeFileSync(path, bent);
      const damaged = openFileFlash(path, 16);
      expect(held(damaged)).toEqual([1]);
      damaged.close();
    }
  });

  it('survives one header torn while it was rewritten', () => {
    const path = newPath();
    const flash = openFileFlash(path, 2);
    flash.append([1, 2, 3].map(recordBytes));
    flash.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 0, 10); // the newer of the two
    writeFileSync(path, bytes);
    const again = openFileFlash(path, 2);
    expect(held(again)).toEqual([2, 3]);
    expect(again.dropped).toBe(0); // the count goes back to the last sound header, the records do not
  });

  it('refuses a file that is something else, or a ring of another size', () => {
    const path = newPath();
    writeFileSync(path, 'not a flash');
    expect(() => openFileFlash(path, 4)).toThrow(expect.objectContaining({ code: 'foreign' }));
    const other = newPath();
    openFileFlash(other, 4).close();
    expect(() => openFileFlash(other, 8)).toThrow(expect.objectContaining({ code: 'foreign' }));
  });
});
