import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readContactsFile } from '../../firmware-sim/contacts-file.js';
import { SCENARIO_START, scenarioLines, wardAndHub } from '../../firmware-sim/scenario.js';
import { forwardTrace } from './reference-trace.js';

const shared = fileURLToPath(new URL('../../../shared/', import.meta.url));

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

const traces = z.object({
  traces: z.array(
    z.object({
      file: z.string(),
      case: z.string(),
      direction: z.string(),
      hops: z.number(),
      latentSeconds: z.number(),
      minSeconds: z.number(),
      infectiousSeconds: z.number().optional(),
      reached: z.record(z.string(), z.tuple([z.number(), z.number(), z.number()])),
    }),
  ),
});

/** So that what the tests of this room compare with is itself known to be right. */
describe.skipIf(!existsSync(`${shared}vectors/traces.json`))('the reference trace of these tests', () => {
  it('gives the published forward traces, on the recordings as this room reads them', async () => {
    const known = traces.parse(JSON.parse(readFileSync(`${shared}vectors/traces.json`, 'utf8'))).traces;
    const forward = known.filter(
      (trace) => trace.direction === 'forward' && trace.infectiousSeconds === undefined,
    );
    expect(forward.length).toBeGreaterThan(3);
    for (const trace of forward) {
      const recording = await readContactsFile(`${shared}data/contacts/${trace.file}`);
      const reached = forwardTrace(recording, Number(trace.case), trace);
      const expected = Object.entries(trace.reached).map(([person, row]) => [Number(person), row] as const);
      expect(new Map([...reached].sort())).toEqual(new Map(expected.sort()));
    }
  });
});
