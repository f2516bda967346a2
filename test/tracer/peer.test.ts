import { describe, expect, it } from 'vitest';
import { asTagNumber } from '../../protocol/brands.js';
import { dayOf } from '../../protocol/time.js';
import { resolvePeer } from '../../tracer/records/peer.js';
import { dayKeys, ephIdOf, epochAt, NOON } from './deployment.js';

const TAG = asTagNumber(3);
const MIDNIGHT = dayOf(NOON) * 86_400;
const LATE = 86_399;

/** Who is found behind the tag's ID of the epoch at `idAt`, in a record that starts at `start`. */
const found = (idAt: number, start: number) =>
  resolvePeer(ephIdOf(TAG, epochAt(idAt)), start, (day) => dayKeys(day))?.epoch;

describe('resolving a peer', () => {
  it('finds an ID of the record’s epoch and of those next to it, and no other', () => {
    for (const later of [-1, 0, 1]) expect(found(NOON + 900 * later, NOON)).toBe(epochAt(NOON, later));
    for (const later of [-2, 2]) expect(found(NOON + 900 * later, NOON)).toBeUndefined();
  });

  it('tries the day before up to 120 s after midnight', () => {
    const idAt = MIDNIGHT - 1;
    expect(found(idAt, MIDNIGHT)).toBe(epochAt(idAt));
    expect(found(idAt, MIDNIGHT + 120)).toBe(epochAt(idAt));
    expect(found(idAt, MIDNIGHT + 121)).toBeUndefined();
  });

  it('tries the day after from 120 s before midnight on', () => {
    expect(found(MIDNIGHT, MIDNIGHT - 1)).toBe(epochAt(MIDNIGHT));
    expect(found(MIDNIGHT, MIDNIGHT - 120)).toBe(epochAt(MIDNIGHT));
    expect(found(MIDNIGHT, MIDNIGHT - 121)).toBeUndefined();
  });

  it('finds nobody without the key of the day, nor behind an ID that is not ours', () => {
    expect(resolvePeer(ephIdOf(TAG, epochAt(NOON)), NOON, () => undefined)).toBeUndefined();
    expect(resolvePeer(new Uint8Array(16), NOON, (day) => dayKeys(day))).toBeUndefined();
    expect(found(NOON, NOON + LATE)).toBeUndefined();
  });
});
