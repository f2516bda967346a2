/**
 * Beacon and its advert (protocol.md §4).
 *
 *     beacon (24)  0x10 || txPower i8 dBm || ephId 16 || mac 6
 *     mac (6)      HMAC(authKey, 0x10 || txPower || ephId || minute u32)[0,6)
 *     advert (31)  02 01 06 || 1b 16 uuid16-LE || beacon
 */
import { ByteReader, ByteWriter } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { hmacSha256 } from '../crypto/hash.js';
import { DEFAULT_SETTINGS } from '../settings.js';

const BEACON_VERSION = 0x10;
const BEACON_BYTES = 24;
export const ADVERT_BYTES = 31;

export interface Beacon {
  readonly txPowerDbm: number;
  readonly ephId: Uint8Array;
  readonly mac: Uint8Array;
}

export function beaconMac(
  authKey: Uint8Array,
  txPowerDbm: number,
  ephId: Uint8Array,
  minute: number,
): Uint8Array {
  const message = new ByteWriter(22).u8(BEACON_VERSION).i8(txPowerDbm).bytes(ephId).u32(minute).finish();
  return hmacSha256(authKey, message).slice(0, 6);
}

export function encodeBeacon(beacon: Beacon): Uint8Array {
  return new ByteWriter(BEACON_BYTES)
    .u8(BEACON_VERSION)
    .i8(beacon.txPowerDbm)
    .bytes(beacon.ephId)
    .bytes(beacon.mac)
    .finish();
}

/** Throws `format` for another length or version. */
export function decodeBeacon(bytes: Uint8Array): Beacon {
  const reader = new ByteReader(bytes, 'beacon');
  if (reader.u8() !== BEACON_VERSION) throw new FirebreakError('format', 'a beacon of another version');
  const beacon = { txPowerDbm: reader.i8(), ephId: reader.take(16), mac: reader.take(6) };
  reader.end();
  return beacon;
}

function advertHead(serviceUuid: number): Uint8Array {
  return Uint8Array.of(0x02, 0x01, 0x06, 0x1b, 0x16, serviceUuid & 0xff, serviceUuid >> 8);
}

export function encodeAdvert(
  beacon: Beacon,
  serviceUuid: number = DEFAULT_SETTINGS.beaconServiceUuid,
): Uint8Array {
  return new ByteWriter(ADVERT_BYTES).bytes(advertHead(serviceUuid)).bytes(encodeBeacon(beacon)).finish();
}

/** The beacon inside; `undefined` for an advert that is not one of ours. */
export function decodeAdvert(
  advert: Uint8Array,
  serviceUuid: number = DEFAULT_SETTINGS.beaconServiceUuid,
): Beacon | undefined {
  if (advert.length !== ADVERT_BYTES || advert[7] !== BEACON_VERSION) return undefined;
  const head = advertHead(serviceUuid);
  if (head.some((byte, index) => advert[index] !== byte)) return undefined;
  return decodeBeacon(advert.subarray(head.length));
}
