import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADVERT_AIRTIME_MS, captures, overlap } from '../../radio/air/collision.js';
import { INDOOR, distanceMetres, linkKey, meanPathLossDb, shadowingDb } from '../../radio/air/propagation.js';

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('propagation', () => {
  it('agrees with free space at one metre and 2.44 GHz, body loss apart', () => {
    const friisDb = 20 * Math.log10((4 * Math.PI * 2.44e9) / 299_792_458);
    expect(Math.abs(meanPathLossDb(1, { ...INDOOR, bodyLossDb: 0 }) - friisDb)).toBeLessThan(0.1);
  });

  it('loses ten times the exponent with each tenfold distance', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 100, noNaN: true }),
        fc.double({ min: 1.5, max: 5, noNaN: true }),
        (d, n) => {
          const settings = { ...INDOOR, exponent: n };
          expect(meanPathLossDb(10 * d, settings) - meanPathLossDb(d, settings)).toBeCloseTo(10 * n, 6);
        },
      ),
    );
  });

  it('measures distance in three dimensions', () => {
    expect(distanceMetres({ x: 1, y: 2 }, { x: 3, y: 5, z: 6 })).toBe(7);
  });

  it('shadows a link the same both ways, and another link or seed differently', () => {
    fc.assert(
      fc.property(word, word, word, fc.integer({ min: 0, max: 1e12 }), (seed, a, b, atMs) => {
        fc.pre(a !== b);
        const there = shadowingDb(seed, linkKey(a, b), atMs, INDOOR);
        expect(shadowingDb(seed, linkKey(b, a), atMs, INDOOR)).toBe(there);
        expect(shadowingDb(seed ^ 1, linkKey(a, b), atMs, INDOOR)).not.toBe(there);
        expect(shadowingDb(seed, linkKey(a, b ^ 1), atMs, INDOOR)).not.toBe(there);
      }),
    );
  });

  it('has the deviation it is set to at every phase of its period', () => {
    const phases = [0, 0.25, 0.5, 0.9].map((part) => part * INDOOR.shadowingPeriodMs);
    for (const phase of phases) {
      const values = Array.from({ length: 20_000 }, (_, i) =>
        shadowingDb(7, linkKey(i, i + 1_000_000), phase, INDOOR),
      );
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
      expect(Math.abs(deviation - INDOOR.shadowingDb)).toBeLessThan(0.1);
      expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / values.length)).toBeLessThan(0.1);
    }
  });

  it('drifts slowly and keeps its lasting part', () => {
    const at = (ms: number) => (i: number) => shadowingDb(7, linkKey(i, i + 1_000_000), ms, INDOOR);
    const correlation = (ms: number): number => {
      let product = 0;
      for (let i = 0; i < 20_000; i++) product += at(0)(i) * at(ms)(i);
      return product / 20_000 / INDOOR.shadowingDb ** 2;
    };
    expect(correlation(300)).toBeGreaterThan(0.97);
    expect(correlation(10 * INDOOR.shadowingPeriodMs)).toBeCloseTo(INDOOR.shadowingLasting, 1);
  });
});

describe('collisions', () => {
  it('happen within one packet and spare the one that is 6 dB stronger', () => {
    expect(overlap(100, 100 + ADVERT_AIRTIME_MS - 0.001)).toBe(true);
    expect(overlap(100, 100 + ADVERT_AIRTIME_MS)).toBe(false);
    expect([captures(-60, -66), captures(-60, -65.9), captures(-66, -60)]).toEqual([true, false, false]);
  });
});
