import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairPlaces } from '../../gateway/fair-places.js';

const levelOf = (times: number): number => Math.min(10, Math.floor(Math.log2(times)));

/** Hears whom it is told to, and tells of each who lost their place, with how often they and the others were heard. */
function hearer(maxPlaces: number) {
  const places = new FairPlaces<number>(maxPlaces);
  const hear = (key: string) => {
    const before = places.entries();
    const times = (places.get(key) ?? 0) + 1;
    const anyoneWent = places.put(key, times, times);
    const still = new Set(places.entries().map(([one]) => one));
    const gone = before.filter(([one]) => !still.has(one));
    expect(gone).toHaveLength(anyoneWent ? 1 : 0);
    return { gone: gone[0], before };
  };
  return { places, hear };
}

describe('places for those who are heard', () => {
  it('are never more than there are, and each level keeps its share, whatever is heard', () => {
    const heard = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 400 });
    fc.assert(
      fc.property(heard, (keys) => {
        const { places, hear } = hearer(23);
        for (const key of keys) {
          const { gone, before } = hear(String(key));
          expect(places.size).toBeLessThanOrEqual(23);
          if (gone === undefined) continue;
          const level = levelOf(gone[1]);
          const beside = before.filter(([, times]) => levelOf(times) === level);
          expect(beside.length).toBeGreaterThan(2);
          expect(gone).toEqual(beside[0]); // the one heard longest ago
        }
      }),
    );
  });

  it('are told from most heard to least, and one that is removed is gone', () => {
    const { places, hear } = hearer(23);
    for (const key of ['a', 'b', 'b', 'b', 'b', 'c', 'c']) hear(key);
    expect(places.entries()).toEqual([
      ['b', 4],
      ['c', 2],
      ['a', 1],
    ]);
    places.remove('b');
    places.remove('nobody');
    expect([places.get('b'), places.size]).toEqual([undefined, 2]);
  });

  it('make room even when there are fewer of them than levels', () => {
    const { places, hear } = hearer(3);
    for (const key of ['a', 'a', 'b', 'c', 'd', 'e']) hear(key);
    expect(places.entries().map(([key]) => key)).toEqual(['a', 'd', 'e']);
  });
});
