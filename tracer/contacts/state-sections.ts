/**
 * What a tracer keeps for its next life, as named sections of bytes. Big-endian:
 *
 *     "FBTS" | version u32 = 1 | sections u32 | CRC-32 of all after it u32, then each: name length u8 | name |
 *     length u64 | bytes
 */
import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';

const MAGIC = 0x46425453;
const VERSION = 1;
const HEAD_BYTES = 16;

export type Sections = ReadonlyMap<string, Uint8Array>;

/** Names of at most 255 ASCII characters. */
export function encodeSections(sections: Sections): Uint8Array {
  const named = [...sections].map(([name, bytes]) => ({ name: Buffer.from(name, 'latin1'), bytes }));
  const size = named.reduce((sum, { name, bytes }) => sum + 9 + name.length + bytes.length, 0);
  const body = new ByteWriter(size);
  for (const { name, bytes } of named) body.u8(name.length).bytes(name).u64(bytes.length).bytes(bytes);
  const content = body.finish();
  return new ByteWriter(HEAD_BYTES + content.length)
    .u32(MAGIC)
    .u32(VERSION)
    .u32(named.length)
    .u32(crc32(content))
    .bytes(content)
    .finish();
}

/** Views of the bytes. Throws `format` for another kind or version, `damaged` for bytes that were changed. */
export function decodeSections(bytes: Uint8Array): Sections {
  const reader = new ByteReader(bytes, 'the state of a tracer');
  const [magic, version, count, checksum] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  if (magic !== MAGIC || version !== VERSION)
    throw new FirebreakError('format', `this is no state of a tracer of version ${VERSION}`);
  if (crc32(bytes.subarray(HEAD_BYTES)) !== checksum)
    throw new FirebreakError('damaged', 'the state of the tracer was changed or cut short');
  const sections = new Map<string, Uint8Array>();
  for (let k = 0; k < count; k++) {
    const name = Buffer.from(reader.view(reader.u8())).toString('latin1');
    sections.set(name, reader.view(reader.u64()));
  }
  reader.end();
  return sections;
}
