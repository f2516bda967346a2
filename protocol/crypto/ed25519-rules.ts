/**
 * What makes a signature strict (protocol.md §2), checked before any library sees it: S < L; A and R canonical and not
 * of small order. Libraries agree on what is left, the cofactorless equation of RFC 8032 §5.1.7.
 */

/** 2^255 − 19 and the group order L, little-endian as they stand in a signature. */
const FIELD_PRIME = Buffer.from('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', 'hex');
const GROUP_ORDER = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex');

/** y of the points of order 1, 2, 4 and 8 (two). The sign bit of x does not matter. */
const SMALL_ORDER_Y = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((hex) => Buffer.from(hex, 'hex'));

export function isStrictlyFormed(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    publicKey.length === 32 &&
    signature.length === 64 &&
    isBelow(signature, 32, 0xff, GROUP_ORDER) &&
    isStrictPoint(publicKey) &&
    isStrictPoint(signature)
  );
}

/** Whether the first 32 bytes are the canonical encoding of a y that is not of small order. */
function isStrictPoint(bytes: Uint8Array): boolean {
  return isBelow(bytes, 0, 0x7f, FIELD_PRIME) && !SMALL_ORDER_Y.some((y) => isSameY(bytes, y));
}

function isSameY(bytes: Uint8Array, y: Uint8Array): boolean {
  if (((bytes[31] ?? 0) & 0x7f) !== y[31]) return false;
  for (let i = 0; i < 31; i++) if (bytes[i] !== y[i]) return false;
  return true;
}

/** Little-endian comparison of 32 bytes from `offset`, the last one masked, with a bound. */
function isBelow(bytes: Uint8Array, offset: number, lastMask: number, bound: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const byte = (bytes[offset + i] ?? 0) & (i === 31 ? lastMask : 0xff);
    const limit = bound[i] ?? 0;
    if (byte !== limit) return byte < limit;
  }
  return false;
}
