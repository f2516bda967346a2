/**
 * LevelDB's table files (doc/table_format.md), as classic-level writes them for us: without compression, with a filter.
 *
 *     file      data blocks | filter block | metaindex block | index block | footer 48
 *     block     contents | compression u8: 0 | masked CRC-32C of both u32
 *     contents  { shared varint | rest varint | value length varint | rest of the key | value } …
 *               | restart offsets u32 … | their count u32
 *     footer    handle of the metaindex | handle of the index | zeros to 40 bytes | magic u64
 *     handle    offset varint | size varint, of the contents
 */
import { FirebreakError } from '../../protocol/errors.js';
import { LevelBytes } from './leveldb-bytes.js';

export const FOOTER_BYTES = 48;
export const TRAILER_BYTES = 5;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
const HANDLES_BYTES = 40;
const FILTER_NAME = 'filter.leveldb.BuiltinBloomFilter2';

export interface BlockHandle {
  readonly offset: number;
  /** Without the trailer. */
  readonly size: number;
}

export interface BlockEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const malformed = (what: string): FirebreakError => new FirebreakError('format', what);

function readHandle(bytes: LevelBytes): BlockHandle {
  return { offset: bytes.varint(), size: bytes.varint() };
}

/** Throws `format`. */
export function decodeHandle(value: Uint8Array): BlockHandle {
  const bytes = new LevelBytes(value);
  const handle = readHandle(bytes);
  if (bytes.isAtEnd) return handle;
  throw malformed('a pointer to a block is longer than it should be');
}

export interface Footer {
  readonly metaindex: BlockHandle;
  readonly index: BlockHandle;
}

/** Every bit of the footer is checked here or by where its handles point. Throws `format`. */
export function decodeFooter(footer: Uint8Array): Footer {
  if (Buffer.compare(footer.subarray(HANDLES_BYTES), MAGIC) !== 0)
    throw malformed('it does not end as a table does');
  const bytes = new LevelBytes(footer.subarray(0, HANDLES_BYTES));
  const handles = { metaindex: readHandle(bytes), index: readHandle(bytes) };
  const padding = footer.subarray(bytes.at, HANDLES_BYTES);
  if (padding.some((byte) => byte !== 0)) throw malformed('the padding of its footer is not zeros');
  return handles;
}

/** Where the entries of a block end. Throws `format`. */
function endOfEntries(contents: Uint8Array): number {
  const count = contents.length < 4 ? 0 : new LevelBytes(contents, contents.length - 4).u32();
  const end = contents.length - 4 - 4 * count;
  if (count < 1 || end < 0) throw malformed('a block does not end as it should');
  return end;
}

/** The entries of a block, in order; values are views. Throws `format`. */
export function decodeBlock(contents: Uint8Array): BlockEntry[] {
  const bytes = new LevelBytes(contents.subarray(0, endOfEntries(contents)));
  const entries: BlockEntry[] = [];
  let before: Uint8Array = new Uint8Array(0);
  while (!bytes.isAtEnd) {
    const shared = bytes.varint();
    const rest = bytes.varint();
    const valueLength = bytes.varint();
    if (shared > before.length) throw malformed('a key in a block goes on from one that is shorter');
    const key = Buffer.allocUnsafe(shared + rest);
    key.set(before.subarray(0, shared));
    key.set(bytes.take(rest), shared);
    entries.push({ key, value: bytes.take(valueLength) });
    before = key;
  }
  return entries;
}

/** Blocks in the order they must stand in the file, with nothing between them. */
export interface TableLayout {
  readonly data: readonly BlockHandle[];
  readonly filter: BlockHandle | undefined;
}

/** Throws `format` for anything in the metaindex but the filter we use. */
export function layoutOf(index: readonly BlockEntry[], metaindex: readonly BlockEntry[]): TableLayout {
  const named = metaindex.map(({ key }) => Buffer.from(key).toString('latin1'));
  if (named.some((name) => name !== FILTER_NAME) || named.length > 1)
    throw malformed('its list of other blocks names one that is not known');
  const [filter] = metaindex;
  return {
    data: index.map(({ value }) => decodeHandle(value)),
    filter: filter && decodeHandle(filter.value),
  };
}

/** The first byte that no block covers, or that two do; `undefined` when the blocks fill the file up to its footer. */
export function findGap(blocks: readonly BlockHandle[], fileSize: number): number | undefined {
  let at = 0;
  for (const { offset, size } of blocks) {
    if (offset !== at) return Math.min(offset, at);
    at += size + TRAILER_BYTES;
  }
  return at === fileSize - FOOTER_BYTES ? undefined : Math.min(at, fileSize - FOOTER_BYTES);
}
