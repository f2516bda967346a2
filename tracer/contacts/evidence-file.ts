/**
 * The evidence of a segment as a file: for each contact what walks do not need. In order of start, then lower and upper
 * person, then as they came; so that compaction merges files as they stream by. Little-endian:
 *
 *     "FBEV" | version u32 = 1 | segment u32 | contacts u32 | blocks u32 | bytes of all blocks u64 |
 *     CRC-32 of the index u32
 *     CRC-32 of the 32 bytes before u32 | zeros up to 64, in the checksum
 *     blocks of at most 512 contacts: records × 24, then the details of those that have some: length u32 | bytes
 *     index, 32 a block: offset u64 | bytes u32 | contacts u32 | CRC-32 u32 | first start u32, lower u32, upper u32
 *
 * A record: start u32 | lower u32 | upper u32 | immediate u16 | near u16 | medium u16 | other u16 | duration
 * u16 | attenuation u8 | flags u8: 1 mutual, 2 partial, 4 has details (cold-contact.ts). One without has the
 * epoch its start lies in, and one account without ledger for each side: the lower person's only, if it is not
 * mutual.
 */
import { crc32 } from 'node:zlib';
import { FirebreakError } from '../../protocol/errors.js';
import type { StoreDisk } from './store-disk.js';

const MAGIC = 0x56454246;
const VERSION = 1;
export const EVIDENCE_HEAD_BYTES = 64;
export const BLOCK_CONTACTS = 512;
export const RECORD_WORDS = 6;
export const RECORD_BYTES = 4 * RECORD_WORDS;
export const INDEX_WORDS = 8;

export const MUTUAL = 1;
export const PARTIAL = 2;
export const DETAILED = 4;

/** Columns of the index, in words. */
export const AT = {
  low: 0,
  high: 1,
  bytes: 2,
  contacts: 3,
  checksum: 4,
  start: 5,
  lower: 6,
  upper: 7,
} as const;

export const damagedEvidence = (path: string, segment: number): FirebreakError =>
  new FirebreakError(
    'damaged',
    `the evidence in ${path} was changed or cut short: segment ${segment} has to be made again from the ledger`,
  );

export const flagsOf = (words: Uint32Array, at: number): number => (words[at + 5] ?? 0) >>> 24;
export const durationOf = (words: Uint32Array, at: number): number => (words[at + 5] ?? 0) & 0xffff;

/** Writes index and head of a file whose blocks are written one after another, and syncs it. Gives its checksum. */
export async function finishEvidenceFile(
  disk: StoreDisk,
  fd: number,
  segment: number,
  { index, contacts }: { readonly index: Uint32Array; readonly contacts: number },
): Promise<number> {
  const end = endOf(index);
  const bytes = new Uint8Array(index.buffer, index.byteOffset, index.byteLength);
  const head = new Uint32Array(EVIDENCE_HEAD_BYTES / 4);
  head.set([MAGIC, VERSION, segment, contacts, index.length / INDEX_WORDS]);
  head.set([(end - EVIDENCE_HEAD_BYTES) % 2 ** 32, Math.floor((end - EVIDENCE_HEAD_BYTES) / 2 ** 32)], 5);
  head[7] = crc32(bytes);
  const headBytes = new Uint8Array(head.buffer);
  head[8] = crc32(headBytes);
  await disk.write(fd, bytes, end);
  await disk.write(fd, headBytes, 0);
  await disk.sync(fd);
  return head[8];
}

function endOf(index: Uint32Array): number {
  const last = index.length - INDEX_WORDS;
  if (last < 0) return EVIDENCE_HEAD_BYTES;
  return offsetIn(index, last / INDEX_WORDS) + (index[last + AT.bytes] ?? 0);
}

/** Where a block begins in the file. */
export const offsetIn = (index: Uint32Array, block: number): number =>
  (index[block * INDEX_WORDS + AT.high] ?? 0) * 2 ** 32 + (index[block * INDEX_WORDS + AT.low] ?? 0);

export interface EvidenceHead {
  readonly segment: number;
  readonly contacts: number;
  readonly indexOffset: number;
  readonly indexBytes: number;
  readonly indexChecksum: number;
  readonly checksum: number;
}

/** Reads a head. Throws `damaged` for a changed one or a file of another size, `format` for another version. */
export function decodeEvidenceHead(path: string, bytes: Uint8Array, fileBytes: number): EvidenceHead {
  const words = new Uint32Array(EVIDENCE_HEAD_BYTES / 4);
  new Uint8Array(words.buffer).set(bytes.subarray(0, EVIDENCE_HEAD_BYTES));
  const [magic, version, segment = 0, contacts = 0, blocks = 0, low = 0, high = 0] = words;
  const [indexChecksum = 0, checksum = 0] = words.subarray(7);
  words[8] = 0;
  if (magic !== MAGIC || crc32(new Uint8Array(words.buffer)) !== checksum)
    throw damagedEvidence(path, segment);
  if (version !== VERSION)
    throw new FirebreakError('format', `${path} is evidence of version ${version}; this program reads 1`);
  const indexOffset = EVIDENCE_HEAD_BYTES + high * 2 ** 32 + low;
  const indexBytes = 4 * INDEX_WORDS * blocks;
  if (fileBytes !== indexOffset + indexBytes) throw damagedEvidence(path, segment);
  return { segment, contacts, indexOffset, indexBytes, indexChecksum, checksum };
}

/** A block that was read and checked: its records and, in their order, the details of those that have some. */
export interface EvidenceBlock {
  readonly contacts: number;
  readonly words: Uint32Array;
  readonly details: Uint8Array;
}

/** Throws `damaged` when the bytes are not what the index says. */
export function openBlock(path: string, index: Uint32Array, block: number, bytes: Uint8Array): EvidenceBlock {
  const at = block * INDEX_WORDS;
  if (bytes.length !== index[at + AT.bytes] || crc32(bytes) !== index[at + AT.checksum])
    throw new FirebreakError(
      'damaged',
      `block ${block} of ${path} was changed: its segment has to be made again from the ledger`,
    );
  const contacts = index[at + AT.contacts] ?? 0;
  const records = RECORD_BYTES * contacts;
  const words = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + records));
  return { contacts, words, details: bytes.subarray(records) };
}

/** The details that begin at `at`, and where the next do. */
export function detailsAt(
  details: Uint8Array,
  at: number,
): { readonly bytes: Uint8Array; readonly next: number } {
  const length = new DataView(details.buffer, details.byteOffset).getUint32(at, true);
  return { bytes: details.subarray(at + 4, at + 4 + length), next: at + 4 + length };
}
