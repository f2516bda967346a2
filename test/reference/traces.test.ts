/** The reference and the tracer against traces that an independent program made from real recordings. */
import { describe, expect, it } from 'vitest';
import type { Contact } from '../../tracer/contact.js';
import { trace } from '../../tracer/looks/trace.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
import { recordedFile } from '../recordings.js';
import vectors from '../vectors/traces.json' with { type: 'json' };
import { closeContacts, referenceTrace } from './brute-force.js';
import { pathFaults } from './path-faults.js';
import { builtInContacts, contactsOfFile } from './recorded-contacts.js';
import { plainView } from './views.js';
import type { StagedView } from './views.js';

type Reached = Record<string, readonly number[]>;

function windowOf(contacts: readonly Contact[]) {
  return {
    from: contacts.reduce((first, { start }) => Math.min(first, start), Infinity),
    to: contacts.reduce((last, { end }) => Math.max(last, end), -Infinity),
  };
}

function expectTrace(
  contacts: readonly Contact[],
  { view, options }: StagedView,
  request: TraceRequest,
  reached: Reached | undefined,
): void {
  const result = trace(view, request, options);
  const reference = referenceTrace(contacts, request);
  const rows = (
    list: readonly { person: string | number; hop: number; exposedAt: number; earliestAt: number }[],
  ) =>
    Object.fromEntries(
      list.map(({ person, hop, exposedAt, earliestAt }) => [person, [hop, exposedAt, earliestAt]]),
    );
  if (reached !== undefined) expect(rows(reference.reached)).toEqual(reached);
  expect(rows(result.reached)).toEqual(rows(reference.reached));
  result.reached.forEach((row, place) =>
    expect(row.score).toBeCloseTo(reference.reached[place]?.score ?? NaN, 12),
  );
  const direction = request.direction === 'backward' ? 'backward' : 'forward';
  const close = closeContacts(contacts, request);
  for (const row of result.reached) expect(pathFaults(close, request, row, direction)).toEqual([]);
}

const files = [...new Set(vectors.traces.map(({ file }) => file))];

describe.each(files)('on %s', (name) => {
  const file = recordedFile(name);
  if (file === undefined) {
    it('the tracer says what the definitions say on the built-in scenario instead', () => {
      const { contacts, indexCase } = builtInContacts();
      const common = {
        case: String(indexCase),
        hops: 3,
        minSeconds: 900,
        latentSeconds: 3600,
        ...windowOf(contacts),
      };
      const staged = plainView(contacts);
      expectTrace(contacts, staged, { ...common, direction: 'forward' }, undefined);
      expectTrace(contacts, staged, { ...common, direction: 'backward' }, undefined);
    });
    return;
  }
  const contacts = contactsOfFile(file);
  const staged = plainView(contacts);
  const window = windowOf(contacts);
  const traces = vectors.traces.filter((vector) => vector.file === name);
  it.each(traces.map((vector, place) => ({ place, vector })))(
    'the definitions and the tracer both give trace $place: $vector.direction from $vector.case',
    ({ vector }) => {
      const { direction, hops, latentSeconds, minSeconds, infectiousSeconds } = vector;
      const request = {
        case: vector.case,
        direction: direction as 'forward',
        hops,
        latentSeconds,
        minSeconds,
        ...window,
      };
      const infectious = infectiousSeconds === undefined ? {} : { infectiousSeconds };
      expectTrace(contacts, staged, { ...request, ...infectious }, vector.reached);
    },
  );
});
