/**
 * The transmission tree that explains the cases best: a maximum-weight arborescence over cases and those between them in which
 * time is respected (clusters.md, "The tree"). Each case hangs on one path of a walk or is a root; the search begins with every
 * case a root and makes the best change until none betters it. Feasible at every moment; the best there is in all but few cases.
 */
import type { PathStep } from '../looks/trace-result.js';
import type { Turns } from '../turns.js';
import { onsetWeight } from './case-traces.js';
import type { TracedCase } from './case-traces.js';
import type { TransmissionTree } from './cluster-result.js';
import { periodsOver } from './infectious-periods.js';
import type { Period } from './infectious-periods.js';
import { likelierFirst, UNRECORDED } from './model.js';

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
}

/** Trees are grown from so many of the most likely people who are no case. */
export const TREE_SOURCES = 8;
const THETA_SECONDS = 90 * 60;
/** Of the values that are tried for β, the middle one (model.ts). */
const CATCHING = 5;
/** Of co-presence, which has no nearSeconds (tracing.md). */
const PRESENCE_WEIGHT = 0.3;
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
  const hidden = sources.filter((person) => !known.has(person));
  const trees: TransmissionTree[] = [];
  trees.push(await grow({ cases, timing, source: undefined, period: ALWAYS, known }, turns));
  for (const source of hidden)
    for (const period of periodsOf(source, cases, timing))
      trees.push(await grow({ cases, timing, source, period, known }, turns));
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
  const changes: { readonly tag: string; readonly path: readonly PathStep[]; readonly gain: number }[] = [];
  for (const one of soil.cases) {
    if (turns.isOver) await turns.next();
    const before = logChance(branches.get(one.tag) ?? [], one, soil);
    for (const person of inTree) {
      const path = one.sources.get(person)?.path;
      const gain = path ? logChance(path, one, soil) - before : 0;
      if (path && gain > NO_GAIN) changes.push({ tag: one.tag, path, gain });
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

function peopleIn(branches: Branches, { source }: Soil): ReadonlySet<string> {
  const people = new Set(branches.keys());
  if (source !== undefined) people.add(source);
  for (const path of branches.values()) for (const { to } of path) people.add(to);
  return people;
}

/** What it costs to explain a case so; a root was infected by what nobody recorded. */
function logChance(path: readonly PathStep[], one: TracedCase, { known }: Soil): number {
  const [first] = path;
  if (first === undefined) return Math.log(UNRECORDED);
  const weight = Math.log(onsetWeight(known.get(first.from), one));
  return path.reduce((sum, step) => sum + Math.log(stepChance(step)), weight);
}

/** p = 1 − exp(−β·W/θ) with what a step tells of W: nearSeconds, or for co-presence its length. */
export function stepChance({ start, end, nearSeconds, mutual }: PathStep): number {
  const seconds = nearSeconds > 0 ? nearSeconds : PRESENCE_WEIGHT * (end - start);
  return -Math.expm1((-CATCHING * Math.max(1, seconds) * (mutual ? 1 : 0.5)) / THETA_SECONDS);
}

/**
 * Everybody is infected once, nobody before whoever infected them is infectious or after, no case after it fell ill; no circles. A
 * case on the way to another hangs on a branch of its own.
 */
function isSound(branches: Branches, soil: Soil): boolean {
  const steps = [...branches.values()].flat();
  const stepTo = new Map(steps.map((step) => [step.to, step]));
  if (stepTo.size !== steps.length || (soil.source !== undefined && stepTo.has(soil.source))) return false;
  const onTheWay = [...branches.values()].flatMap((path) => path.slice(0, -1));
  if (onTheWay.some(({ to }) => soil.known.has(to))) return false;
  const firsts = firstSteps(steps);
  return steps.every(
    (step) =>
      step.end <= (soil.known.get(step.to)?.due ?? Infinity) &&
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
    (sum, one) => sum + logChance(branches.get(one.tag) ?? [], one, soil),
    0,
  );
  const ofSource = source !== undefined && isUsed ? Math.log(UNRECORDED) : 0;
  return { roots, edges, logLikelihood: explained + ofSource };
}
