/**
 * One encounter while it lasts (protocol.md §6): who was heard, how near, and for how long. Times are kept in ms and
 * floored when the record closes. The median comes from 256 counts, one per dB, whatever the number of samples.
 */
import { minuteOf } from '../../protocol/time.js';
import type { BucketSeconds, EncounterRecord } from '../../protocol/tag/encounter-record.js';
import type { ProtocolSettings } from '../../protocol/settings.js';

/** One beacon as the receiver heard it. `rssiDbm` is undefined where the controller could not tell. */
export interface Sample {
  readonly atMs: number;
  readonly ephId: Uint8Array;
  readonly mac: Uint8Array;
  readonly txPowerDbm: number;
  readonly rssiDbm: number | undefined;
}

export interface OpenRecord {
  readonly ephId: Uint8Array;
  readonly txPowerDbm: number;
  readonly firstMac: Uint8Array;
  readonly startMs: number;
  lastMs: number;
  lastMac: Uint8Array;
  lastBucket: number;
  samples: number;
  /** Samples at or above the RSSI floor, as far as two. */
  strongSamples: number;
  minAttenuationDb: number;
  readonly creditMs: [number, number, number, number];
  readonly countsByDb: Uint16Array;
}

const UNKNOWN_ATTENUATION_DB = 255;
const MAX_U16 = 0xffff;
/** A peer is written to flash only after two samples above the RSSI floor. */
const STRONG_SAMPLES_NEEDED = 2;

/** txPower − RSSI, clamped to 0..255; 255 where there is no RSSI. */
export function attenuationOf(sample: Pick<Sample, 'txPowerDbm' | 'rssiDbm'>): number {
  if (sample.rssiDbm === undefined) return UNKNOWN_ATTENUATION_DB;
  return Math.min(255, Math.max(0, Math.round(sample.txPowerDbm - sample.rssiDbm)));
}

/** 0 immediate, 1 near, 2 medium, 3 other. */
export function bucketOf(
  attenuationDb: number,
  thresholdsDb: ProtocolSettings['attenuationThresholdsDb'],
): number {
  const bucket = thresholdsDb.findIndex((threshold) => attenuationDb <= threshold);
  return bucket === -1 ? thresholdsDb.length : bucket;
}

export function openRecord(sample: Sample, settings: ProtocolSettings): OpenRecord {
  const record: OpenRecord = {
    ephId: sample.ephId,
    txPowerDbm: sample.txPowerDbm,
    firstMac: sample.mac,
    startMs: sample.atMs,
    lastMs: sample.atMs,
    lastMac: sample.mac,
    lastBucket: 0,
    samples: 0,
    strongSamples: 0,
    minAttenuationDb: UNKNOWN_ATTENUATION_DB,
    creditMs: [0, 0, 0, 0],
    countsByDb: new Uint16Array(256),
  };
  addSample(record, sample, settings);
  return record;
}

/** Credits the time since the sample before, then counts this one. A clock that was set back credits nothing. */
export function addSample(record: OpenRecord, sample: Sample, settings: ProtocolSettings): void {
  const atMs = Math.max(sample.atMs, record.lastMs);
  credit(record, Math.min(atMs - record.lastMs, holdMs(settings)));
  const attenuationDb = attenuationOf(sample);
  record.lastMs = atMs;
  record.lastMac = sample.mac;
  record.lastBucket = bucketOf(attenuationDb, settings.attenuationThresholdsDb);
  record.minAttenuationDb = Math.min(record.minAttenuationDb, attenuationDb);
  if (isStrong(sample, settings))
    record.strongSamples = Math.min(STRONG_SAMPLES_NEEDED, record.strongSamples + 1);
  if (record.samples === MAX_U16) return; // the counts are full; time is still credited
  record.samples += 1;
  record.countsByDb[attenuationDb] = (record.countsByDb[attenuationDb] ?? 0) + 1;
}

export const isWorthKeeping = (record: OpenRecord): boolean => record.strongSamples >= STRONG_SAMPLES_NEEDED;

/** The record as it is kept, its last sample credited a single advertising interval. */
export function closeRecord(record: OpenRecord, settings: ProtocolSettings): EncounterRecord {
  const lastCreditMs = Math.min(settings.beaconIntervalMs, holdMs(settings));
  credit(record, lastCreditMs);
  const start = Math.floor(record.startMs / 1000);
  const [immediate, near, medium, other] = record.creditMs;
  const bucketSeconds: BucketSeconds = [seconds(immediate), seconds(near), seconds(medium), seconds(other)];
  const minutes = minuteOf(record.lastMs / 1000) - minuteOf(start);
  return {
    peerEphId: record.ephId,
    start,
    durationSeconds: seconds(record.lastMs + lastCreditMs - record.startMs),
    samples: record.samples,
    bucketSeconds,
    minAttenuationDb: record.minAttenuationDb,
    medianAttenuationDb: lowerMedian(record.countsByDb, record.samples),
    peerTxPowerDbm: record.txPowerDbm,
    proofA: { minuteOffset: 0, mac: record.firstMac },
    proofB: { minuteOffset: Math.min(255, minutes), mac: record.lastMac },
  };
}

function isStrong(sample: Sample, settings: ProtocolSettings): boolean {
  return sample.rssiDbm !== undefined && sample.rssiDbm >= settings.rssiFloorDbm;
}

function credit(record: OpenRecord, creditMs: number): void {
  const bucket = record.lastBucket;
  record.creditMs[bucket] = (record.creditMs[bucket] ?? 0) + creditMs;
}

function lowerMedian(countsByDb: Uint16Array, samples: number): number {
  const rank = Math.floor((samples - 1) / 2);
  let below = 0;
  return countsByDb.findIndex((count) => {
    below += count;
    return below > rank;
  });
}

const holdMs = (settings: ProtocolSettings): number => settings.sampleHoldSeconds * 1000;
const seconds = (ms: number): number => Math.min(MAX_U16, Math.floor(ms / 1000));
