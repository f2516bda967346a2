import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../radio/random.js';
import type { Random } from '../../radio/random.js';

const draws = (count: number, random: Random, draw: (random: Random) => number) =>
  Array.from({ length: count }, () => draw(random));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]) => {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
};

describe('seeded randomness', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const of = (seed: string) => draws(20, seededRandom(seed), (random) => random.uint32());
    expect(of('a')).toEqual(of('a'));
    expect(of('a')).not.toEqual(of('b'));
  });

  it('forks streams that drawing elsewhere does not shift', () => {
    const one = seededRandom(1);
    const before = one.fork('tag').uint32();
    one.uint32();
    expect(one.fork('tag').uint32()).toBe(before);
    expect(one.fork('tag 2').uint32()).not.toBe(before);
  });

  it('is uniform, and normal where it should be', () => {
    const random = seededRandom('moments');
    const uniform = draws(50_000, random, () => random.next());
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
    expect(mean(uniform)).toBeCloseTo(0.5, 2);
    expect(variance(uniform)).toBeCloseTo(1 / 12, 2);
    const normal = draws(50_000, random, () => random.normal());
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(variance(normal)).toBeCloseTo(1, 1);
  });

  it('draws whole numbers below a bound, numbers between two, and bytes', () => {
    const random = seededRandom('ranges');
    expect(new Set(draws(500, random, () => random.below(6)))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    expect(draws(100, random, () => random.between(5, 6)).every((value) => value >= 5 && value < 6)).toBe(
      true,
    );
    expect(new Set(random.bytes(4_096)).size).toBe(256);
  });
});
