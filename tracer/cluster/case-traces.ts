/** The backward traces of all cases, and what they say of each pair of cases. */
import { AskerError } from '../asker-error.js';
import type { ReachedPerson, WalkRequest } from '../looks/trace-result.js';
import type { Turns } from '../turns.js';
import type { ClusterCase, ClusterRequest, Trace, Walked } from './cluster-result.js';
import { chancesAt } from './model.js';

export interface TracedCase extends ClusterCase {
  /** It was infected by then. */
  readonly due: number;
  /** Who may have infected it, by person; empty for a case that met nobody in time. */
  readonly sources: ReadonlyMap<string, ReachedPerson>;
  /** In no contact at all, be it seen by gateways or not. Not asked about a case that fell ill before the window. */
  readonly isUnknown: boolean;
}

/** In the order of the request. Throws what the trace throws, but for `not-found`: who met nobody has no source. */
export async function traceCases(
  trace: Trace,
  request: ClusterRequest,
  turns: Turns,
): Promise<readonly TracedCase[]> {
  const traced: TracedCase[] = [];
  for (const one of request.cases) {
    const due = Math.min(request.to, (one.onset ?? Infinity) - (request.incubationSeconds ?? 0));
    const walked = due < request.from ? NOBODY : await walkedBack(trace, request, one, due);
    const sources = new Map<string, ReachedPerson>();
    for (const row of walked.reached) {
      sources.set(row.person, row);
      if (turns.isOver) await turns.next();
    }
    traced.push({ ...one, due, sources, isUnknown: walked === UNKNOWN });
  }
  return traced;
}

const NOBODY: Walked = { reached: [], reachedCount: 0 };
/** Of a case that is in no contact at all. */
const UNKNOWN: Walked = { reached: [], reachedCount: 0 };

/** Whom a trace reaches; nobody, {@link UNKNOWN}, where its case is in no contact. */
export async function reachedIn(trace: Trace, request: WalkRequest): Promise<Walked> {
  try {
    return await trace(request);
  } catch (error) {
    if (error instanceof AskerError && error.code === 'not-found') return UNKNOWN;
    throw error;
  }
}

/** What a cluster's walks have in common; what the request leaves open is left open. */
export function settingsOf(request: ClusterRequest) {
  const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds, attenuation, presence } = request;
  return {
    ...{ hops, from, to, minSeconds, latentSeconds },
    ...(infectiousSeconds !== undefined && { infectiousSeconds }),
    ...(attenuation !== undefined && { attenuation }),
    ...(presence !== undefined && { presence }),
  };
}

/** Who may have infected a case by `due`. */
export function backwardFrom(request: ClusterRequest, tag: string, due: number): WalkRequest {
  return { ...settingsOf(request), case: tag, direction: 'backward', to: due };
}

/**
 * People mostly fall ill while they are infectious, and few other terms tell who infected a case: so a case with an onset is traced back
 * over one infectious period before it was due. Where that leads to nobody, and where no onset is known, as far as the window goes.
 */
async function walkedBack(
  trace: Trace,
  request: ClusterRequest,
  { tag, onset }: ClusterCase,
  due: number,
): Promise<Walked> {
  const asked = backwardFrom(request, tag, due);
  const everBefore = { ...asked, endlessStarts: true };
  if (onset === undefined || request.infectiousSeconds === undefined) return reachedIn(trace, everBefore);
  const recent = await reachedIn(trace, asked);
  return recent === UNKNOWN || recent.reachedCount > 0 ? recent : reachedIn(trace, everBefore);
}

/** How far a case that fell ill earlier can stand in for the source of a later one. */
const CASE_INFECTS_CASE = 0.75;
/** Of a case that fell ill later than the one it is to have infected: it happens, and not often. */
const AGAINST_ONSETS = 0.2;

/** How likely it is that one infected the other as far as their onsets go, at most 1; 1 where one is not known. */
export function onsetWeight(from: ClusterCase | undefined, to: ClusterCase): number {
  if (from?.onset === undefined || to.onset === undefined) return 1;
  return from.onset <= to.onset ? 1 : AGAINST_ONSETS;
}

/**
 * How this case may have been infected by other cases: by those that fell ill earlier. Where an onset is missing, by those from
 * which a walk leads to it and none leads back.
 */
export function chancesFromCases(one: TracedCase, cases: readonly TracedCase[]): ChanceFromCase[] {
  return cases
    .filter((other) => other !== one && isEarlier(other, one))
    .flatMap(({ tag }) => one.sources.get(tag) ?? [])
    .map(({ person: tag, score, hop }) => ({
      tag,
      chances: chancesAt({ score, hop, weight: CASE_INFECTS_CASE }),
    }));
}

export interface ChanceFromCase {
  /** Of the case that may have done it. */
  readonly tag: string;
  /** By β (model.ts). */
  readonly chances: readonly number[];
}

function isEarlier(x: TracedCase, y: TracedCase): boolean {
  if (x.onset !== undefined && y.onset !== undefined) return x.onset < y.onset;
  return !x.sources.has(y.tag);
}
