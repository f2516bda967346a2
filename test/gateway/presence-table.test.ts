import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresenceTable } from '../../gateway/presence-table.js';
import type { Beacon } from '../../protocol/tag/beacon.js';

const EPOCH_MS = 900_000;
const START_MS = 1_920_037 * EPOCH_MS;

/** What tag `number` sends in minute `minute` of the test. */
const beaconOf = (number: number, minute = 0): Beacon => ({
  txPowerDbm: -12,
  ephId: new Uint8Array(16).fill(number).fill(number >> 8, 0, 1),
  mac: new Uint8Array(6).fill(minute).fill(number % 256, 0, 1),
});

const table = (maxOpen = 100, maxRecords = 1000) =>
  new PresenceTable({ maxOpen, maxRecords, beaconIntervalMs: 1000, rssiFloorDbm: -90 });

const forged = (number: number): Beacon => ({
  txPowerDbm: 0,
  ephId: new Uint8Array(new Uint32Array([number + 1, 0xdead, 0, 0]).buffer),
  mac: new Uint8Array(6),
});

describe('a presence table', () => {
  it('makes one record of what was heard of a tag in an epoch, as protocol.md §6 counts', () => {
    const presence = table();
    const heard: [number, number | undefined][] = [
      [500, -62],
      [30_000, -52],
      [61_000, undefined],
      [125_000, -72],
    ];
    for (const [ms, rssi] of heard) presence.hear(beaconOf(1, Math.floor(ms / 60_000)), rssi, START_MS + ms);
    expect(presence.closeDue(START_MS + EPOCH_MS + 119_999)).toEqual([]);
    const [record, ...others] = presence.closeDue(START_MS + EPOCH_MS + 120_000);
    expect(others).toEqual([]);
    expect(record).toEqual({
      ephId: beaconOf(1).ephId,
      start: START_MS / 1000,
      durationSeconds: 125,
      samples: 4,
      minAttenuationDb: 40,
      medianAttenuationDb: 50,
      peerTxPowerDbm: -12,
      proofA: { minuteOffset: 0, mac: beaconOf(1, 0).mac },
      proofB: { minuteOffset: 2, mac: beaconOf(1, 2).mac },
    });
    expect(presence.size).toBe(0);
  });

  it('makes no record of a single beacon', () => {
    const presence = table();
    presence.hear(beaconOf(1), -60, START_MS);
    expect(presence.size).toBe(1);
    expect(presence.closeDue(START_MS + 2 * EPOCH_MS)).toEqual([]);
    expect(presence.size).toBe(0);
  });

  it('makes no record without two samples above the RSSI floor, and counts the weak ones in one that has them', () => {
    const presence = table();
    for (const [ms, rssi] of [
      [0, -91],
      [1000, -90],
      [2000, undefined],
      [3000, -120],
    ] as const)
      presence.hear(beaconOf(1), rssi, START_MS + ms);
    for (const [ms, rssi] of [
      [0, -120],
      [1000, -90],
      [2000, -90],
    ] as const)
      presence.hear(beaconOf(2), rssi, START_MS + ms);
    const records = presence.closeAll();
    expect(
      records.map(({ ephId, samples, minAttenuationDb }) => [ephId[1], samples, minAttenuationDb]),
    ).toEqual([[2, 3, 78]]);
  });

  it('keeps beacons of another power apart, whichever come first: the authority knows by their MACs which are the tag’s', () => {
    const presence = table();
    const withPower = (txPowerDbm: number, ...heardMs: number[]): void => {
      for (const ms of heardMs) presence.hear({ ...beaconOf(1), txPowerDbm }, -60, START_MS + ms);
    };
    withPower(20, 0); // forged, and heard only once
    withPower(-12, 500, 1500);
    withPower(8, 1000, 60_000);
    expect(presence.closeAll().toSorted((one, other) => one.start - other.start)).toMatchObject([
      { samples: 2, durationSeconds: 2, peerTxPowerDbm: -12 },
      { samples: 2, durationSeconds: 60, peerTxPowerDbm: 8 },
    ]);
    expect(presence.ignored).toBe(0);
  });

  it('ignores a beacon whose MAC was first heard more than two minutes ago', () => {
    const presence = table();
    for (const ms of [0, 60_000, 120_000]) presence.hear(beaconOf(1, 0), -60, START_MS + ms);
    presence.hear(beaconOf(1, 0), -60, START_MS + 120_001);
    presence.hear(beaconOf(2, 0), -60, START_MS);
    presence.hear(beaconOf(2, 0), -60, START_MS + 200_000);
    expect(presence.ignored).toBe(2);
    const records = presence.closeAll();
    expect(records.map(({ samples, durationSeconds }) => [samples, durationSeconds])).toEqual([[3, 121]]);
  });

  it('keeps whoever is really there through a flood of forgeries, each of them heard twice', () => {
    const presence = table(1100);
    let made = 0;
    const flood = (count: number, atMs: number): void => {
      for (let more = 0; more < count; more += 1) {
        presence.hear(forged(made), -40, atMs);
        presence.hear(forged(made++), -40, atMs);
      }
    };
    for (let second = 0; second < 60; second += 1) presence.hear(beaconOf(1), -60, START_MS + second * 1000);
    flood(3000, START_MS + 60_000);
    for (let second = 100; second < 400; second += 1) {
      presence.hear(beaconOf(2, Math.floor(second / 60)), -60, START_MS + second * 1000);
      flood(90, START_MS + second * 1000);
    }
    expect(presence.size).toBe(1100);
    const closed = new Map(presence.closeAll().map(({ ephId, samples }) => [ephId.join(), samples]));
    expect(closed.get(beaconOf(1).ephId.join())).toBe(60);
    expect(closed.get(beaconOf(2).ephId.join())).toBe(300);
    expect(presence.dropped).toBe(made + 2 - 1000); // 100 of these when it gave out 1,000
  });

  it('gives out no more than its bound at a time, those heard most', () => {
    const presence = table(100, 3);
    for (const number of [1, 2, 3, 4, 5])
      for (let second = 0; second < 10 + number; second += 1)
        presence.hear(beaconOf(number), -60, START_MS + second * 1000);
    expect(presence.closeAll().map(({ samples }) => samples)).toEqual([15, 14, 13]);
    expect(presence).toMatchObject({ dropped: 2, size: 0 });
  });

  it('makes records that a report can hold, whatever is done to the clock', () => {
    const steps = [-2 * 86_400_000, -3_600_000, -600_000, -121_000, -5_000, 5_000, 600_000, 86_400_000];
    const heard = fc.record({
      tag: fc.integer({ min: 0, max: 3 }),
      gapMs: fc.oneof(fc.integer({ min: 0, max: 60_000 }), fc.constantFrom(...steps)),
    });
    fc.assert(
      fc.property(fc.array(heard, { maxLength: 60 }), (sightings) => {
        const presence = table();
        let nowMs = START_MS;
        const records = sightings.flatMap(({ tag, gapMs }) => {
          nowMs += gapMs;
          presence.hear(beaconOf(tag, Math.abs(Math.floor(nowMs / 60_000)) % 250), -60, nowMs);
          return presence.closeDue(nowMs);
        });
        for (const { durationSeconds, proofB } of [...records, ...presence.closeAll()]) {
          expect(durationSeconds).toBeGreaterThanOrEqual(1);
          expect(durationSeconds).toBeLessThanOrEqual(900 + 120 + 1);
          expect(proofB.minuteOffset).toBeGreaterThanOrEqual(0);
          expect(proofB.minuteOffset).toBeLessThanOrEqual(17);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('closes what is of a time that the clock was set back from', () => {
    const presence = table();
    for (const ms of [0, 60_000]) presence.hear(beaconOf(1), -60, START_MS + ms);
    expect(presence.closeDue(START_MS - 60_000)).toEqual([]);
    expect(presence.closeDue(START_MS - 86_400_000)).toMatchObject([{ samples: 2, durationSeconds: 61 }]);
  });

  it('never holds more than its bound, and counts every sample of a record once', () => {
    const sample = fc.record({
      tag: fc.integer({ min: 0, max: 12 }),
      gapMs: fc.integer({ min: 0, max: 90_000 }),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 120 }), (samples) => {
        const presence = table(8);
        let nowMs = START_MS;
        let counted = 0;
        for (const { tag, gapMs } of samples) {
          nowMs += gapMs;
          presence.hear(beaconOf(tag, Math.floor(nowMs / 60_000) % 250), -60, nowMs);
          expect(presence.size).toBeLessThanOrEqual(8);
          const closed = presence.closeDue(nowMs);
          counted += closed.reduce((sum, record) => sum + record.samples, 0);
        }
        const left = presence.closeAll();
        for (const record of left) expect(record.samples).toBeGreaterThanOrEqual(2);
        counted += left.reduce((sum, record) => sum + record.samples, 0);
        expect(counted).toBeLessThanOrEqual(samples.length);
      }),
    );
  });
});
