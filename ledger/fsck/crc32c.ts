/**
 * CRC-32C (Castagnoli; RFC 3720 appendix B.4) as LevelDB uses it: reflected polynomial 0x82f63b78, and masked
 * where it is stored, so that a checksum over bytes that hold checksums is no weak one. Eight bytes a step,
 * eight tables.
 */
const POLYNOMIAL = 0x82f63b78;
const MASK_DELTA = 0xa282_ead8;
const STEP = 8;

function makeTables(polynomial: number): readonly Int32Array[] {
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

const T = makeTables(POLYNOMIAL) as readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** CRC-32C of all of `bytes`, unsigned. */
export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = T;
  const at = (i: number): number => bytes[i] as number;
  const end = bytes.length - (bytes.length % STEP);
  let crc = -1;
  for (let i = 0; i < end; i += STEP) {
    crc ^= at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24);
    const low =
      (t7[crc & 255] as number) ^
      (t6[(crc >>> 8) & 255] as number) ^
      (t5[(crc >>> 16) & 255] as number) ^
      (t4[crc >>> 24] as number);
    const high =
      (t3[at(i + 4)] as number) ^
      (t2[at(i + 5)] as number) ^
      (t1[at(i + 6)] as number) ^
      (t0[at(i + 7)] as number);
    crc = low ^ high;
  }
  for (let i = end; i < bytes.length; i++) crc = (t0[(crc ^ at(i)) & 255] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** As LevelDB stores it. */
function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

function unmaskCrc(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/** Whether `masked` is the checksum of `bytes` as stored. */
export function crcHolds(bytes: Uint8Array, masked: number): boolean {
  return crc32c(bytes) === unmaskCrc(masked);
}

/** The first table of a reflected CRC: what each byte, last before the end, changes. */
export type CrcTable = Int32Array;
export const CRC_32C: CrcTable = T[0];
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

/**
 * The one flipped bit that explains why `masked` is not the checksum of `bytes`: the byte it is in, or -1
 * when it is in the stored checksum. `undefined` when it takes more than one.
 */
export function findFlippedBit(bytes: Uint8Array, masked: number): number | undefined {
  const actual = crc32c(bytes);
  const stored = (maskCrc(actual) ^ masked) >>> 0;
  if ((stored & (stored - 1)) === 0) return -1;
  return findFlippedByte(bytes.length, actual ^ unmaskCrc(masked), CRC_32C);
}
