import { describe, expect, it } from 'vitest';
import { readContactsFile } from '../../firmware-sim/recorded/contacts-file.js';
import { SCENARIO_START, scenarioLines, wardAndHub } from '../../firmware-sim/scenario/scenario.js';
import { recordedFile } from '../recordings.js';
import vectors from '../vectors/traces.json' with { type: 'json' };
import { forwardTrace } from './reference-trace.js';

describe('the built-in scenario', () => {
  const { recording, indexCase } = wardAndHub();

  it('is about 200 people over three days from a fixed date', () => {
    expect(recording.persons).toHaveLength(200);
    expect(recording.startMs).toBeGreaterThanOrEqual(SCENARIO_START * 1000);
    expect(recording.endMs).toBeLessThanOrEqual((SCENARIO_START + 3 * 86_400) * 1000);
    expect((recording.endMs - recording.startMs) / 86_400_000).toBeGreaterThan(2.9);
  });

  it('is the same for the same seed and another for another', () => {
    expect(wardAndHub().recording).toEqual(recording);
    expect(scenarioLines(2)).not.toEqual(scenarioLines(1));
  });

  it('has an index case whose trace at the defaults has two hops and a good number of people', () => {
    const reached = forwardTrace(recording, indexCase, { hops: 3, latentSeconds: 172_800, minSeconds: 900 });
    const hops = [...reached.values()].map(([hop]) => hop);
    expect(reached.size).toBeGreaterThanOrEqual(15);
    expect(hops.filter((hop) => hop === 2).length).toBeGreaterThanOrEqual(5);
    const places = new Set([...reached.keys()].map((person) => Math.floor(person / 100)));
    expect(places.size).toBeGreaterThanOrEqual(3); // patients, colleagues, fellow travellers
  });
});

const forward = vectors.traces.filter(
  ({ direction, infectiousSeconds }) => direction === 'forward' && infectiousSeconds === undefined,
);

/** So that what the tests of this room compare with is itself known to be right. */
describe.each([...new Set(forward.map(({ file }) => file))])('the reference trace on %s', (name) => {
  const path = recordedFile(name);

  it.skipIf(path === undefined)('gives the published forward traces, as this room reads them', async () => {
    const recording = await readContactsFile(path ?? '');
    for (const trace of forward.filter(({ file }) => file === name)) {
      const reached = forwardTrace(recording, Number(trace.case), trace);
      const expected = Object.entries(trace.reached).map(([person, row]) => [Number(person), row] as const);
      expect(new Map([...reached].sort())).toEqual(new Map(expected.sort()));
    }
  });
});
