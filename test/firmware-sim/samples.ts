/** Samples for tests of the encounter log. */
import { ByteWriter } from '../../protocol/bytes.js';
import type { Sample } from '../../firmware-sim/tag/open-record.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';

export const SETTINGS = DEFAULT_SETTINGS;
/** An epoch's, a minute's and a day's first moment. */
export const MIDNIGHT_MS = 1_772_409_600_000;

export function peerId(peer: number): Uint8Array {
  return new ByteWriter(16).u48(peer).u48(0).u32(0).finish();
}

/** The MAC changes with the peer and the minute, as in beacons. */
export function macOf(peer: number, atMs: number): Uint8Array {
  return new ByteWriter(6)
    .u16(peer % 65_536)
    .u32(Math.floor(atMs / 60_000))
    .finish();
}

export function sampleAt(atMs: number, more: Partial<Sample> & { readonly peer?: number } = {}): Sample {
  const { peer = 1, ...given } = more;
  return { atMs, ephId: peerId(peer), mac: macOf(peer, atMs), txPowerDbm: 0, rssiDbm: -50, ...given };
}
