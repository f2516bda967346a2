/** Reads one table file of a LevelDB store: checked in whole once, read by key range afterwards. Never writes. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FirebreakError } from '../../protocol/errors.js';
import { crcHolds, findFlippedBit } from './crc32c.js';
import { compareInternal, decodeInternalKey, LevelBytes, userKeyOf } from './leveldb-bytes.js';
import type { TableFile } from './leveldb-manifest.js';
import type { KeyRange, StoredRow } from './leveldb-rows.js';
import {
  decodeBlock,
  decodeFooter,
  findGap,
  FOOTER_BYTES,
  layoutOf,
  TRAILER_BYTES,
  type BlockEntry,
  type BlockHandle,
  type Footer,
} from './leveldb-table.js';

/** Blocks that stand together are read together, up to about this much. */
const RUN_BYTES = 1024 * 1024;
const NO_COMPRESSION = 0;

export interface TableFault {
  readonly offset: number;
  readonly what: string;
}

export interface CheckedTable {
  readonly faults: readonly TableFault[];
  /** Blocks of data that cannot be used, by their offsets. */
  readonly badBlocks: ReadonlySet<number>;
  /** Nothing of the file can be used. */
  readonly unreadable: boolean;
}

function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length;) {
    const read = readSync(fd, bytes, done, length - done, offset + done);
    if (read === 0) throw new FirebreakError('format', 'it ends too early');
    done += read;
  }
  return bytes;
}

/** What is wrong with a block's checksum or kind; `undefined` when nothing is. */
function blockFault(block: Uint8Array, offset: number): TableFault | undefined {
  const checked = block.subarray(0, block.length - 4);
  const stored = new LevelBytes(block, block.length - 4).u32();
  if (crcHolds(checked, stored)) {
    if (checked.at(-1) === NO_COMPRESSION) return undefined;
    return {
      offset: offset + checked.length - 1,
      what: 'a block is compressed, which the ledger never asks for',
    };
  }
  const flipped = findFlippedBit(checked, stored);
  if (flipped === undefined) return { offset, what: 'a block does not match its checksum' };
  const at = flipped < 0 ? offset + checked.length : offset + flipped;
  return { offset: at, what: 'a block does not match its checksum: one bit was flipped' };
}

class TableReader {
  readonly #fd: number;
  readonly #size: number;

  constructor(fd: number) {
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
  }

  get size(): number {
    return this.#size;
  }

  footer(): Footer {
    if (this.#size < FOOTER_BYTES) throw new FirebreakError('format', 'it is too short for a table');
    return decodeFooter(readAt(this.#fd, this.#size - FOOTER_BYTES, FOOTER_BYTES));
  }

  /** Throws `format` when it does not lie in the file. */
  block({ offset, size }: BlockHandle): Buffer {
    if (offset + size + TRAILER_BYTES > this.#size)
      throw new FirebreakError('format', 'a pointer to a block leads past its end');
    return readAt(this.#fd, offset, size + TRAILER_BYTES);
  }

  /** Contents of the blocks, runs of them read in one go, without those in `but`. */
  *contents(blocks: readonly BlockHandle[], but: ReadonlySet<number>): Generator<Uint8Array> {
    for (const [block] of this.#inRuns(blocks, but)) yield block.subarray(0, block.length - TRAILER_BYTES);
  }

  /** Blocks with their trailers and offsets. */
  *blocks(blocks: readonly BlockHandle[]): Generator<readonly [Uint8Array, number]> {
    yield* this.#inRuns(blocks, new Set());
  }

  *#inRuns(
    blocks: readonly BlockHandle[],
    but: ReadonlySet<number>,
  ): Generator<readonly [Uint8Array, number]> {
    for (let first = 0; first < blocks.length;) {
      const start = (blocks[first] as BlockHandle).offset;
      let end = first;
      let bytes = 0;
      for (; end < blocks.length && bytes < RUN_BYTES; end++)
        bytes =
          (blocks[end] as BlockHandle).offset + (blocks[end] as BlockHandle).size + TRAILER_BYTES - start;
      const run = readAt(this.#fd, start, bytes);
      for (const { offset, size } of blocks.slice(first, end)) {
        if (!but.has(offset))
          yield [run.subarray(offset - start, offset - start + size + TRAILER_BYTES), offset];
      }
      first = end;
    }
  }
}

function withTable<T>(path: string, run: (reader: TableReader) => T): T {
  const fd = openSync(path, 'r');
  try {
    return run(new TableReader(fd));
  } finally {
    closeSync(fd);
  }
}

class UnusableTable extends Error {
  readonly fault: TableFault;

  constructor(fault: TableFault) {
    super(fault.what);
    this.fault = fault;
  }
}

function entriesAt(reader: TableReader, handle: BlockHandle): BlockEntry[] {
  const block = reader.block(handle);
  const fault = blockFault(block, handle.offset);
  if (fault !== undefined) throw new UnusableTable(fault);
  return decodeBlock(block.subarray(0, handle.size));
}

function checkOpen(reader: TableReader, table: TableFile): CheckedTable {
  const { size } = reader;
  if (size !== table.size)
    throw new UnusableTable({ offset: 0, what: `it has ${size} bytes, and the manifest says ${table.size}` });
  const footer = reader.footer();
  const index = entriesAt(reader, footer.index);
  const { data, filter } = layoutOf(index, entriesAt(reader, footer.metaindex));
  const others = [...(filter ? [filter] : []), footer.metaindex, footer.index];
  const gap = findGap([...data, ...others], size);
  if (gap !== undefined)
    throw new UnusableTable({ offset: gap, what: 'its blocks do not fill it without gaps' });
  const faults: TableFault[] = [];
  const badBlocks = new Set<number>();
  for (const [block, offset] of reader.blocks(filter ? [...data, filter] : data)) {
    const fault = blockFault(block, offset);
    if (fault === undefined) continue;
    faults.push(fault);
    badBlocks.add(offset);
  }
  if (faults.length === 0) faults.push(...boundFaults(reader, data, table));
  return { faults, badBlocks, unreadable: false };
}

/** The first and the last key must be those that the manifest says. */
function boundFaults(reader: TableReader, data: readonly BlockHandle[], table: TableFile): TableFault[] {
  const [first, last] = [data[0], data.at(-1)];
  if (first === undefined || last === undefined) return [{ offset: 0, what: 'it holds nothing' }];
  const firstKey = entriesAt(reader, first)[0]?.key;
  const lastKey = entriesAt(reader, last).at(-1)?.key;
  const isBounded =
    firstKey !== undefined &&
    lastKey !== undefined &&
    compareInternal(decodeInternalKey(firstKey), table.smallest) === 0 &&
    compareInternal(decodeInternalKey(lastKey), table.largest) === 0;
  return isBounded ? [] : [{ offset: 0, what: 'its first or last key is not the one the manifest says' }];
}

/**
 * Checks every byte of a table file: its footer, that its blocks fill it without gaps, and the checksum of each.
 *
 * Throws what the disk says when the file cannot be read at all.
 */
export function checkTable(path: string, table: TableFile): CheckedTable {
  try {
    return withTable(path, (reader) => checkOpen(reader, table));
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    return { faults: [fault], badBlocks: new Set(), unreadable: true };
  }
}

function faultOf(error: unknown): TableFault | undefined {
  if (error instanceof UnusableTable) return error.fault;
  return error instanceof FirebreakError ? { offset: 0, what: error.message } : undefined;
}

function storedRow({ key, value }: BlockEntry): StoredRow {
  const { userKey, sequence, deleted } = decodeInternalKey(key);
  return { key: userKey, sequence, value: deleted ? undefined : value };
}

function* rowsFrom(
  reader: TableReader,
  badBlocks: ReadonlySet<number>,
  gte: Uint8Array,
): Generator<StoredRow> {
  const index = entriesAt(reader, reader.footer().index);
  const first = index.findIndex(({ key }) => Buffer.compare(userKeyOf(key), gte) >= 0);
  const blocks = first === -1 ? [] : layoutOf(index, []).data.slice(first);
  for (const contents of reader.contents(blocks, badBlocks)) yield* decodeBlock(contents).map(storedRow);
}

/** Rows of a table that was checked, without its bad blocks. The file is open until the iteration ends. */
export function* tableRows(
  path: string,
  { badBlocks }: Pick<CheckedTable, 'badBlocks'>,
  { gte, lt }: KeyRange,
): Generator<StoredRow> {
  const fd = openSync(path, 'r');
  try {
    for (const row of rowsFrom(new TableReader(fd), badBlocks, gte)) {
      if (lt !== undefined && Buffer.compare(row.key, lt) >= 0) return;
      if (Buffer.compare(row.key, gte) >= 0) yield row;
    }
  } finally {
    closeSync(fd);
  }
}
