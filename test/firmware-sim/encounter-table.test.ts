import { describe, expect, it } from 'vitest';
import {
  closeDue,
  emptyTable,
  hearBeacon,
  nextCloseMs,
  openCount,
} from '../../firmware-sim/tag/encounter-table.js';
import type { EncounterTable } from '../../firmware-sim/tag/encounter-table.js';
import { macOf, MIDNIGHT_MS, peerId, sampleAt, SETTINGS } from './samples.js';

const EPOCH_MS = 900_000;
const closeAll = (table: EncounterTable) => closeDue(table, MIDNIGHT_MS + 10 * EPOCH_MS, SETTINGS).records;
const hear = (table: EncounterTable, peer: number, ...atMs: number[]) =>
  atMs.map((ms) => hearBeacon(table, sampleAt(MIDNIGHT_MS + ms, { peer }), SETTINGS));

describe('the two-sample rule', () => {
  it('keeps a peer heard twice and forgets one heard once', () => {
    const table = emptyTable();
    hear(table, 1, 0, 1000);
    hear(table, 2, 0);
    expect(closeAll(table).map(({ peerEphId }) => peerEphId)).toEqual([peerId(1)]);
  });

  it('counts only samples that are not below the RSSI floor', () => {
    const table = emptyTable();
    for (const [ms, rssiDbm] of [
      [0, -101],
      [1000, -100],
      [2000, undefined],
    ] as const) {
      hearBeacon(table, sampleAt(MIDNIGHT_MS + ms, { rssiDbm }), SETTINGS);
    }
    expect(closeDue(structuredClone(table), MIDNIGHT_MS + 9 * EPOCH_MS, SETTINGS).records).toEqual([]);
    hear(table, 1, 3000);
    expect(closeAll(table)).toMatchObject([{ samples: 4, bucketSeconds: [1, 0, 0, 3] }]);
  });
});

describe('closing', () => {
  it('happens 120 s after the end of the epoch in which the record began', () => {
    const table = emptyTable();
    hear(table, 1, 0, 1000);
    const closesMs = MIDNIGHT_MS + EPOCH_MS + 120_000;
    expect(nextCloseMs(table)).toBe(closesMs);
    expect(closeDue(table, closesMs - 1, SETTINGS).epochs).toEqual([]);
    expect(closeDue(table, closesMs, SETTINGS).records).toHaveLength(1);
    expect(nextCloseMs(table)).toBe(Infinity);
  });

  it('lets a record go on into the next epoch, since its key is the peer alone', () => {
    const table = emptyTable();
    hear(table, 1, EPOCH_MS - 1000, EPOCH_MS, EPOCH_MS + 1000);
    expect(openCount(table)).toBe(1);
    expect(closeAll(table)).toMatchObject([{ samples: 3, durationSeconds: 3 }]);
  });

  it('begins another record for a peer that is heard after its record closed', () => {
    const table = emptyTable();
    hear(table, 1, 0, 1000);
    const first = closeDue(table, MIDNIGHT_MS + EPOCH_MS + 120_000, SETTINGS).records;
    hear(table, 1, EPOCH_MS + 130_000, EPOCH_MS + 131_000);
    const second = closeAll(table);
    expect([...first, ...second].map(({ start }) => start - MIDNIGHT_MS / 1000)).toEqual([0, 1030]);
  });
});

describe('a replayed beacon', () => {
  it('counts until 120 s after its MAC was first heard, and not a millisecond longer', () => {
    const table = emptyTable();
    const mac = macOf(1, MIDNIGHT_MS);
    const again = (ms: number) => hearBeacon(table, sampleAt(MIDNIGHT_MS + ms, { mac }), SETTINGS);
    expect(
      [again(0), again(120_000), again(120_001), again(500_000)].map((epoch) => epoch !== undefined),
    ).toEqual([true, true, false, false]);
    expect(closeAll(table)).toMatchObject([{ samples: 2, durationSeconds: 121 }]);
  });
});

describe('beacons of one ID with different powers', () => {
  const hearWith = (table: EncounterTable, txPowerDbm: number, ...seconds: number[]) =>
    seconds.map((s) => hearBeacon(table, sampleAt(MIDNIGHT_MS + s * 1000, { txPowerDbm }), SETTINGS));

  it('are records of their own: a forged one that comes first does not keep the genuine ones out', () => {
    const table = emptyTable();
    hearWith(table, 20, 0);
    hearWith(table, 0, ...Array.from({ length: 60 }, (_, k) => k + 1));
    expect(closeAll(table)).toMatchObject([{ peerEphId: peerId(1), peerTxPowerDbm: 0, samples: 60 }]);
  });

  it('leave a trace of both when both are heard twice', () => {
    const table = emptyTable();
    hearWith(table, 20, 0, 2);
    hearWith(table, -20, 1, 3);
    expect(closeAll(table)).toMatchObject([
      { peerEphId: peerId(1), peerTxPowerDbm: 20, samples: 2, durationSeconds: 3 },
      { peerEphId: peerId(1), peerTxPowerDbm: -20, samples: 2, durationSeconds: 3 },
    ]);
  });

  it('push out no more than those of as many IDs: the one that was heard most stays', () => {
    const table = emptyTable();
    hear(table, 7, 0, 1000, 2000);
    for (let peer = 100; peer < 120; peer += 1)
      for (let power = -128; power < 128; power += 1)
        for (const ms of [3000, 4000])
          hearBeacon(table, sampleAt(MIDNIGHT_MS + ms, { peer, txPowerDbm: power }), SETTINGS);
    expect(openCount(table)).toBe(1024);
    expect(closeAll(table)).toContainEqual(expect.objectContaining({ peerEphId: peerId(7), samples: 3 }));
  });
});

describe('a full table', () => {
  it('gives up the record with the fewest samples first, then the oldest', () => {
    const table = emptyTable();
    for (let peer = 1; peer <= 1024; peer += 1) hear(table, peer, peer, 2000 + peer);
    hear(table, 7, 5000); // 7 has three samples, all others two
    hear(table, 5000, 6000); // 1 is the oldest of those with two
    hear(table, 5001, 6001); // 5000 has one sample
    hear(table, 7, 6002);
    const kept = new Set(closeAll(table).map(({ peerEphId }) => Buffer.from(peerEphId).readUIntBE(0, 6)));
    expect(kept.has(1)).toBe(false);
    expect(kept.has(2)).toBe(true);
    expect(kept.has(7)).toBe(true);
    expect(kept.size).toBe(1023);
    expect(table.evicted).toBe(1);
  });

  it('is full by epoch', () => {
    const table = emptyTable();
    for (let peer = 1; peer <= 1024; peer += 1) hear(table, peer, EPOCH_MS - 1);
    hear(table, 2000, EPOCH_MS);
    expect(openCount(table)).toBe(1025);
    hear(table, 2001, EPOCH_MS - 1);
    expect(openCount(table)).toBe(1025);
  });
});
