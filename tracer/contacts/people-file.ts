/**
 * The people of the store as a file, in the order of their numbers. It grows at its end only, and what lies beyond the
 * length that the manifest names is not there. Blocks of at most 8,192 people, little-endian:
 *
 *     count u32 | CRC-32 of count and tags u32 | tag number f64 × count
 *
 * With a damaged block the numbers of all after it are lost, and so are the segments that name such people; in
 * a segment store those whose people come before it stand. A contact store has live contacts beside, which may
 * name any of them, and is not opened with a part lost: its folder is removed (open-contact-store.ts), and the
 * ledger is read again.
 */
import { crc32 } from 'node:zlib';
import { PeopleDirectory } from './people.js';

const BLOCK_PEOPLE = 8192;
const HEAD_BYTES = 8;

function blockChecksum(bytes: Uint8Array): number {
  return crc32(bytes.subarray(HEAD_BYTES), crc32(bytes.subarray(0, 4)));
}

/** The people from number `from` up to `to`, as blocks. */
export function encodePeople(people: PeopleDirectory, from: number, to: number): Uint8Array {
  const { tags } = people.view();
  const blocks: Uint8Array[] = [];
  for (let first = from; first < to; first += BLOCK_PEOPLE) {
    const part = Float64Array.from(tags.subarray(first, Math.min(first + BLOCK_PEOPLE, to)));
    const bytes = new Uint8Array(HEAD_BYTES + part.byteLength);
    bytes.set(new Uint8Array(part.buffer), HEAD_BYTES);
    const head = new DataView(bytes.buffer);
    head.setUint32(0, part.length, true);
    head.setUint32(4, blockChecksum(bytes), true);
    blocks.push(bytes);
  }
  return Buffer.concat(blocks);
}

/** The people up to the first damaged block; all of `expected` when there is none. */
export function decodePeople(bytes: Uint8Array, expected: number): PeopleDirectory {
  const people = new PeopleDirectory(expected);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + HEAD_BYTES <= bytes.length;) {
    const count = view.getUint32(at, true);
    const end = at + HEAD_BYTES + 8 * count;
    if (count > BLOCK_PEOPLE || end > bytes.length) break;
    if (blockChecksum(bytes.subarray(at, end)) !== view.getUint32(at + 4, true)) break;
    for (let tag = at + HEAD_BYTES; tag < end; tag += 8) people.add(view.getFloat64(tag, true));
    at = end;
  }
  return people;
}
