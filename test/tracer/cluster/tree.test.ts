/** Transmission trees against all trees there are, on small random graphs, and against what a tree must be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traceCases } from '../../../tracer/cluster/case-traces.js';
import type { TracedCase } from '../../../tracer/cluster/case-traces.js';
import type { ClusterRequest, TransmissionTree } from '../../../tracer/cluster/cluster-result.js';
import { Turns } from '../../../tracer/turns.js';
import { UNRECORDED } from '../../../tracer/cluster/model.js';
import { bestTree } from '../../../tracer/cluster/tree.js';
import { stepChance } from '../../../tracer/cluster/ways.js';
import { plainView } from '../../reference/views.js';
import { drawnCases, drawnContacts, END } from './drawn.js';
import type { Contact } from '../../../tracer/contact.js';
import { trace } from '../../../tracer/looks/trace.js';
import type { PathStep } from '../../../tracer/looks/trace-result.js';

const HOUR = 3600;

const drawnTiming = fc.record({
  latentSeconds: fc.constantFrom(0, HOUR, 8 * HOUR),
  infectiousSeconds: fc.constantFrom(undefined, 4 * HOUR, 20 * HOUR),
});

type Timing = typeof drawnTiming extends fc.Arbitrary<infer T> ? T : never;

async function prepared(contacts: readonly Contact[], cases: ClusterRequest['cases'], timing: Timing) {
  const { latentSeconds, infectiousSeconds } = timing;
  const request: ClusterRequest = {
    ...{ cases, hops: 3, from: 0, to: END, minSeconds: 0, latentSeconds },
    ...(infectiousSeconds !== undefined && { infectiousSeconds }),
  };
  const { view, options } = plainView(contacts);
  const traced = await traceCases(async (asked) => trace(view, asked, options), request, new Turns());
  const people = [...new Set(traced.flatMap(({ sources }) => [...sources.keys()]))];
  return { traced, people, settings: { from: 0, ...timingOf(timing) } };
}

const timingOf = ({ latentSeconds, infectiousSeconds }: Timing) => ({
  latentSeconds,
  ...(infectiousSeconds !== undefined && { infectiousSeconds }),
});

/** What is wrong with a tree; nothing for a good one. Written from docs/clusters.md. */
function faults(edges: readonly PathStep[], cases: readonly TracedCase[], timing: Timing): string[] {
  const wrong: string[] = [];
  for (const edge of edges) {
    if (edges.filter(({ to }) => to === edge.to).length > 1) wrong.push(`${edge.to} is infected twice`);
    const due = cases.find(({ tag }) => tag === edge.to)?.due ?? Infinity;
    if (edge.end > due) wrong.push(`${edge.to} is infected after it fell ill`);
    const before = edges.find(({ to }) => to === edge.from);
    if (before === undefined) {
      const first = Math.min(...edges.filter(({ from }) => from === edge.from).map(({ start }) => start));
      if (edge.start - first > (timing.infectiousSeconds ?? Infinity))
        wrong.push(`${edge.from} is infectious for longer than a period`);
      continue;
    }
    const since = edge.start - before.end - timing.latentSeconds;
    if (since < 0 || since > (timing.infectiousSeconds ?? Infinity))
      wrong.push(`${edge.from} is not infectious`);
  }
  return wrong;
}

const isKnown = ({ from, to, start, end }: PathStep, contacts: readonly Contact[]): boolean =>
  contacts.some(
    ({ a, b, ...contact }) =>
      contact.start === start &&
      contact.end === end &&
      [Number(from), Number(to)].sort((x, y) => x - y).join() === [a, b].join(),
  );

/** Over every choice of a path or none for each case, and every hidden source or none. */
function bestByHand(cases: readonly TracedCase[], people: readonly string[], timing: Timing): number {
  const tags = new Set(cases.map(({ tag }) => tag));
  const hidden = people.filter((person) => !tags.has(person));
  const choices = cases.map(({ sources }) => [[], ...[...sources.values()].map(({ path }) => path)]);
  let best = -Infinity;
  const choose = (place: number, chosen: (readonly PathStep[])[]): void => {
    const options = choices[place];
    if (options === undefined) {
      for (const source of [undefined, ...hidden]) best = Math.max(best, worth(chosen, source));
      return;
    }
    for (const path of options) choose(place + 1, [...chosen, path]);
  };
  const worth = (chosen: readonly (readonly PathStep[])[], source: string | undefined): number => {
    const edges = chosen.flat();
    const begins = edges.filter(({ from }) => !edges.some(({ to }) => to === from)).map(({ from }) => from);
    const lone = cases.filter((_, place) => chosen[place]?.length === 0).map(({ tag }) => tag);
    const roots = new Set([...begins, ...lone]);
    if (![...roots].every((root) => root === source || tags.has(root))) return -Infinity;
    if (edges.some(({ to }) => to === source || lone.includes(to))) return -Infinity;
    if (faults(edges, cases, timing).length > 0) return -Infinity;
    const steps = edges.reduce((sum, step) => sum + Math.log(stepChance(step)), 0);
    return (
      chosen.reduce((sum, path, place) => sum + againstOnsets(path, cases[place]), steps) +
      roots.size * Math.log(UNRECORDED)
    );
  };
  /** A fifth, when whoever a path begins at fell ill after the case it leads to. */
  function againstOnsets(path: readonly PathStep[], one: TracedCase | undefined): number {
    const onset = cases.find(({ tag }) => tag === path[0]?.from)?.onset ?? -Infinity;
    return onset > (one?.onset ?? Infinity) ? Math.log(0.2) : 0;
  }
  choose(0, []);
  return best;
}

describe('the transmission tree', () => {
  it('is made of known contacts in an order of time that can be, every case in it and every root named', async () => {
    await fc.assert(
      fc.asyncProperty(drawnContacts, drawnCases, drawnTiming, async (contacts, cases, timing) => {
        const { traced, people, settings } = await prepared(contacts, cases, timing);
        const { edges, roots } = await bestTree(traced, people, settings, new Turns());
        expect(faults(edges, traced, timing)).toEqual([]);
        expect(edges.every((edge) => isKnown(edge, contacts))).toBe(true);
        const infected = new Set(edges.map(({ to }) => to));
        const all = new Set([...infected, ...roots]);
        expect(cases.every(({ tag }) => all.has(tag))).toBe(true);
        expect(roots.some((root) => infected.has(root))).toBe(false);
        expect(edges.every(({ from }) => all.has(from))).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('is the best there is on nearly all small graphs, and never claims more', async () => {
    const drawn = fc.sample(fc.tuple(drawnContacts, drawnCases, drawnTiming), { numRuns: 300, seed: 4 });
    let [best, withEdges] = [0, 0];
    for (const [contacts, cases, timing] of drawn) {
      const { traced, people, settings } = await prepared(contacts, cases, timing);
      const found: TransmissionTree = await bestTree(traced, people, settings, new Turns());
      const byHand = bestByHand(traced, people, timing);
      expect(found.logLikelihood).toBeLessThanOrEqual(byHand + 1e-9);
      if (found.edges.length === 0) continue;
      withEdges += 1;
      if (found.logLikelihood >= byHand - 1e-9) best += 1;
    }
    expect(withEdges).toBeGreaterThan(100);
    expect(best / withEdges).toBeGreaterThan(0.9);
  });
});
