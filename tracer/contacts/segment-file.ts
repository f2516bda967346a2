/**
 * A segment as a file: its columns exactly as they lie in memory, so that loading is reading. Little-endian:
 *
 *     "FBSG" | version u32 = 1 | id u32 | baseSeconds u32 | lastSeconds u32 | people u32 | entries u32
 *     block bytes u32 = 2^20 | blocks u32 | CRC-32 of the head u32, taken with zeros here | zeros up to 64
 *     CRC-32 of each block u32 × blocks | zeros up to a multiple of 4,096
 *     blocks: rows, peer, startSignal, span, nearInDay, weight, nearLow (segment.ts)
 *
 * The head is written last: a file that was not finished has none. Its checksum vouches for the blocks'
 * checksums, so it names the content of the file; the manifest repeats it.
 */
import { crc32 } from 'node:zlib';
import { FirebreakError } from '../../protocol/errors.js';
import { standFast } from './stand-aside.js';
import type { StandAside } from './stand-aside.js';
import { segmentBytes, segmentIn } from './segment.js';
import type { Segment, SegmentShape } from './segment.js';
import { withFile } from './store-disk.js';
import type { StoreDisk } from './store-disk.js';

const MAGIC = 0x47534246;
const VERSION = 1;
const HEAD_WORDS = 16;
const CHECKSUM_WORD = 9;
const PAGE_BYTES = 4096;
const BLOCK_BYTES = 2 ** 20;
/** Blocks a read: large enough for the disk, small enough for whoever else runs on this thread. */
const BLOCKS_A_READ = 8;

const damaged = (path: string, what: string): FirebreakError =>
  new FirebreakError('damaged', `${path} ${what}: the contacts in it have to be read from the ledger again`);

export const blocksOf = (shape: SegmentShape): number => Math.ceil(segmentBytes(shape) / BLOCK_BYTES);
const headBytes = (blocks: number): number =>
  Math.ceil((4 * HEAD_WORDS + 4 * blocks) / PAGE_BYTES) * PAGE_BYTES;
/** Bytes of the file of such a segment. */
export const segmentFileBytes = (shape: SegmentShape): number =>
  headBytes(blocksOf(shape)) + segmentBytes(shape);

const memoryOf = (segment: Segment): Uint8Array =>
  new Uint8Array(segment.rows.buffer, segment.rows.byteOffset, segmentBytes(segment));

const blockIn = (memory: Uint8Array, block: number): Uint8Array =>
  memory.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);

/** Writes blocks from `from` up to `to`, and their checksums into `sums`, one for each block of the segment. */
export async function writeSegmentBlocks(
  disk: StoreDisk,
  fd: number,
  segment: Segment,
  sums: Uint32Array,
  from = 0,
  to = sums.length,
): Promise<void> {
  const memory = memoryOf(segment);
  const offset = headBytes(sums.length);
  for (let first = from; first < to; first += BLOCKS_A_READ) {
    const end = Math.min(first + BLOCKS_A_READ, to);
    for (let block = first; block < end; block++) sums[block] = crc32(blockIn(memory, block));
    await disk.write(
      fd,
      memory.subarray(first * BLOCK_BYTES, end * BLOCK_BYTES),
      offset + first * BLOCK_BYTES,
    );
  }
}

/** Writes the head of a file whose blocks are written, and syncs it. Gives the checksum that names the content. */
export async function finishSegmentFile(
  disk: StoreDisk,
  fd: number,
  shape: SegmentShape,
  sums: Uint32Array,
): Promise<number> {
  const bytes = new Uint8Array(headBytes(sums.length));
  const words = new Uint32Array(bytes.buffer);
  const { id, baseSeconds, lastSeconds, people, entries } = shape;
  words.set([MAGIC, VERSION, id, baseSeconds, lastSeconds, people, entries, BLOCK_BYTES, sums.length]);
  words.set(sums, HEAD_WORDS);
  const checksum = crc32(bytes);
  words[CHECKSUM_WORD] = checksum;
  await disk.write(fd, bytes, 0);
  await disk.sync(fd);
  return checksum;
}

/** Writes a segment to a new file, synced. Gives the checksum that names the content. */
export function writeSegmentFile(
  disk: StoreDisk,
  path: string,
  segment: Segment,
  standAside: StandAside = standFast,
): Promise<number> {
  return withFile(disk, path, 'w', async (fd) => {
    const sums = new Uint32Array(blocksOf(segment));
    for (let from = 0; from < sums.length; from += BLOCKS_A_READ) {
      standAside();
      await writeSegmentBlocks(disk, fd, segment, sums, from, Math.min(from + BLOCKS_A_READ, sums.length));
    }
    return finishSegmentFile(disk, fd, segment, sums);
  });
}

export interface ReadSegment {
  readonly segment: Segment;
  readonly checksum: number;
}

/**
 * Reads a segment into shared memory, in reads of 8 MiB, and checks every byte of the file. `onBytes` is told the bytes
 * of each read. Throws `damaged` for a file that is cut short or was changed, `format` for another kind or version.
 */
export function readSegmentFile(
  disk: StoreDisk,
  path: string,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<ReadSegment> {
  return withFile(disk, path, 'r', async (fd) => {
    const { shape, sums, checksum } = await readHead(disk, fd, path);
    const segment = segmentIn(new SharedArrayBuffer(segmentBytes(shape)), shape);
    const memory = memoryOf(segment);
    const offset = headBytes(sums.length);
    for (let first = 0; first < sums.length; first += BLOCKS_A_READ) {
      const part = memory.subarray(first * BLOCK_BYTES, (first + BLOCKS_A_READ) * BLOCK_BYTES);
      const read = await disk.read(fd, part, offset + first * BLOCK_BYTES);
      if (read < part.length) throw damaged(path, 'is cut short');
      checkBlocks(path, memory, sums, first);
      onBytes(read);
    }
    return { segment, checksum };
  });
}

function checkBlocks(path: string, memory: Uint8Array, sums: Uint32Array, first: number): void {
  for (let block = first; block < Math.min(first + BLOCKS_A_READ, sums.length); block++)
    if (crc32(blockIn(memory, block)) !== sums[block]) throw damaged(path, 'was changed');
}

interface Head {
  readonly shape: SegmentShape;
  readonly sums: Uint32Array;
  readonly checksum: number;
}

async function readHead(disk: StoreDisk, fd: number, path: string): Promise<Head> {
  const fixed = new Uint32Array(HEAD_WORDS);
  const [size, read] = [await disk.size(fd), await disk.read(fd, new Uint8Array(fixed.buffer), 0)];
  const [magic, version, id = 0, baseSeconds = 0, lastSeconds = 0, people = 0, entries = 0] = fixed;
  const [blocks = 0, checksum = 0] = fixed.subarray(8);
  if (read < 4 * HEAD_WORDS || magic !== MAGIC) throw damaged(path, 'is no file of a segment');
  const shape = { id, baseSeconds, lastSeconds, people, entries };
  // Before anything is allocated: a damaged head may name any size.
  if (blocks !== blocksOf(shape) || size !== segmentFileBytes(shape)) throw damaged(path, 'is cut short');
  const bytes = new Uint8Array(headBytes(blocks));
  await disk.read(fd, bytes, 0);
  const words = new Uint32Array(bytes.buffer);
  words[CHECKSUM_WORD] = 0;
  if (crc32(bytes) !== checksum) throw damaged(path, 'was changed');
  if (version !== VERSION)
    throw new FirebreakError('format', `${path} is a segment of version ${version}; this program reads 1`);
  return { shape, sums: words.slice(HEAD_WORDS, HEAD_WORDS + blocks), checksum };
}
