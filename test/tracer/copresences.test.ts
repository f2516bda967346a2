/** What a walk by presence keeps: no more co-presences than there are arrivals, and each arrival's own. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { trace } from '../../tracer/looks/trace.js';
import { Arrivals } from '../../tracer/walk/arrivals.js';
import { Tables } from '../../tracer/walk/tables.js';
import type { ReferenceStay } from '../reference/brute-force.js';
import { referenceTrace } from '../reference/brute-force.js';
import { plainView } from '../reference/views.js';
import { asked, meeting } from './walk-stage.js';

const PEOPLE = 100;

/**
 * The case is at a gateway with others, and these are at another with as many more, whom each reaches by a better way than
 * the one before: sooner where they stay long, and else from a lower tag number.
 */
function betterAndBetter(): ReferenceStay[] {
  const infectors = Array.from({ length: PEOPLE }, (_, k) => PEOPLE - k);
  const others = Array.from({ length: PEOPLE }, (_, k) => PEOPLE + 1 + k);
  return [
    ...infectors.map((tag) => ({ tag, gateway: 0, start: 10_000, end: 20_000 })),
    ...infectors.slice(0, -1).map((tag) => ({ tag, gateway: 1, start: 30_000, end: 60_000 + 60 * tag })),
    ...others.map((tag) => ({ tag, gateway: 1, start: 30_000, end: tag % 2 === 0 ? 90_000 : 50_000 })),
  ];
}

it.each([
  ['the earliest arrivals', undefined],
  ['all arrivals', 1_000_000],
])('a walk by presence that keeps %s has no more co-presences than these', (_, infectiousSeconds) => {
  const added = vi.spyOn(Tables.prototype, 'addCopresence');
  const arrived = vi.spyOn(Arrivals.prototype, 'add');
  onTestFinished(() => {
    added.mockRestore();
    arrived.mockRestore();
  });
  const stays = betterAndBetter();
  const { view, options } = plainView([meeting(9_001, 9_002, 1_000)], stays);
  const changes = infectiousSeconds === undefined ? {} : { infectiousSeconds };
  const request = asked({ case: '1', hops: 2, minSeconds: 60, presence: true, ...changes });
  const { reached } = trace(view, request, { ...options, rounds: 'rows' });
  const reference = referenceTrace([meeting(9_001, 9_002, 1_000)], request, stays).reached;
  expect(reached.map(({ person, exposedAt }) => [Number(person), exposedAt])).toEqual(
    reference.map(({ person, exposedAt }) => [person, exposedAt]),
  );
  for (const { path, exposedAt } of reached)
    expect(path.at(-1)).toMatchObject({ end: exposedAt, gateway: expect.any(String) as string });
  const entries = added.mock.results.map(({ value }) => Number(value));
  expect(entries.length).toBeGreaterThan(10 * PEOPLE);
  expect(Math.max(...entries)).toBeLessThan(arrived.mock.results.length);
});
