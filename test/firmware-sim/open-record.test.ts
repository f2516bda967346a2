import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addSample,
  attenuationOf,
  bucketOf,
  closeRecord,
  openRecord,
} from '../../firmware-sim/tag/open-record.js';
import type { Sample } from '../../firmware-sim/tag/open-record.js';
import { decodeEncounterRecord, encodeEncounterRecord } from '../../protocol/tag/encounter-record.js';
import { REPLAY_SETTINGS } from '../../protocol/settings.js';
import { macOf, MIDNIGHT_MS, sampleAt, SETTINGS } from './samples.js';

function recordOf(samples: readonly Sample[], settings = SETTINGS) {
  const [first, ...rest] = samples;
  if (first === undefined) throw new RangeError('no samples');
  const record = openRecord(first, settings);
  for (const sample of rest) addSample(record, sample, settings);
  return closeRecord(record, settings);
}

const at = (...seconds: number[]) => seconds.map((s) => sampleAt(MIDNIGHT_MS + s * 1000));

describe('the credit of samples', () => {
  it('is the time until the next sample, and one interval for the last', () => {
    const record = recordOf(at(0, 2, 5));
    expect(record.bucketSeconds).toEqual([6, 0, 0, 0]);
    expect(record.durationSeconds).toBe(6);
  });

  it('is at most the hold of 30 s, while the duration counts the gap', () => {
    const record = recordOf(at(0, 100));
    expect(record.bucketSeconds).toEqual([31, 0, 0, 0]);
    expect(record.durationSeconds).toBe(101);
  });

  it('is exactly the hold when the next sample comes exactly then', () => {
    expect(recordOf(at(0, 30)).bucketSeconds[0]).toBe(31);
    expect(recordOf(at(0, 29)).bucketSeconds[0]).toBe(30);
    expect(recordOf(at(0, 31)).bucketSeconds[0]).toBe(31);
  });

  it('goes to the bucket of the sample that began it', () => {
    const near = sampleAt(MIDNIGHT_MS + 4000, { rssiDbm: -60 });
    const other = sampleAt(MIDNIGHT_MS + 10_000, { rssiDbm: undefined });
    const record = recordOf([sampleAt(MIDNIGHT_MS), near, other]);
    expect(record.bucketSeconds).toEqual([4, 6, 0, 1]);
  });

  it('is kept in ms and floored only when the record closes', () => {
    const samples = [0, 600, 1200, 1800].map((ms) => sampleAt(MIDNIGHT_MS + 999 + ms));
    const record = recordOf(samples);
    expect(record.start).toBe(MIDNIGHT_MS / 1000);
    expect(record.bucketSeconds[0]).toBe(2); // 1,800 ms and the interval of 1,000 ms
    expect(record.durationSeconds).toBe(2);
  });

  it('is two beacons of ten seconds for a recorded step of twenty', () => {
    const record = recordOf(at(0, 10), REPLAY_SETTINGS);
    expect(record).toMatchObject({ durationSeconds: 20, bucketSeconds: [20, 0, 0, 0], samples: 2 });
  });

  it('is nothing for a clock that was set back, and never runs backwards', () => {
    const record = recordOf(at(40, 42, 10, 43));
    expect(record.bucketSeconds[0]).toBe(4);
    expect(record.durationSeconds).toBe(4);
  });

  it('never exceeds the duration, whatever is heard', () => {
    const sample = fc.record({
      gapMs: fc.nat(120_000),
      rssiDbm: fc.option(fc.integer({ min: -128, max: 20 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 60 }), (heard) => {
        let atMs = MIDNIGHT_MS;
        const record = recordOf(heard.map(({ gapMs, rssiDbm }) => sampleAt((atMs += gapMs), { rssiDbm })));
        const sum = record.bucketSeconds.reduce((total, seconds) => total + seconds, 0);
        expect(sum).toBeLessThanOrEqual(record.durationSeconds);
        expect(decodeEncounterRecord(encodeEncounterRecord(record))).toEqual(record);
      }),
    );
  });
});

describe('attenuation', () => {
  it('is transmit power minus RSSI, clamped, and 255 without RSSI', () => {
    expect(attenuationOf({ txPowerDbm: 4, rssiDbm: -60 })).toBe(64);
    expect(attenuationOf({ txPowerDbm: -20, rssiDbm: 10 })).toBe(0);
    expect(attenuationOf({ txPowerDbm: 127, rssiDbm: -200 })).toBe(255);
    expect(attenuationOf({ txPowerDbm: 0, rssiDbm: undefined })).toBe(255);
  });

  it('falls in the buckets at their upper bounds', () => {
    const buckets = [55, 56, 63, 64, 73, 74].map((db) => bucketOf(db, SETTINGS.attenuationThresholdsDb));
    expect(buckets).toEqual([0, 1, 1, 2, 2, 3]);
  });

  it('has the lower median of an even number of samples', () => {
    const of = (...dbs: number[]) =>
      recordOf(dbs.map((db, k) => sampleAt(MIDNIGHT_MS + k * 1000, { rssiDbm: -db }))).medianAttenuationDb;
    expect(of(70, 40)).toBe(40);
    expect(of(70, 40, 60)).toBe(60);
    expect(of(50, 70, 40, 60)).toBe(50);
  });

  it('has the median that sorting gives', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 110 }), { minLength: 1, maxLength: 40 }), (dbs) => {
        const record = recordOf(dbs.map((db, k) => sampleAt(MIDNIGHT_MS + k * 1000, { rssiDbm: -db })));
        const sorted = [...dbs].sort((a, b) => a - b);
        expect(record.medianAttenuationDb).toBe(sorted[Math.floor((sorted.length - 1) / 2)]);
        expect(record.minAttenuationDb).toBe(sorted[0]);
      }),
    );
  });
});

describe('proofs', () => {
  it('are the first and the last MAC, in minutes after the minute of the start', () => {
    const record = recordOf(at(59, 60, 185));
    expect(record.proofA).toEqual({ minuteOffset: 0, mac: macOf(1, MIDNIGHT_MS) });
    expect(record.proofB).toEqual({ minuteOffset: 3, mac: macOf(1, MIDNIGHT_MS + 185_000) });
  });

  it('are the same for a single minute', () => {
    const record = recordOf(at(1, 2));
    expect(record.proofB).toEqual(record.proofA);
  });
});
