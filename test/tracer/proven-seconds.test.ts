/** What a side is credited of one ephemeral ID, whatever its tag tells: no more than it heard; and of an honest tag, all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSample, closeRecord, openRecord } from '../../firmware-sim/tag/open-record.js';
import type { Sample } from '../../firmware-sim/tag/open-record.js';
import { PresenceTable } from '../../gateway/presence-table.js';
import { asTagNumber } from '../../protocol/brands.js';
import { beaconMac } from '../../protocol/tag/beacon.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { authKeyOf } from '../../protocol/tag/ephemeral-id.js';
import { DEFAULT_SETTINGS, REPLAY_SETTINGS } from '../../protocol/settings.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { dayOf, minuteOf } from '../../protocol/time.js';
import { judgeProofs } from '../../tracer/records/beacon-proof.js';
import { contactOfTestimonies } from '../../tracer/contacts/live-contact.js';
import { testimonyOf } from '../../tracer/records/testimony.js';
import { dayKeys, ephIdOf, epochAt, NOON } from './deployment.js';

const HOLD = 30;
const [reporter, peer] = [asTagNumber(1), asTagNumber(2)];
const epoch = epochAt(NOON);
const ephId = ephIdOf(peer, epoch);
const { macKey } = dayKeys(dayOf(NOON));
const POWER = -4;

/** Of the beacon that the peer sends in this minute. */
const macOf = (minute: number) => beaconMac(authKeyOf(macKey, ephId), POWER, ephId, minute);

function recordWith(
  told: Pick<EncounterRecord, 'start' | 'durationSeconds' | 'bucketSeconds' | 'proofA' | 'proofB'>,
) {
  const levels = { minAttenuationDb: 40, medianAttenuationDb: 40, peerTxPowerDbm: POWER };
  return { ...told, ...levels, peerEphId: ephId, samples: 2 };
}

function testimoniesOf(records: readonly EncounterRecord[], sampleHoldSeconds = HOLD) {
  return records.flatMap((record, ledgerIndex) => {
    const { valid } = judgeProofs(record, ephId, macKey, sampleHoldSeconds);
    if (valid === 0) return [];
    const heard = { reporter, peer: { tag: peer, epoch }, beacons: valid, sampleHoldSeconds, ledgerIndex };
    return [testimonyOf(record, heard)];
  });
}

const creditedTo = (records: readonly EncounterRecord[]): number =>
  contactOfTestimonies(testimoniesOf(records))?.bucketSeconds.reduce((sum, seconds) => sum + seconds) ?? 0;

/** A record of somebody who has the MACs of some minutes and tells what suits him. */
const toldFrom = (minutes: readonly number[]) => {
  const beacon = fc.constantFrom(...minutes);
  const seconds = fc.constantFrom(0, 30, 90, 900, 65_535);
  return fc
    .record({
      first: beacon,
      last: beacon,
      early: fc.constantFrom(-1, 0, 1, 2, -12),
      late: fc.constantFrom(-1, 0, 1, 2),
      second: fc.nat(59),
      length: fc.constantFrom(-61, -60, -1, 0, 1, 30, 60, 90, 900),
      firstOffset: fc.constantFrom(0, 0, 0, 1, 200),
      isForged: fc.constantFrom('first', 'last', 'none', 'none'),
      bucketSeconds: fc.tuple(seconds, seconds, seconds, seconds),
    })
    .map(({ first, last, early, late, second, length, firstOffset, isForged, bucketSeconds }) => {
      const start = 60 * (first + early) + second;
      const lastOffset = Math.min(255, Math.max(0, last + late - minuteOf(start)));
      const wrong = new Uint8Array(6);
      return recordWith({
        start,
        durationSeconds: Math.max(0, 60 * lastOffset + length),
        bucketSeconds,
        proofA: { minuteOffset: firstOffset, mac: isForged === 'first' ? wrong : macOf(first) },
        proofB: { minuteOffset: lastOffset, mac: isForged === 'last' ? wrong : macOf(last) },
      });
    });
};

describe('the seconds credited of one ephemeral ID', () => {
  it('are never more than lie between the first and the last beacon heard, whatever is told in how many records', () => {
    const base = minuteOf(NOON);
    const heard = fc.uniqueArray(fc.nat(14), { minLength: 1, maxLength: 3 });
    const cases = heard.chain((places) => {
      const minutes = places.map((place) => base + place);
      return fc.tuple(fc.constant(minutes), fc.array(toldFrom(minutes), { minLength: 1, maxLength: 20 }));
    });
    fc.assert(
      fc.property(cases, ([minutes, records]) => {
        const slack = 2; // a clock may be a minute off at either end
        const apart = Math.max(...minutes) - Math.min(...minutes) + 1 + slack;
        expect(creditedTo(records)).toBeLessThanOrEqual(60 * apart + HOLD);
      }),
      { numRuns: 300 },
    );
  });

  it('are a minute and the hold for one beacon that is told as one of two, in however many records', () => {
    const heard = minuteOf(NOON) + 10;
    const wrong = { minuteOffset: 0, mac: new Uint8Array(6) };
    const all = { bucketSeconds: [90, 0, 0, 0] as const, proofB: wrong };
    const proofA = { minuteOffset: 0, mac: macOf(heard) };
    const short = Array.from({ length: 12 }, (_, k) =>
      recordWith({ ...all, proofA, start: 60 * heard + k, durationSeconds: 1 }),
    );
    expect(creditedTo(short)).toBe(1);
    const long = Array.from({ length: 12 }, (_, k) =>
      recordWith({ ...all, proofA, start: 60 * heard + k, durationSeconds: 1000 }),
    );
    expect(creditedTo(long)).toBe(60 + HOLD);
  });

  it('are all that an honest tag noted, at any time of its clock and the peer’s', () => {
    const gaps = fc.array(fc.integer({ min: 900, max: 100_000 }), { minLength: 1, maxLength: 40 });
    const settings = fc.constantFrom(DEFAULT_SETTINGS, REPLAY_SETTINGS);
    const whole = fc.property(
      fc.nat(899_999),
      gaps,
      fc.integer({ min: -59_999, max: 59_999 }),
      settings,
      (offsetMs, gapsMs, clockMs, own) => {
        const [first, ...rest] = samplesFrom(NOON * 1000 + offsetMs, gapsMs, clockMs);
        const open = openRecord(first!, own);
        for (const sample of rest) addSample(open, sample, own);
        const record = closeRecord(open, own);
        const { start, durationSeconds, bucketSeconds } = record;
        expect(testimoniesOf([record], own.sampleHoldSeconds)).toMatchObject([
          { start, end: start + durationSeconds, bucketSeconds, partial: false },
        ]);
        for (const seen of seenAt([first!, ...rest], own))
          expect(judgeProofs(seen, ephId, macKey, own.sampleHoldSeconds)).toEqual({
            ...{ valid: 2, isStartProven: true, capSeconds: seen.durationSeconds },
          });
      },
    );
    fc.assert(whole, { numRuns: 200 });
  });
});

/** No longer than the epoch and the two minutes after it that a record is open. */
function samplesFrom(fromMs: number, gapsMs: readonly number[], clockMs: number): Sample[] {
  let atMs = fromMs;
  const times = [fromMs, ...gapsMs.map((gap) => (atMs += gap))];
  const dueMs = (Math.floor(fromMs / 900_000) + 1) * 900_000 + 120_000;
  return times
    .filter((time) => time < dueMs)
    .map((time) => {
      const mac = macOf(Math.floor((time + clockMs) / 60_000));
      return { atMs: time, ephId, mac, txPowerDbm: POWER, rssiDbm: -50 };
    });
}

/** The same beacons as a gateway notes them; nothing when there is only one. */
function seenAt(samples: readonly Sample[], { beaconIntervalMs, rssiFloorDbm }: ProtocolSettings) {
  const table = new PresenceTable({ maxOpen: 4, maxRecords: 4, beaconIntervalMs, rssiFloorDbm });
  for (const { atMs, mac, txPowerDbm, rssiDbm } of samples)
    table.hear({ ephId, mac, txPowerDbm }, rssiDbm, atMs);
  return table.closeAll();
}
