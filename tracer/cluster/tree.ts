/**
 * The transmission tree that explains the cases best: a maximum-weight arborescence over cases and those between them in which
 * time is respected (clusters.md, "The tree"). Each case hangs on one path of a walk or is a root; the search begins with every
 * case a root and makes the best change until none betters it. Feasible at every moment; the best there is in all but few cases.
 */
import type { PathStep } from '../looks/trace-result.js';
import type { Turns } from '../turns.js';
import type { TracedCase } from './case-traces.js';
import type { TransmissionTree } from './cluster-result.js';
import { periodsOver } from './infectious-periods.js';
import type { Period } from './infectious-periods.js';
import { likelierFirst, UNRECORDED } from './model.js';
import { logChance, Ways } from './ways.js';

interface Timing {
  readonly from: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds?: number;
}

/** The path by which each case was infected; none for a root. */
type Branches = ReadonlyMap<string, readonly PathStep[]>;

interface Soil {
  readonly cases: readonly TracedCase[];
  readonly timing: Timing;
  /** A presumed source that is no case, and when it was infectious. */
  readonly source: string | undefined;
  readonly period: Period;
  readonly known: ReadonlyMap<string, TracedCase>;
  readonly ways: Ways;
}

/** Trees are grown from so many of the most likely people who are no case. */
export const TREE_SOURCES = 8;
const NO_GAIN = 1e-9;
const ALWAYS: Period = { from: 0, until: Infinity };

/**
 * The best of the trees that are grown from each of these people, in each of its infectious periods, and from the cases alone.
 * Throws what the paths of the cases' sources throw when they are read, and what the turns throw.
 */
export async function bestTree(
  cases: readonly TracedCase[],
  sources: readonly string[],
  timing: Timing,
  turns: Turns,
): Promise<TransmissionTree> {
  const known = new Map(cases.map((one) => [one.tag, one]));
  const ways = new Ways(known);
  const hidden = sources.filter((person) => !known.has(person));
  const trees: TransmissionTree[] = [];
  trees.push(await grow({ cases, timing, source: undefined, period: ALWAYS, known, ways }, turns));
  for (const source of hidden)
    for (const period of periodsOf(source, cases, timing))
      trees.push(await grow({ cases, timing, source, period, known, ways }, turns));
  return trees.reduce((best, tree) => (tree.logLikelihood > best.logLikelihood + NO_GAIN ? tree : best));
}

function periodsOf(
  source: string,
  cases: readonly TracedCase[],
  { infectiousSeconds = Infinity }: Timing,
): readonly Period[] {
  const begins = cases.flatMap(({ sources }) => sources.get(source)?.exposedAt ?? []);
  return periodsOver(begins, infectiousSeconds, 1);
}

async function grow(soil: Soil, turns: Turns): Promise<TransmissionTree> {
  let branches: Branches = new Map(soil.cases.map(({ tag }) => [tag, []]));
  for (;;) {
    const change = await bestChange(branches, soil, turns);
    if (change === undefined) return treeOf(branches, soil);
    branches = new Map([...branches, change]);
  }
}

type Change = readonly [string, readonly PathStep[]];

/** Gains add up and each is above zero, so that changes come to an end. */
async function bestChange(branches: Branches, soil: Soil, turns: Turns): Promise<Change | undefined> {
  const inTree = peopleIn(branches, soil);
  const infected = infectedIn(branches);
  const changes: { readonly tag: string; readonly path: readonly PathStep[]; readonly gain: number }[] = [];
  for (const one of soil.cases) {
    const before = logChance(branches.get(one.tag) ?? [], one, soil.known);
    for (const person of inTree) {
      if (turns.isOver) await turns.next();
      const way = soil.ways.of(one, person);
      const gain = way ? way.logChance - before : 0;
      if (way && gain > NO_GAIN && canFollow(way.path, one.tag, infected, soil))
        changes.push({ tag: one.tag, path: way.path, gain });
    }
  }
  changes.sort(
    (x, y) =>
      likelierFirst(x.gain, y.gain) ||
      Number(x.tag) - Number(y.tag) ||
      Number(x.path[0]?.from) - Number(y.path[0]?.from),
  );
  for (const { tag, path } of changes) {
    if (turns.isOver) await turns.next();
    if (isSound(new Map([...branches, [tag, path]]), soil)) return [tag, path];
  }
  return undefined;
}

/** By whoever was infected in a tree: when, and on the branch of which case. */
type Infected = ReadonlyMap<string, { readonly tag: string; readonly end: number }>;

const infectedIn = (branches: Branches): Infected =>
  new Map([...branches].flatMap(([tag, path]) => path.map(({ to, end }) => [to, { tag, end }])));

/** No sound tree has the path as the branch of this case where this is not so: most are left out before they are compared. */
function canFollow(path: readonly PathStep[], tag: string, infected: Infected, soil: Soil): boolean {
  const elsewhere = (person: string) => {
    const known = infected.get(person);
    return known?.tag === tag ? undefined : known;
  };
  const [first] = path;
  if (first && !isTimely(first, elsewhere(first.from)?.end, soil)) return false;
  return path.every(({ to }) => to !== soil.source && elsewhere(to) === undefined);
}

function peopleIn(branches: Branches, { source }: Soil): ReadonlySet<string> {
  const people = new Set(branches.keys());
  if (source !== undefined) people.add(source);
  for (const path of branches.values()) for (const { to } of path) people.add(to);
  return people;
}

/**
 * Everybody is infected once, nobody before whoever infected them is infectious or after; no circles. What is sound of a path by
 * itself its way says (ways.ts).
 */
function isSound(branches: Branches, soil: Soil): boolean {
  const steps = [...branches.values()].flat();
  const stepTo = new Map(steps.map((step) => [step.to, step]));
  if (stepTo.size !== steps.length || (soil.source !== undefined && stepTo.has(soil.source))) return false;
  const firsts = firstSteps(steps);
  return steps.every(
    (step) =>
      isTimely(step, stepTo.get(step.from)?.end, soil) &&
      hasRoot(step, stepTo) &&
      (stepTo.has(step.from) || isInPeriodOf(firsts.get(step.from), step, soil)),
  );
}

function isTimely(
  { from, start }: PathStep,
  exposedAt: number | undefined,
  { timing, source, period, known }: Soil,
): boolean {
  const { latentSeconds, infectiousSeconds = Infinity } = timing;
  if (from === source) return period.from <= start && start <= period.until;
  if (exposedAt === undefined) return known.has(from) && start >= timing.from;
  const ready = exposedAt + latentSeconds;
  return ready <= start && start <= ready + infectiousSeconds;
}

/** By whoever infected anybody: when they did first. */
function firstSteps(steps: readonly PathStep[]): ReadonlyMap<string, number> {
  const firsts = new Map<string, number>();
  for (const { from, start } of steps) firsts.set(from, Math.min(start, firsts.get(from) ?? Infinity));
  return firsts;
}

/** A root is infectious for one period too, whenever that began. */
const isInPeriodOf = (first: number | undefined, { start }: PathStep, { timing }: Soil): boolean =>
  start <= (first ?? start) + (timing.infectiousSeconds ?? Infinity);

/** Time alone breaks a circle of steps that begin and end at the same moment no more. */
function hasRoot(step: PathStep, stepTo: ReadonlyMap<string, PathStep>): boolean {
  let before: PathStep | undefined = step;
  for (let passed = 0; before !== undefined; passed++) {
    if (passed > stepTo.size) return false;
    before = stepTo.get(before.from);
  }
  return true;
}

function treeOf(branches: Branches, soil: Soil): TransmissionTree {
  const { source } = soil;
  const edges = [...branches.values()].flat();
  edges.sort(
    (x, y) =>
      x.start - y.start || x.end - y.end || Number(x.from) - Number(y.from) || Number(x.to) - Number(y.to),
  );
  const lone = [...branches].filter(([, path]) => path.length === 0).map(([tag]) => tag);
  const isUsed = edges.some(({ from }) => from === source);
  const roots = source !== undefined && isUsed ? [source, ...lone] : lone;
  const explained = soil.cases.reduce(
    (sum, one) => sum + logChance(branches.get(one.tag) ?? [], one, soil.known),
    0,
  );
  const ofSource = source !== undefined && isUsed ? Math.log(UNRECORDED) : 0;
  return { roots, edges, logLikelihood: explained + ofSource };
}
