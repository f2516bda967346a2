/**
 * CRC-32C (Castagnoli; RFC 3720 appendix B.4) as LevelDB uses it: reflected polynomial 0x82f63b78, and masked
 * where it is stored, so that a checksum over bytes that hold checksums is no weak one. Eight bytes a step,
 * eight tables.
 */
import { findFlippedByte, makeTables, STEP, type CrcTable } from '../store/crc-tables.js';

const POLYNOMIAL = 0x82f63b78;
const MASK_DELTA = 0xa282_ead8;

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

export const CRC_32C: CrcTable = T[0];

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
