import { describe, expect, it } from 'vitest';
import { Presence } from '../../gateway/presence.js';
import { FirebreakError } from '../../protocol/errors.js';
import { silentLog } from '../../protocol/log.js';
import { checkPresenceReport, openPresenceReport } from '../../protocol/presence-report.js';
import type { Beacon } from '../../protocol/beacon.js';
import { atTheLedger, dayKeysOf, gateway, issuer, vectors } from '../protocol/tag-vectors.js';
import { DAY_MS, countingSequence, stand } from './stand.js';

const beaconOf = (number: number): Beacon => ({
  txPowerDbm: -12,
  ephId: new Uint8Array(16).fill(number).fill(number >> 8, 0, 2),
  mac: new Uint8Array(6).fill(number),
});

async function started() {
  const { book, courier, clock } = await stand();
  const presence = new Presence({
    signer: gateway,
    issuerPublicKey: issuer.publicKey,
    book,
    sequence: countingSequence(),
    courier,
    clock,
    settings: { beaconIntervalMs: 1000, rssiFloorDbm: -100 },
    log: silentLog,
  });
  const hear = (count: number): void => {
    for (let number = 0; number < count; number += 1)
      for (const later of [0, 1000]) presence.hear(beaconOf(number), -60, clock.nowMs() + later);
  };
  const reports = () =>
    courier.items.map(({ payload, timeMs, type }) => {
      expect(type).toBe(2);
      const context = { ...atTheLedger, receivedAtMs: timeMs, gatewayPublicKey: gateway.publicKey };
      return checkPresenceReport(payload, context);
    });
  return { presence, hear, courier, clock, reports };
}

describe('presence at a gateway', () => {
  it('is sealed to the day’s key when the epoch is over, in reports that the ledger admits and the day keys open', async () => {
    const { presence, hear, clock, reports } = await started();
    hear(1030);
    await presence.report();
    expect(reports()).toEqual([]);
    await clock.advance(900_000 + 120_000);
    await presence.report();
    const sent = reports();
    expect(sent.map(({ seq, day }) => [seq, day])).toEqual([
      [0, vectors.day],
      [1, vectors.day],
    ]);
    const records = sent.flatMap((report) => openPresenceReport(report, dayKeysOf));
    expect(records).toHaveLength(1030);
    expect(records[0]).toMatchObject({ ephId: beaconOf(0).ephId, samples: 2, durationSeconds: 2 });
    expect(presence).toMatchObject({ reported: 1030, tagsInReach: 0, lost: 0, beacons: 2060 });
  });

  it('is reported whole though the clock is set back while a tag is heard', async () => {
    for (const backMs of [500, 5_000, 119_000, 121_000, 3_600_000, 2 * DAY_MS]) {
      const { presence, clock, reports } = await started();
      const nowMs = clock.nowMs();
      for (const ms of [0, 1_000, 1_000 - backMs, 2_000 - backMs])
        presence.hear(beaconOf(1), -60, nowMs + ms);
      for (const ms of [0, 1_000]) presence.hear(beaconOf(2), -60, nowMs + ms);
      await clock.advance(900_000 + 121_000);
      await presence.report();
      const records = reports().flatMap((report) => openPresenceReport(report, dayKeysOf));
      const ofDay = backMs > DAY_MS ? 4 : 6; // without the key of the day before yesterday
      expect(records.reduce((sum, { samples }) => sum + samples, 0)).toBe(ofDay);
      for (const { durationSeconds } of records) expect(durationSeconds).toBe(2);
      expect(reports().map(({ seq }) => seq)).toEqual(reports().map((_, at) => at));
    }
  });

  it('loses a record that no report can hold, and no other, and no number', async () => {
    const { presence, hear, clock, reports } = await started();
    hear(3);
    const impossible = { ...beaconOf(9), txPowerDbm: 300 };
    for (const later of [0, 1000]) presence.hear(impossible, -60, clock.nowMs() + later);
    await presence.finish();
    hear(1);
    await presence.finish();
    expect(reports().map((report) => openPresenceReport(report, dayKeysOf).length)).toEqual([3, 1]);
    expect(reports().map(({ seq }) => seq)).toEqual([0, 1]);
    expect(presence).toMatchObject({ reported: 4, lost: 1 });
  });

  it('waits while the spool is full, and is reported once then, under the number it had', async () => {
    const { presence, hear, courier, clock, reports } = await started();
    hear(2);
    await clock.advance(900_000 + 120_000);
    courier.failure = new FirebreakError('full', 'full');
    for (let turn = 0; turn < 3; turn += 1) await presence.report();
    courier.failure = undefined;
    await presence.report();
    await presence.report();
    expect(reports().map(({ seq }) => seq)).toEqual([0]);
    expect(presence.reported).toBe(2);
  });

  it('waits for a day key that has not arrived, without holding up other days', async () => {
    const { presence, hear, clock, reports } = await started();
    hear(1);
    await clock.advance(2 * DAY_MS);
    hear(1);
    await clock.advance(900_000 + 120_000);
    await presence.report();
    expect(reports().map(({ day }) => day)).toEqual([vectors.day]);
    expect(presence.reported).toBe(1);
  });

  it('is reported at once when the gateway leaves the air', async () => {
    const { presence, hear, reports } = await started();
    hear(3);
    await presence.finish();
    const [report] = reports();
    expect(report && openPresenceReport(report, dayKeysOf)).toHaveLength(3);
    await presence.finish();
    expect(reports()).toHaveLength(1);
  });
});
