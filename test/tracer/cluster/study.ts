/**
 * How well the true source of an outbreak is found when it is hidden: outbreaks are simulated over given contacts, a share of
 * the infected become known as cases with their onset, the source never does. Beside it, on the same outbreaks, counting: how
 * many of the cases a person met.
 */
import { seededRandom } from '../../../radio/random.js';
import type { Random } from '../../../radio/random.js';
import { findClusters } from '../../../tracer/cluster/find-clusters.js';
import type { ClusterResult, Trace } from '../../../tracer/cluster/cluster-result.js';
import type { Contact } from '../../../tracer/contact.js';
import { WalkWorkspace } from '../../../tracer/walk/workspace.js';
import { plainView } from '../../reference/views.js';
import { trace } from '../../../tracer/looks/trace.js';
import { simulateOutbreak } from './outbreak.js';
import type { Disease, Infection } from './outbreak.js';

export interface World {
  readonly name: string;
  /** In order of start. */
  readonly contacts: readonly Contact[];
  readonly disease: Disease;
}

export interface StudySettings {
  readonly seed: string;
  readonly outbreaks: number;
  /** Which share of the infected become known as cases. */
  readonly knownShare: number;
  readonly hops: number;
}

/** Shares of the outbreaks in which the true source was first, and among the first five. */
export interface Hits {
  readonly first: number;
  readonly firstFive: number;
}

export interface StudyResult {
  readonly outbreaks: number;
  readonly medianInfected: number;
  readonly medianCases: number;
  readonly method: Hits;
  /** By how many of the cases a person met at all. */
  readonly counting: Hits;
  /** The same, of contacts before the case fell ill only. */
  readonly countingBeforeOnset: Hits;
  /** Of the cases that an edge of the tree leads to, the share for which its start is the true infector. */
  readonly rightInfector: number;
}

const MIN_INFECTED = 6;
const MIN_CASES = 2;
const MAX_CASES = 64;
/** Of the time recorded: outbreaks begin in it. */
export const EARLY = 0.35;
const PATIENCE = 40;

/** Throws RangeError when hardly any outbreak takes hold. */
export async function studySources(world: World, settings: StudySettings): Promise<StudyResult> {
  const stage = stageOf(world);
  const random = seededRandom(`${world.name} ${settings.seed} ${settings.knownShare}`);
  const tallies = [newTally(), newTally(), newTally()] as const;
  const infected: number[] = [];
  const known: number[] = [];
  const edges = { right: 0, all: 0 };
  for (let attempt = 0; infected.length < settings.outbreaks; attempt++) {
    if (attempt >= PATIENCE * settings.outbreaks) throw new RangeError(`${world.name}: outbreaks die out`);
    const outbreak = outbreakOn(stage, random);
    const cases = casesOf(outbreak, stage.to, settings.knownShare, random);
    const source = outbreak[0]?.person;
    if (source === undefined || outbreak.length < MIN_INFECTED || cases.length < MIN_CASES) continue;
    infected.push(outbreak.length);
    known.push(cases.length);
    const result = await clusterOf(stage, cases, settings.hops);
    count(tallies[0], placeIn(result, source));
    count(
      tallies[1],
      placeByCount(stage, cases, source, () => Infinity),
    );
    count(
      tallies[2],
      placeByCount(stage, cases, source, ({ onset }) => onset - world.disease.latentSeconds),
    );
    countEdges(edges, result, outbreak);
  }
  const [method, counting, countingBeforeOnset] = tallies.map((tally) => hitsOf(tally, infected.length));
  const rightInfector = edges.right / Math.max(1, edges.all);
  if (!method || !counting || !countingBeforeOnset) throw new RangeError('three tallies');
  return {
    ...{ outbreaks: infected.length, medianInfected: median(infected), medianCases: median(known) },
    ...{ method, counting, countingBeforeOnset, rightInfector },
  };
}

/** Catching enough for the median outbreak to reach an eighth of all people; periods in proportion to the time recorded. */
export function diseaseFor(contacts: readonly Contact[]): Disease {
  const from = contacts[0]?.start ?? 0;
  const to = contacts.reduce((last, { end }) => Math.max(last, end), 0);
  const periods = periodsIn({ from, to });
  const people = new Set(contacts.flatMap(({ a, b }) => [a, b])).size;
  for (let catching = 1; ; catching *= 2) {
    const world = { name: 'trial', contacts, disease: { ...periods, catching } };
    const random = seededRandom('how catching');
    const stage = stageOf(world);
    const sizes = Array.from({ length: 41 }, () => outbreakOn(stage, random).length);
    if (median(sizes) >= people / 8 || catching >= 1024) return world.disease;
  }
}

/** Of a disease, in proportion to the time recorded. */
export function periodsIn({ from, to }: { readonly from: number; readonly to: number }) {
  const part = (share: number): number => Math.round((to - from) * share);
  return { latentSeconds: part(0.1), infectiousSeconds: part(0.4), onsetDelaySeconds: part(0.05) };
}

interface Stage {
  readonly world: World;
  readonly trace: Trace;
  readonly people: readonly number[];
  readonly from: number;
  readonly to: number;
  /** By person. */
  readonly met: ReadonlyMap<number, readonly Contact[]>;
}

function stageOf(world: World): Stage {
  const { view, options } = plainView(world.contacts);
  const met = new Map<number, Contact[]>();
  const space = new WalkWorkspace();
  for (const contact of [...world.contacts].sort((x, y) => x.start - y.start))
    for (const person of [contact.a, contact.b]) {
      const known = met.get(person);
      if (known) known.push(contact);
      else met.set(person, [contact]);
    }
  return {
    ...{ world, met, people: [...met.keys()].sort((x, y) => x - y) },
    trace: async (request) => trace(view, request, { ...options, space }),
    from: world.contacts.reduce((first, { start }) => Math.min(first, start), Infinity),
    to: world.contacts.reduce((last, { end }) => Math.max(last, end), 0),
  };
}

function outbreakOn({ world, people, from, to }: Stage, random: Random): readonly Infection[] {
  const source = people[random.below(people.length)] ?? 0;
  const infectiousFrom = Math.round(from + random.next() * (to - from) * EARLY);
  return simulateOutbreak(world.contacts, { source, infectiousFrom }, world.disease, random);
}

/** The source is hidden; who falls ill after the recording is not known of. */
function casesOf(outbreak: readonly Infection[], to: number, share: number, random: Random): Infection[] {
  return outbreak
    .slice(1)
    .filter(() => random.next() < share)
    .filter(({ onset }) => onset <= to)
    .slice(0, MAX_CASES);
}

function clusterOf(
  { trace: walk, from, to, world }: Stage,
  cases: readonly Infection[],
  hops: number,
): Promise<ClusterResult> {
  const { latentSeconds, infectiousSeconds } = world.disease;
  return findClusters(walk, undefined, {
    cases: cases.map(({ person, onset }) => ({ tag: String(person), onset })),
    ...{ hops, from, to, minSeconds: 0, latentSeconds, infectiousSeconds },
    ...{ incubationSeconds: latentSeconds, list: 64 },
  });
}

/** How many are ranked before it, and how many with it on the same place, itself among them. */
interface Place {
  readonly before: number;
  readonly level: number;
}

function placeIn({ sources }: ClusterResult, source: number): Place {
  const at = sources.findIndex((one) => one.kind === 'person' && one.person === String(source));
  return { before: at === -1 ? Infinity : at, level: 1 };
}

function placeByCount(
  { people, met }: Stage,
  cases: readonly Infection[],
  source: number,
  until: (one: Infection) => number,
): Place {
  const counts = new Map<number, number>();
  for (const one of cases) {
    const inTime = (met.get(one.person) ?? []).filter(({ end }) => end <= until(one));
    const others = new Set(inTime.map(({ a, b }) => (a === one.person ? b : a)));
    for (const person of others) counts.set(person, (counts.get(person) ?? 0) + 1);
  }
  const own = counts.get(source) ?? 0;
  const countOf = (person: number): number => counts.get(person) ?? 0;
  return {
    before: people.filter((person) => countOf(person) > own).length,
    level: people.filter((person) => countOf(person) === own).length,
  };
}

interface Tally {
  first: number;
  firstFive: number;
}

const newTally = (): Tally => ({ first: 0, firstFive: 0 });

/** Those on one place are in any order: each has its share of the places they take. */
function count(tally: Tally, { before, level }: Place): void {
  const among = (places: number): number => Math.max(0, Math.min(1, (places - before) / level));
  tally.first += among(1);
  tally.firstFive += among(5);
}

const hitsOf = ({ first, firstFive }: Tally, outbreaks: number): Hits => ({
  first: first / outbreaks,
  firstFive: firstFive / outbreaks,
});

function countEdges(
  edges: { right: number; all: number },
  { tree, cases }: ClusterResult,
  outbreak: readonly Infection[],
): void {
  const infector = new Map(outbreak.map((one) => [String(one.person), String(one.infector)]));
  const known = new Set(cases.map(({ tag }) => tag));
  for (const { from, to } of tree.edges.filter((step) => known.has(step.to))) {
    edges.all += 1;
    if (infector.get(to) === from) edges.right += 1;
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((x, y) => x - y)[values.length >> 1] ?? 0;
