/** People as common sources: everybody from whom walks lead to two cases or more. */
import type { ReachedPerson } from '../looks/trace-result.js';
import type { Turns } from '../turns.js';
import { onsetWeight, reachedIn, settingsOf } from './case-traces.js';
import type { TracedCase } from './case-traces.js';
import { MAX_SOURCES } from './cluster-result.js';
import type { ClusterRequest, ExplainedCase, PersonSource, Trace } from './cluster-result.js';
import type { Explained } from './explained.js';
import { periodsOver, rowWithin } from './infectious-periods.js';
import type { Period } from './infectious-periods.js';
import { likelierFirst, logLikelihood, Unknown } from './model.js';
import { TREE_SOURCES } from './tree.js';
import type { Chance, Hypothesis } from './model.js';

/** A source that is weighed; its score follows when all are. */
export interface Weighed<Source> {
  readonly source: Source;
  readonly logLikelihood: number;
}

export interface WeighedPeople {
  /** The most likely ones. */
  readonly weighed: readonly Weighed<PersonSource>[];
  /** All that have two cases in common, but for those weighed who explain no two in one infectious period. */
  readonly count: number;
}

/** A case that is the source explains itself. */
const MIN_EXPLAINED = 2;
/** So many are weighed in full, */
const MAX_WEIGHED = 128;
/** but no more than can be listed and trees are grown from, once so many people were reached in all. */
const MANY = 100_000;

/**
 * Weighs all candidates by the cases they explain, and the best of them by the others they would have reached as well, each by the
 * infectious period that makes it likeliest. Throws what the trace and the turns throw.
 */
export async function weighPeople(
  trace: Trace,
  request: ClusterRequest,
  { cases, explained }: CasesExplained,
  turns: Turns,
): Promise<WeighedPeople> {
  const hypothesisOf = hypotheses(cases, explained);
  const { likeliest, count } = await likeliestOf(cases, hypothesisOf, turns);
  const weighed: Weighed<PersonSource>[] = [];
  let [tried, hidden, reached] = [0, 0, 0];
  const counted: Trace = async (asked) => {
    const walked = await trace(asked);
    reached += walked.reachedCount;
    return walked;
  };
  for (const { person } of likeliest) {
    if (tried >= MAX_SOURCES && hidden >= TREE_SOURCES && reached >= MANY) break;
    const best = await bestPeriod(person, { trace: counted, request, cases, hypothesisOf }, turns);
    const source = best && sourceOf(person, cases, best);
    if (source) weighed.push({ source, logLikelihood: best.logLikelihood });
    tried += 1;
    hidden += source?.isCase === false ? 1 : 0;
    if (turns.isOver) await turns.next();
  }
  return { weighed, count: count - (tried - weighed.length) };
}

/** The cases, and what they explain of each other. */
export interface CasesExplained {
  readonly cases: readonly TracedCase[];
  readonly explained: Explained;
}

type RowOf = (one: TracedCase) => ReachedPerson | undefined;
/** Of a person who has infected cases as these rows tell. */
type HypothesisOf = (person: string, rowOf: RowOf) => Hypothesis;

function hypotheses(cases: readonly TracedCase[], explained: Explained): HypothesisOf {
  const known = new Map(cases.map((one) => [one.tag, one]));
  return (person, rowOf) => {
    const itself = known.get(person);
    const chanceOf = (one: TracedCase): Chance | undefined => {
      const row = rowOf(one);
      return row && { score: row.score, hop: row.hop, weight: onsetWeight(itself, one) };
    };
    return { isCase: itself !== undefined, explained: explained.by(chanceOf, itself) };
  };
}

interface Rough {
  readonly person: string;
  readonly likelihood: number;
}

const byLikelihood = (x: Rough, y: Rough): number =>
  likelierFirst(x.likelihood, y.likelihood) || Number(x.person) - Number(y.person);

/** Of all who have two cases in common those to be weighed in full, the likeliest first. */
async function likeliestOf(
  cases: readonly TracedCase[],
  hypothesisOf: HypothesisOf,
  turns: Turns,
): Promise<{ readonly likeliest: readonly Rough[]; readonly count: number }> {
  let likeliest: Rough[] = [];
  let count = 0;
  for (const [person, explains] of await timesExplaining(cases, turns)) {
    if (turns.isOver) await turns.next();
    if (explains < MIN_EXPLAINED) continue;
    count += 1;
    const rowOf: RowOf = ({ sources }) => sources.get(person);
    const rough = { person, likelihood: logLikelihood(hypothesisOf(person, rowOf)) };
    const last = likeliest.at(MAX_WEIGHED - 1);
    if (last === undefined || byLikelihood(rough, last) < 0)
      likeliest = [...likeliest, rough].sort(byLikelihood).slice(0, MAX_WEIGHED);
  }
  return { likeliest, count };
}

/** By person: how many cases it explains, itself among them. */
async function timesExplaining(
  cases: readonly TracedCase[],
  turns: Turns,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const { sources } of cases)
    for (const person of sources.keys()) {
      times.set(person, (times.get(person) ?? 0) + 1);
      if (turns.isOver) await turns.next();
    }
  for (const { tag } of cases) if (times.has(tag)) times.set(tag, (times.get(tag) ?? 0) + 1);
  return times;
}

interface Weighing {
  readonly trace: Trace;
  readonly request: ClusterRequest;
  readonly cases: readonly TracedCase[];
  readonly hypothesisOf: HypothesisOf;
}

/** What a source infectious in this period explains, and whom it would have reached besides. */
interface WeighedPeriod {
  readonly period: Period;
  /** By case; none of those that it does not explain. */
  readonly rows: ReadonlyMap<TracedCase, ReachedPerson>;
  readonly others: Others;
  readonly logLikelihood: number;
}

/** None where no period explains two cases. */
async function bestPeriod(
  person: string,
  weighing: Weighing,
  turns: Turns,
): Promise<WeighedPeriod | undefined> {
  const { request, cases, hypothesisOf } = weighing;
  const least = MIN_EXPLAINED - (cases.some(({ tag }) => tag === person) ? 1 : 0);
  const lasts = cases.flatMap(({ sources }) => sources.get(person)?.earliestAt ?? []);
  let best: WeighedPeriod | undefined;
  for (const period of periodsOver(lasts, request.infectiousSeconds ?? Infinity, least)) {
    const { others, ahead } = await reachedFrom(person, period, weighing, turns);
    const rows = new Map<TracedCase, ReachedPerson>();
    for (const one of cases) {
      const row = rowWithin(period, one.sources.get(person), ahead.get(one.tag), one.due);
      if (row) rows.set(one, row);
    }
    if (rows.size < least) continue;
    const unknown = others.unknown.logChances;
    const likelihood = logLikelihood({ ...hypothesisOf(person, (one) => rows.get(one)), unknown });
    if (best === undefined || likelierFirst(likelihood, best.logLikelihood) < 0)
      best = { period, rows, others, logLikelihood: likelihood };
  }
  return best;
}

/** Whom a source would have reached besides the cases. */
interface Others {
  readonly count: number;
  /** As many as a trace lists. */
  readonly unknown: Unknown;
}

/** `ahead`: the cases among those reached, by tag. */
async function reachedFrom(
  person: string,
  { from }: Period,
  { trace, request, cases }: Weighing,
  turns: Turns,
): Promise<{ readonly others: Others; readonly ahead: ReadonlyMap<string, ReachedPerson> }> {
  const asked = { ...settingsOf(request), case: person, direction: 'forward', from } as const;
  const { reached, reachedCount } = await reachedIn(trace, asked);
  const known = new Set(cases.map(({ tag }) => tag));
  const ahead = new Map<string, ReachedPerson>();
  const unknown = new Unknown();
  for (const row of reached) {
    if (known.has(row.person)) ahead.set(row.person, row);
    else unknown.add(row);
    if (turns.isOver) await turns.next();
  }
  return { others: { count: reachedCount - ahead.size, unknown }, ahead };
}

function sourceOf(
  person: string,
  cases: readonly TracedCase[],
  { period, rows, others }: WeighedPeriod,
): PersonSource {
  return {
    kind: 'person',
    person,
    isCase: cases.some(({ tag }) => tag === person),
    score: 0,
    explains: [...rows].map(([one, row]) => explainedBy(row, one, person, period)),
    infectiousBy: period.from,
    othersReached: others.count,
    othersExpected: others.unknown.expected,
  };
}

function explainedBy(
  { hop, score, path }: ReachedPerson,
  { tag, sources }: TracedCase,
  person: string,
  { from, until }: Period,
): ExplainedCase {
  const last = sources.get(person)?.earliestAt ?? from;
  const isInPeriod = last >= from && last <= until;
  return { case: tag, hop, score, passedOnBy: isInPeriod ? last : (path[0]?.start ?? from), path };
}
