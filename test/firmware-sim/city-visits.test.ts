/** Whoever visits is somewhere that there is. */
import { afterEach, expect, test, vi } from 'vitest';
import { makeDay } from '../../firmware-sim/city/day.js';
import { settlePeople } from '../../firmware-sim/city/population.js';
import { Visits } from '../../firmware-sim/city/visits.js';

afterEach(() => void vi.restoreAllMocks());

/** Of the shops of a city: places of visits, in the order of the visits. */
function shopsVisited(people: number): readonly number[] {
  const settings = { people, days: 1, seed: 'hill', firstDay: 20_517, contactsPerDay: 20 };
  const add = vi.spyOn(Visits.prototype, 'add');
  makeDay(settings, settlePeople(settings), settings.firstDay);
  const [coaches, shops] = new Set(add.mock.contexts);
  expect([coaches, shops].every((visits) => visits instanceof Visits)).toBe(true);
  const places = add.mock.calls.filter((_, call) => add.mock.contexts[call] === shops);
  add.mockRestore();
  return places.map(([, place]) => place);
}

test.each([
  { people: 300, shops: 1 },
  { people: 600, shops: 2 },
  { people: 999, shops: 2 },
  { people: 1200, shops: 3 },
])('in a city of $people, every shop visited is one of $shops', ({ people, shops }) => {
  const visited = shopsVisited(people);
  expect(visited.length).toBeGreaterThan(people / 2);
  const numbers = [...new Set(visited)].sort((x, y) => x - y);
  expect(numbers).toEqual(Array.from({ length: shops }, (_, shop) => shop));
});

test.each([-1, 2, 0.5, NaN])('nobody visits place %d of two', (place) => {
  expect(() => new Visits(2).add(1, place, 40)).toThrow('there is no such place');
});
