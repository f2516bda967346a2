import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { openFileFlash } from '../../firmware-sim/tag/flash-file.js';

const HEADERS_BYTES = 128;
const disk = vi.hoisted(() => ({ tearsHeaders: false }));
vi.mock('../../firmware-sim/tag/write-whole.js', () => ({
  writeWhole: (fd: number, bytes: Uint8Array, position: number) => {
    const isTorn = disk.tearsHeaders && position < HEADERS_BYTES;
    writeSync(fd, bytes, 0, isTorn ? bytes.length / 2 : bytes.length, position);
    if (isTorn) throw new Error('EIO: i/o error');
  },
}));

const root = mkdtempSync(join(tmpdir(), 'firebreak-flash-'));
afterAll(() => rmSync(root, { recursive: true }));

it('keeps its one sound header whole, however often the disk tears the next', () => {
  const path = join(root, 'encounters.flash');
  const flash = openFileFlash(path, 2);
  disk.tearsHeaders = true;
  flash.append([1, 2, 3].map((byte) => new Uint8Array(50).fill(byte))); // the first is dropped, which a header counts
  expect(() => flash.append([new Uint8Array(50).fill(4)])).toThrow('EIO');
  expect(() => flash.close()).toThrow('EIO');
  disk.tearsHeaders = false;
  const again = openFileFlash(path, 2);
  expect([...again.entries()].map(({ bytes }) => bytes[0])).toEqual([2, 3]);
  again.close();
});
