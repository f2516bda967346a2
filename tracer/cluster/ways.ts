/** The paths that a tree can hang a case on, and what each costs (clusters.md, "The tree"): the same in all trees of a cluster. */
import type { PathStep } from '../looks/trace-result.js';
import { onsetWeight } from './case-traces.js';
import type { TracedCase } from './case-traces.js';
import { UNRECORDED } from './model.js';

const THETA_SECONDS = 90 * 60;
/** Of the values that are tried for β, the middle one (model.ts). */
const CATCHING = 5;
/** Of co-presence, which has no nearSeconds (tracing.md). */
const PRESENCE_WEIGHT = 0.3;

export interface Way {
  readonly path: readonly PathStep[];
  readonly logChance: number;
}

type Cases = ReadonlyMap<string, TracedCase>;

/** Each path is told once, when it is first asked after, however many trees are grown. */
export class Ways {
  readonly #cases: Cases;
  /** By case, then by who passes it on; null for one that no tree can have. */
  readonly #ways: ReadonlyMap<string, Map<string, Way | null>>;

  /** `cases`: by tag. */
  constructor(cases: Cases) {
    this.#cases = cases;
    this.#ways = new Map([...cases.keys()].map((tag) => [tag, new Map<string, Way | null>()]));
  }

  /**
   * From this person to the case. None where no walk leads there, by another case, which hangs on a branch of its own, or to the
   * case after it was due. Throws what the path throws when it is read.
   */
  of(one: TracedCase, person: string): Way | null {
    const ways = this.#ways.get(one.tag);
    const known = ways?.get(person);
    if (known !== undefined) return known;
    const path = one.sources.get(person)?.path;
    const way = path && isPossible(path, this.#cases) ? this.#wayBy(path, one) : null;
    ways?.set(person, way);
    return way;
  }

  #wayBy(path: readonly PathStep[], one: TracedCase): Way {
    return { path, logChance: logChance(path, one, this.#cases) };
  }
}

const isPossible = (path: readonly PathStep[], cases: Cases): boolean =>
  path.every(({ to, end }, k) =>
    k === path.length - 1 ? end <= (cases.get(to)?.due ?? Infinity) : !cases.has(to),
  );

/** What it costs to explain a case so; a root was infected by what nobody recorded. */
export function logChance(path: readonly PathStep[], one: TracedCase, cases: Cases): number {
  const [first] = path;
  if (first === undefined) return Math.log(UNRECORDED);
  const weight = Math.log(onsetWeight(cases.get(first.from), one));
  return path.reduce((sum, step) => sum + Math.log(stepChance(step)), weight);
}

/** p = 1 − exp(−β·W/θ) with what a step tells of W: nearSeconds, or for co-presence its length. */
export function stepChance({ start, end, nearSeconds, mutual }: PathStep): number {
  const seconds = nearSeconds > 0 ? nearSeconds : PRESENCE_WEIGHT * (end - start);
  return -Math.expm1((-CATCHING * Math.max(1, seconds) * (mutual ? 1 : 0.5)) / THETA_SECONDS);
}
