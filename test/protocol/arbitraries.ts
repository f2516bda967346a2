/** Any value of a field, for property tests. */
import fc from 'fast-check';
import { asEpoch, asUnixMs } from '../../protocol/brands.js';
import type { BeaconProof, EncounterRecord } from '../../protocol/tag/encounter-record.js';

export const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
export const u8 = () => fc.integer({ min: 0, max: 0xff });
export const i8 = () => fc.integer({ min: -128, max: 127 });
export const u16 = () => fc.integer({ min: 0, max: 0xffff });
export const u32 = () => fc.integer({ min: 0, max: 0xffff_ffff });
export const epochs = () => u32().map(asEpoch);
export const times = () => fc.maxSafeNat().map(asUnixMs);

const proofs = (): fc.Arbitrary<BeaconProof> => fc.record({ minuteOffset: u8(), mac: bytesOf(6) });

/** Any record that starts within [from, to]. */
export const records = (from = 0, to = 0xffff_ffff): fc.Arbitrary<EncounterRecord> =>
  fc.record({
    peerEphId: bytesOf(16),
    start: fc.integer({ min: from, max: to }),
    durationSeconds: u16(),
    samples: u16(),
    bucketSeconds: fc.tuple(u16(), u16(), u16(), u16()),
    minAttenuationDb: u8(),
    medianAttenuationDb: u8(),
    peerTxPowerDbm: i8(),
    proofA: proofs(),
    proofB: proofs(),
  });
