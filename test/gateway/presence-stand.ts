/** A gateway's presence between a table of beacons and a post in the test's hands. */
import { expect } from 'vitest';
import { Presence } from '../../gateway/presence.js';
import { virtualClock } from '../../host/clock-virtual.js';
import { silentLog } from '../../protocol/log.js';
import { checkPresenceReport } from '../../protocol/session/presence-report.js';
import type { Beacon } from '../../protocol/tag/beacon.js';
import { atTheLedger, gateway, issuer } from '../protocol/tag-vectors.js';
import { NOW_MS, countingSequence, memoryStore, stand } from './stand.js';

export const beaconOf = (number: number): Beacon => ({
  txPowerDbm: -12,
  ephId: new Uint8Array(16).fill(number).fill(number >> 8, 0, 2),
  mac: new Uint8Array(6).fill(number),
});

/** A gateway's presence; `right.may` says whether the ledger takes its reports. Another one on the same `disk` is its next start. */
export async function started(
  disk = { store: memoryStore(), sequence: countingSequence() },
  fastMs = 0,
  log = silentLog,
) {
  const { book, courier } = await stand();
  const clock = virtualClock(NOW_MS + fastMs);
  const right = { may: true };
  const presence = new Presence({
    signer: gateway,
    issuerPublicKey: issuer.publicKey,
    book,
    ...disk,
    courier,
    clock,
    mayReport: () => right.may,
    settings: { beaconIntervalMs: 1000, rssiFloorDbm: -100, retentionDays: 14 },
    log,
  });
  await presence.open();
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
  return { presence, hear, courier, clock, reports, right, disk };
}
