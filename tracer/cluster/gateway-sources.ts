/**
 * Gateways as common sources: places where two cases or more stayed in the time in which each can have been infected. A place
 * is weighed as tracing.md weighs co-presence, by its minutes, against all others who stayed there.
 */
import { toHex } from '../../protocol/bytes.js';
import type { PresenceView, Stay } from '../presence/presence-view.js';
import { chancesFromCases } from './case-traces.js';
import type { TracedCase } from './case-traces.js';
import type { CaseStay, ClusterRequest, GatewaySource } from './cluster-result.js';
import { logLikelihood } from './model.js';
import type { Chance } from './model.js';
import type { Weighed } from './person-sources.js';

export interface ClusterPresence {
  readonly view: PresenceView;
  /** The dense number of a tag; `undefined` for one that nobody met or saw. */
  readonly personOf: (tag: number) => number | undefined;
}

export interface WeighedGateways {
  readonly weighed: readonly Weighed<GatewaySource>[];
  readonly count: number;
}

interface Window {
  readonly from: number;
  readonly to: number;
}

const MIN_EXPLAINED = 2;
/** So many gateways are weighed against their other visitors: those with the most cases. */
const MAX_WEIGHED = 64;
/** Of co-presence (tracing.md): 0.3 for its distance, half for being one-sided; θ = 90 minutes. */
const WEIGHT = 0.15;
const THETA_SECONDS = 90 * 60;

/** A case counts as one that stayed there when its stays together reach the `minSeconds` of the request. */
export function weighGateways(
  { view, personOf }: ClusterPresence,
  request: ClusterRequest,
  cases: readonly TracedCase[],
): WeighedGateways {
  const known = new Set(cases.map(({ tag }) => personOf(Number(tag))));
  const visits = visitsOf(view, personOf, request, cases);
  const shared = [...visits].filter(([, explains]) => explains.length >= MIN_EXPLAINED);
  shared.sort(([x, mine], [y, theirs]) => theirs.length - mine.length || x - y);
  const weighed = shared.slice(0, MAX_WEIGHED).map(([gateway, explains]) => {
    const others = othersAt(view, gateway, request, known);
    return {
      source: {
        kind: 'gateway' as const,
        gateway: toHex(view.gatewayId(gateway)),
        score: 0,
        explains,
        othersReached: others.length,
        othersExpected: others.reduce((sum, { score }) => sum + score, 0),
      },
      logLikelihood: likelihoodOf(explains, cases, others),
    };
  });
  return { weighed, count: shared.length };
}

function visitsOf(
  view: PresenceView,
  personOf: ClusterPresence['personOf'],
  { from, minSeconds }: ClusterRequest,
  cases: readonly TracedCase[],
): Map<number, CaseStay[]> {
  const visits = new Map<number, CaseStay[]>();
  for (const { tag, due } of cases) {
    const person = personOf(Number(tag));
    if (person === undefined) continue;
    for (const [gateway, stays] of byGateway(view.staysOf(person), { from, to: due })) {
      const visit = { case: tag, ...summed(stays) };
      if (visit.seconds >= minSeconds) visits.set(gateway, [...(visits.get(gateway) ?? []), visit]);
    }
  }
  return visits;
}

/** What of the stays is inside the window. */
function byGateway(stays: readonly Stay[], window: Window): Map<number, Stay[]> {
  const known = new Map<number, Stay[]>();
  for (const stay of stays) {
    const inside = cut(stay, window);
    if (inside) known.set(stay.gateway, [...(known.get(stay.gateway) ?? []), inside]);
  }
  return known;
}

function cut(stay: Stay, { from, to }: Window): Stay | undefined {
  const [start, end] = [Math.max(stay.start, from), Math.min(stay.end, to)];
  return start <= end ? { ...stay, start, end } : undefined;
}

function summed(stays: readonly Stay[]) {
  return {
    start: stays.reduce((first, { start }) => Math.min(first, start), Infinity),
    end: stays.reduce((last, { end }) => Math.max(last, end), 0),
    seconds: stays.reduce((sum, { start, end }) => sum + end - start, 0),
  };
}

/** Everybody else who stayed there at any time of the window. */
function othersAt(
  view: PresenceView,
  gateway: number,
  { from, to }: Window,
  known: ReadonlySet<number | undefined>,
): Chance[] {
  const seconds = new Map<number, number>();
  for (const stay of view.overlapping(gateway, from, to)) {
    const inside = cut(stay, { from, to });
    if (inside === undefined || known.has(stay.person)) continue;
    seconds.set(stay.person, (seconds.get(stay.person) ?? 0) + inside.end - inside.start);
  }
  return [...seconds.values()].map(chanceOf);
}

const chanceOf = (seconds: number): Chance => ({
  hop: 1,
  score: -Math.expm1((-WEIGHT * seconds) / THETA_SECONDS),
});

function likelihoodOf(
  explains: readonly CaseStay[],
  cases: readonly TracedCase[],
  others: readonly Chance[],
): number {
  const seconds = new Map(explains.map((stay) => [stay.case, stay.seconds]));
  return logLikelihood({
    isCase: false,
    cases: cases.map((one) => ({
      fromSource: chanceOf(seconds.get(one.tag) ?? 0),
      fromCases: chancesFromCases(one, cases),
    })),
    others,
  });
}
