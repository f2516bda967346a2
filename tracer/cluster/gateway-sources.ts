/**
 * Gateways as common sources: places where two cases or more stayed in the time in which each can have been infected. A place
 * is weighed as tracing.md weighs co-presence, by its minutes, against all others who stayed there.
 */
import { toHex } from '../../protocol/bytes.js';
import type { PresenceView, Stay } from '../presence/presence-view.js';
import type { Turns } from '../turns.js';
import type { TracedCase } from './case-traces.js';
import type { CaseStay, ClusterRequest, GatewaySource } from './cluster-result.js';
import { logLikelihood, Unknown } from './model.js';
import type { Chance } from './model.js';
import type { CasesExplained, Weighed } from './person-sources.js';

export interface ClusterPresence {
  readonly view: PresenceView;
  /** The dense number of a tag; `undefined` for one that nobody met or saw. */
  readonly personOf: (tag: number) => number | undefined;
  /** Told of everybody who is counted among the visitors of a gateway, again for each gateway: the look names them. */
  readonly counted: (person: number) => void;
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

/**
 * A case counts as one that stayed there when its stays together reach the `minSeconds` of the request. Throws what the turns
 * throw.
 */
export async function weighGateways(
  presence: ClusterPresence,
  request: ClusterRequest,
  { cases, explained }: CasesExplained,
  turns: Turns,
): Promise<WeighedGateways> {
  const { view, personOf } = presence;
  const known = new Set(cases.map(({ tag }) => personOf(Number(tag))));
  const visits = visitsOf(view, personOf, request, cases);
  const shared = [...visits].filter(([, explains]) => explains.length >= MIN_EXPLAINED);
  shared.sort(([x, mine], [y, theirs]) => theirs.length - mine.length || x - y);
  const weighed: Weighed<GatewaySource>[] = [];
  for (const [gateway, explains] of shared.slice(0, MAX_WEIGHED)) {
    const others = await othersAt(presence, { gateway, ...request }, known, turns);
    const source = {
      kind: 'gateway' as const,
      gateway: toHex(view.gatewayId(gateway)),
      ...{ score: 0, explains, othersReached: others.count, othersExpected: others.expected },
    };
    const chances = new Map(explains.map(({ case: tag, seconds }) => [tag, chanceOf(seconds)]));
    const hypothesis = { isCase: false, explained: explained.by(({ tag }) => chances.get(tag)) };
    weighed.push({
      source,
      logLikelihood: logLikelihood({ ...hypothesis, unknown: others.logChances }),
    });
  }
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
async function othersAt(
  { view, counted }: ClusterPresence,
  { gateway, from, to }: Window & { readonly gateway: number },
  known: ReadonlySet<number | undefined>,
  turns: Turns,
): Promise<Unknown> {
  const seconds = new Map<number, number>();
  for (const stay of view.overlapping(gateway, from, to)) {
    if (turns.isOver) await turns.next();
    const inside = stay && cut(stay, { from, to });
    if (inside === undefined || known.has(inside.person)) continue;
    seconds.set(inside.person, (seconds.get(inside.person) ?? 0) + inside.end - inside.start);
  }
  const others = new Unknown();
  for (const [person, stayed] of seconds) {
    if (turns.isOver) await turns.next();
    counted(person);
    others.add(chanceOf(stayed));
  }
  return others;
}

const chanceOf = (seconds: number): Chance => ({
  hop: 1,
  score: -Math.expm1((-WEIGHT * seconds) / THETA_SECONDS),
});
