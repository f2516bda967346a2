/**
 * Encounter record (protocol.md §6), 50 bytes.
 *
 *     peerEphId 16 | start u32 s | duration u16 s | samples u16 | seconds u16 ×4: immediate, near, medium, other
 *     minAttenuation u8 dB | medianAttenuation u8 dB | peerTxPower i8 dBm | 0
 *     proofA: minuteOffset u8 || mac 6 | proofB: minuteOffset u8 || mac 6
 */
import { ByteReader, ByteWriter } from '../bytes.js';
import { FirebreakError } from '../errors.js';

export const RECORD_BYTES = 50;

/** A beacon's MAC, and how many minutes after ⌊start/60⌋ it was heard. */
export interface BeaconProof {
  readonly minuteOffset: number;
  readonly mac: Uint8Array;
}

/** Seconds credited to immediate, near, medium and other. */
export type BucketSeconds = readonly [number, number, number, number];

export interface EncounterRecord {
  readonly peerEphId: Uint8Array;
  readonly start: number;
  readonly durationSeconds: number;
  readonly samples: number;
  readonly bucketSeconds: BucketSeconds;
  readonly minAttenuationDb: number;
  readonly medianAttenuationDb: number;
  readonly peerTxPowerDbm: number;
  readonly proofA: BeaconProof;
  readonly proofB: BeaconProof;
}

export function encodeEncounterRecord(record: EncounterRecord): Uint8Array {
  const writer = new ByteWriter(RECORD_BYTES)
    .bytes(record.peerEphId)
    .u32(record.start)
    .u16(record.durationSeconds)
    .u16(record.samples);
  for (const seconds of record.bucketSeconds) writer.u16(seconds);
  writer.u8(record.minAttenuationDb).u8(record.medianAttenuationDb).i8(record.peerTxPowerDbm).u8(0);
  for (const proof of [record.proofA, record.proofB]) writer.u8(proof.minuteOffset).bytes(proof.mac);
  return writer.finish();
}

/** Throws `format` for another length, `reserved` when the zero byte is not zero. */
export function decodeEncounterRecord(bytes: Uint8Array): EncounterRecord {
  const reader = new ByteReader(bytes, 'encounter record');
  // One literal, read in order: spreading parts together costs five times the rest.
  const record: EncounterRecord = {
    peerEphId: reader.take(16),
    start: reader.u32(),
    durationSeconds: reader.u16(),
    samples: reader.u16(),
    bucketSeconds: [reader.u16(), reader.u16(), reader.u16(), reader.u16()],
    minAttenuationDb: reader.u8(),
    medianAttenuationDb: reader.u8(),
    peerTxPowerDbm: readPower(reader),
    proofA: readProof(reader),
    proofB: readProof(reader),
  };
  reader.end();
  return record;
}

/** The peer's power and the zero byte after it. */
function readPower(reader: ByteReader): number {
  const powerDbm = reader.i8();
  if (reader.u8() === 0) return powerDbm;
  throw new FirebreakError('reserved', 'a reserved byte of an encounter record is not zero');
}

function readProof(reader: ByteReader): BeaconProof {
  return { minuteOffset: reader.u8(), mac: reader.take(6) };
}
