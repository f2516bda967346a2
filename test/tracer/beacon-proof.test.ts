import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asTagNumber } from '../../protocol/brands.js';
import { beaconMac } from '../../protocol/tag/beacon.js';
import { fromHex } from '../../protocol/bytes.js';
import { decodeEncounterRecord } from '../../protocol/tag/encounter-record.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { authKeyOf } from '../../protocol/tag/ephemeral-id.js';
import { dayOf, minuteOf } from '../../protocol/time.js';
import { capBuckets, judgeProofs } from '../../tracer/records/beacon-proof.js';
import vectors from '../vectors/beacon-proofs.json' with { type: 'json' };
import { dayKeys, ephIdOf, epochAt, NOON, recordOf } from './deployment.js';

const { macKey } = dayKeys(dayOf(NOON));
const ephId = ephIdOf(asTagNumber(3), epochAt(NOON));
const WRONG = new Uint8Array(6).fill(255);

/** The MAC of a beacon the peer sent `minutes` after the minute of NOON, said to be heard `offset` after it. */
function proof(minutes: number, offset = minutes) {
  return {
    minuteOffset: offset,
    mac: beaconMac(authKeyOf(macKey, ephId), -4, ephId, minuteOf(NOON) + minutes),
  };
}

const judge = (changes: Partial<EncounterRecord>, hold = 30) =>
  judgeProofs({ ...recordOf(3, NOON, 600), ...changes }, ephId, macKey, hold);

describe('beacon proofs', () => {
  it.each(vectors.cases)('are judged as by an independent implementation: $name', (known) => {
    const { record, valid, isStartProven, capSeconds } = known;
    const told = decodeEncounterRecord(fromHex(record));
    const verdict = judgeProofs(told, told.peerEphId, fromHex(vectors.macKey), vectors.sampleHoldSeconds);
    expect(verdict).toEqual({ valid, isStartProven, capSeconds });
  });

  it('both valid credit the minutes up to the last and the hold, at most the duration', () => {
    const capOf = (changes: Partial<EncounterRecord>, hold?: number) => judge(changes, hold).capSeconds;
    expect(capOf({ proofA: proof(0), proofB: proof(10) })).toBe(600);
    expect(capOf({ proofA: proof(0), proofB: proof(4) })).toBe(330);
    expect(capOf({ proofA: proof(0), proofB: proof(2) }, 10)).toBe(190);
    expect(capOf({ start: NOON + 50, proofA: proof(0), proofB: proof(4) })).toBe(280);
    expect(capOf({ proofA: proof(0), proofB: proof(0), durationSeconds: 40 })).toBe(40);
  });

  it('a clock may be one minute away and no more', () => {
    const validOf = (sent: number, heard: number) =>
      judge({ proofA: { minuteOffset: 0, mac: WRONG }, proofB: proof(sent, heard) }).valid;
    expect([3, 4, 5, 6, 7].map((sent) => validOf(sent, 5))).toEqual([0, 1, 1, 1, 0]);
  });

  it('do not hold for another claimed power, another ID or another key', () => {
    const record = recordOf(3, NOON, 600);
    const other = ephIdOf(asTagNumber(4), epochAt(NOON));
    expect(judge({ peerTxPowerDbm: 0 }).valid).toBe(0);
    expect(judgeProofs(record, other, macKey, 30).valid).toBe(0);
    expect(judgeProofs(record, ephId, dayKeys(1).macKey, 30).valid).toBe(0);
    expect(judgeProofs(record, ephId, macKey, 30).valid).toBe(2);
  });
});

describe('capping buckets', () => {
  it('cuts immediate first, then near, medium, other', () => {
    const buckets = [100, 50, 30, 20] as const;
    expect(capBuckets(buckets, 200)).toEqual([100, 50, 30, 20]);
    expect(capBuckets(buckets, 150)).toEqual([50, 50, 30, 20]);
    expect(capBuckets(buckets, 80)).toEqual([0, 30, 30, 20]);
    expect(capBuckets(buckets, 45)).toEqual([0, 0, 25, 20]);
    expect(capBuckets(buckets, 0)).toEqual([0, 0, 0, 0]);
  });

  it('leaves just the cap, or all when it is less, and never adds to a bucket', () => {
    const seconds = fc.nat(65_535);
    fc.assert(
      fc.property(fc.tuple(seconds, seconds, seconds, seconds), fc.nat(200_000), (buckets, cap) => {
        const kept = capBuckets(buckets, cap);
        const sum = (all: readonly number[]) => all.reduce((x, y) => x + y, 0);
        expect(sum(kept)).toBe(Math.min(cap, sum(buckets)));
        kept.forEach((bucket, place) => {
          expect(bucket).toBeGreaterThanOrEqual(0);
          expect(bucket).toBeLessThanOrEqual(buckets[place] ?? NaN);
        });
      }),
    );
  });
});
