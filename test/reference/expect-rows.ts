/** A walk of the tracer against the same walk by the definitions, row by row. */
import { expect } from 'vitest';
import type { Contact } from '../../tracer/contact.js';
import type { ReachedPerson, WalkRequest } from '../../tracer/looks/trace-result.js';
import type { ReferenceRow } from './brute-force.js';
import { contactOf, pathFaults } from './path-faults.js';

/** Who, when, by which step and with which score; and every path holds. `close`: what the trace may walk over. */
export function expectRows(
  rows: readonly ReachedPerson[],
  expected: readonly ReferenceRow[],
  close: readonly Contact[],
  request: WalkRequest,
  direction: 'forward' | 'backward',
): void {
  expect(
    rows.map(({ person, hop, exposedAt, earliestAt }) => [Number(person), hop, exposedAt, earliestAt]),
  ).toEqual(expected.map(({ person, hop, exposedAt, earliestAt }) => [person, hop, exposedAt, earliestAt]));
  rows.forEach((row, place) => {
    expect(row.score).toBeCloseTo(expected[place]?.score ?? NaN, 12);
    const step = direction === 'forward' ? row.path.at(-1) : row.path[0];
    const contact = step && contactOf(step, close);
    const neighbour = direction === 'forward' ? step?.from : step?.to;
    expect([contact?.attenuationDb, step?.nearSeconds, Number(neighbour)]).toEqual(expected[place]?.via);
    expect(pathFaults(close, request, row, direction)).toEqual([]);
  });
}
