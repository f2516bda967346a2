/** Tables of reflected CRCs, and the one flipped bit that explains a wrong one. */
/** Bytes a step where a CRC is worked out with all its tables. */
export const STEP = 8;

/** One table for each byte of a step, the first for the last byte. */
export function makeTables(polynomial: number): readonly Int32Array[] {
  const tables = Array.from({ length: STEP }, () => new Int32Array(256));
  const first = tables[0] as Int32Array;
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    first[byte] = crc;
  }
  for (let k = 1; k < STEP; k++) {
    const before = tables[k - 1] as Int32Array;
    tables[k]?.set(before.map((crc) => (crc >>> 8) ^ (first[crc & 255] as number)));
  }
  return tables;
}

/** The first table of a reflected CRC: what each byte, last before the end, changes. */
export type CrcTable = Int32Array;

/** The CRC-32 of zlib and Ethernet. */
export const CRC_32: CrcTable = makeTables(0xedb8_8320)[0] as Int32Array;

/**
 * Which byte of `length` has the one flipped bit that changes a CRC by `difference` (stored XOR computed);
 * `undefined` when it takes more than one. A CRC is linear: a flipped bit changes it by a value that depends
 * only on how far it stands from the end.
 */
export function findFlippedByte(length: number, difference: number, table: CrcTable): number | undefined {
  const wanted = difference | 0;
  const changes = Array.from({ length: 8 }, (_, bit) => table[1 << bit] as number);
  for (let byte = length - 1; byte >= 0; byte--) {
    for (let bit = 0; bit < 8; bit++) {
      const change = changes[bit] as number;
      if (change === wanted) return byte;
      changes[bit] = (table[change & 255] as number) ^ (change >>> 8);
    }
  }
  return undefined;
}
