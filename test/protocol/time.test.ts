import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayOf, dayOfEpoch, epochOf, EPOCH_SECONDS, firstEpochOfDay, minuteOf } from '../../protocol/time.js';
import { u32 } from './arbitraries.js';
import { codeOf } from './errors-of.js';
import { vectors } from './tag-vectors.js';

describe('time', () => {
  test('is cut into epochs, minutes and days as in the vectors', () => {
    expect(epochOf(vectors.receivedAt)).toBe(vectors.epoch);
    expect(dayOf(vectors.receivedAt)).toBe(vectors.day);
    expect(minuteOf(vectors.recordBFields.start)).toBe(vectors.minute);
  });

  test('of an epoch lies in its day, from its start', () => {
    fc.assert(
      fc.property(u32(), (seconds) => {
        const epoch = epochOf(seconds);
        const start = epoch * EPOCH_SECONDS;
        expect(epochOf(start)).toBe(epoch);
        expect(seconds - start).toBeLessThan(900);
        expect(dayOfEpoch(epoch)).toBe(dayOf(seconds));
        expect(epoch - firstEpochOfDay(dayOf(seconds))).toBeLessThan(96);
      }),
    );
  });

  test('before 1970 has no epoch', () => {
    expect(codeOf(() => epochOf(-1))).toBe('format');
  });
});
