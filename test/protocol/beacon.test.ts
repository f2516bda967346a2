import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  beaconMac,
  decodeAdvert,
  decodeBeacon,
  encodeAdvert,
  encodeBeacon,
} from '../../protocol/tag/beacon.js';
import type { Beacon } from '../../protocol/tag/beacon.js';
import { concat, toHex } from '../../protocol/bytes.js';
import { encodeGatewayAdvert, isGatewayAdvert } from '../../protocol/session/gateway-advert.js';
import { bytesOf, i8, u16, u32 } from './arbitraries.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { vectors } from './tag-vectors.js';

const mac = beaconMac(vectors.authKeyB, vectors.beaconBTxPower, vectors.ephIdB, vectors.minute);
const beaconB: Beacon = { txPowerDbm: vectors.beaconBTxPower, ephId: vectors.ephIdB, mac };
const beacons = (): fc.Arbitrary<Beacon> =>
  fc.record({ txPowerDbm: i8(), ephId: bytesOf(16), mac: bytesOf(6) });

describe('a beacon', () => {
  test('is that of the vectors', () => {
    expect(encodeBeacon(beaconB)).toEqual(vectors.beaconB);
    expect(decodeBeacon(vectors.beaconB)).toEqual(beaconB);
  });

  test('is the same after decoding and encoding', () => {
    fc.assert(
      fc.property(beacons(), (beacon) => {
        expect(decodeBeacon(encodeBeacon(beacon))).toEqual(beacon);
      }),
    );
  });

  test('is refused with another version or length', () => {
    const { beaconB: bytes } = vectors;
    expect(codeOf(() => decodeBeacon(concat(Uint8Array.of(0x11), bytes.subarray(1))))).toBe('format');
    expect(codeOf(() => decodeBeacon(bytes.subarray(0, 23)))).toBe('format');
    expect(codeOf(() => decodeBeacon(concat(bytes, Uint8Array.of(0))))).toBe('format');
  });

  test('has a MAC over power, ID and minute', () => {
    fc.assert(
      fc.property(bytesOf(16), i8(), bytesOf(16), u32(), fc.nat(127), (key, power, ephId, minute, bit) => {
        const made = toHex(beaconMac(key, power, ephId, minute));
        const nextMinute = minute === 0xffff_ffff ? 0 : minute + 1;
        expect(toHex(beaconMac(key, power, ephId, nextMinute))).not.toBe(made);
        expect(toHex(beaconMac(key, power === 127 ? 0 : power + 1, ephId, minute))).not.toBe(made);
        expect(toHex(beaconMac(key, power, withFlippedBit(ephId, bit), minute))).not.toBe(made);
        expect(toHex(beaconMac(withFlippedBit(key, bit), power, ephId, minute))).not.toBe(made);
      }),
    );
  });
});

describe('the advert of a beacon', () => {
  test('is that of the vectors', () => {
    expect(encodeAdvert(beaconB)).toEqual(vectors.advertB);
    expect(decodeAdvert(vectors.advertB)).toEqual(beaconB);
  });

  test('is the same after decoding and encoding, under the UUID of the deployment only', () => {
    fc.assert(
      fc.property(beacons(), u16(), (beacon, uuid) => {
        const advert = encodeAdvert(beacon, uuid);
        expect(advert).toHaveLength(31);
        expect(decodeAdvert(advert, uuid)).toEqual(beacon);
        expect(decodeAdvert(advert, uuid ^ 1)).toBeUndefined();
        expect(decodeAdvert(advert, uuid ^ 0x100)).toBeUndefined();
      }),
    );
  });

  test('is none of ours with any bit of its head or version turned over', () => {
    for (let bit = 0; bit < 8 * 8; bit++)
      expect(decodeAdvert(withFlippedBit(vectors.advertB, bit))).toBeUndefined();
    expect(decodeAdvert(withFlippedBit(vectors.advertB, 8 * 8))).not.toEqual(beaconB);
  });

  test('is none of ours at another length', () => {
    expect(decodeAdvert(vectors.advertB.subarray(0, 30))).toBeUndefined();
    expect(decodeAdvert(concat(vectors.advertB, Uint8Array.of(0)))).toBeUndefined();
    expect(decodeAdvert(new Uint8Array(0))).toBeUndefined();
  });
});

describe('the advert of a gateway', () => {
  test('is flags and the complete list of one service', () => {
    expect(toHex(encodeGatewayAdvert())).toBe('0201060303b1ff');
    expect(isGatewayAdvert(encodeGatewayAdvert(0x1234), 0x1234)).toBe(true);
  });

  test('is not taken for one with a bit turned over, a byte more or less, or another UUID', () => {
    const advert = encodeGatewayAdvert();
    for (let bit = 0; bit < advert.length * 8; bit++)
      expect(isGatewayAdvert(withFlippedBit(advert, bit))).toBe(false);
    expect(isGatewayAdvert(advert.subarray(0, 6))).toBe(false);
    expect(isGatewayAdvert(concat(advert, Uint8Array.of(0)))).toBe(false);
    expect(isGatewayAdvert(vectors.advertB)).toBe(false);
  });
});
