/** People as common sources: everybody from whom walks lead to two cases or more. */
import type { ReachedPerson } from '../trace-result.js';
import type { Turns } from '../turns.js';
import { onsetWeight, reachedIn, settingsOf } from './case-traces.js';
import type { TracedCase } from './case-traces.js';
import { MAX_SOURCES } from './cluster-result.js';
import type { ClusterRequest, ExplainedCase, PersonSource, Trace } from './cluster-result.js';
import type { Explained } from './explained.js';
import { logLikelihood, Unknown } from './model.js';
import type { Chance, Hypothesis } from './model.js';

/** A source that is weighed; its score follows when all are. */
export interface Weighed<Source> {
  readonly source: Source;
  readonly logLikelihood: number;
}

export interface WeighedPeople {
  /** The most likely ones. */
  readonly weighed: readonly Weighed<PersonSource>[];
  /** All that have two cases in common. */
  readonly count: number;
}

/** A case that is the source explains itself. */
const MIN_EXPLAINED = 2;

/**
 * Weighs all candidates by the cases they explain, and the best of them by the others they would have reached as well. Throws
 * what the trace and the turns throw.
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
  for (const { person } of likeliest) {
    const others = await othersReached(trace, request, { cases, person }, turns);
    const unknown = others.unknown.logChances;
    weighed.push({
      source: sourceOf(person, cases, others),
      logLikelihood: logLikelihood({ ...hypothesisOf(person), unknown }),
    });
    if (turns.isOver) await turns.next();
  }
  return { weighed, count };
}

/** The cases, and what they explain of each other. */
export interface CasesExplained {
  readonly cases: readonly TracedCase[];
  readonly explained: Explained;
}

type HypothesisOf = (person: string) => Hypothesis;

function hypotheses(cases: readonly TracedCase[], explained: Explained): HypothesisOf {
  const known = new Map(cases.map((one) => [one.tag, one]));
  return (person) => {
    const itself = known.get(person);
    const chanceOf = (one: TracedCase): Chance | undefined => {
      const row = one.sources.get(person);
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
  y.likelihood - x.likelihood || Number(x.person) - Number(y.person);

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
    const rough = { person, likelihood: logLikelihood(hypothesisOf(person)) };
    const last = likeliest.at(MAX_SOURCES - 1);
    if (last === undefined || byLikelihood(rough, last) < 0)
      likeliest = [...likeliest, rough].sort(byLikelihood).slice(0, MAX_SOURCES);
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

/** Whom a source would have reached besides the cases. */
interface Others {
  /** By when it was infectious. */
  readonly infectiousBy: number;
  readonly count: number;
  /** As many as a trace lists. */
  readonly unknown: Unknown;
}

async function othersReached(
  trace: Trace,
  request: ClusterRequest,
  { cases, person }: { readonly cases: readonly TracedCase[]; readonly person: string },
  turns: Turns,
): Promise<Others> {
  const infectiousBy = lastStart(person, cases, request.to);
  const asked = {
    ...settingsOf(request),
    case: person,
    direction: 'forward',
    from: infectiousBy,
  } as const;
  const { reached, reachedCount } = await reachedIn(trace, asked);
  const known = new Set(cases.map(({ tag }) => tag));
  const unknown = new Unknown();
  for (const row of reached) {
    if (!known.has(row.person)) unknown.add(row);
    if (turns.isOver) await turns.next();
  }
  return { infectiousBy, count: reachedCount - (reached.length - unknown.count), unknown };
}

/** By when the source was infectious if it infected all cases that walks lead to. */
function lastStart(person: string, cases: readonly TracedCase[], to: number): number {
  const starts = cases.map(({ sources }) => sources.get(person)?.earliestAt ?? to);
  return starts.reduce((x, y) => Math.min(x, y), to);
}

function sourceOf(
  person: string,
  cases: readonly TracedCase[],
  { infectiousBy, count, unknown }: Others,
): PersonSource {
  return {
    kind: 'person',
    person,
    isCase: cases.some(({ tag }) => tag === person),
    score: 0,
    explains: cases.flatMap(({ tag, sources }) => explainedBy(sources.get(person), tag)),
    infectiousBy,
    othersReached: count,
    othersExpected: unknown.expected,
  };
}

function explainedBy(row: ReachedPerson | undefined, tag: string): ExplainedCase[] {
  if (row === undefined) return [];
  const { hop, score, earliestAt: passedOnBy, path } = row;
  return [{ case: tag, hop, score, passedOnBy, path }];
}
