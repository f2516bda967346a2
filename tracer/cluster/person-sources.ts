/** People as common sources: everybody from whom walks lead to two cases or more. */
import type { ReachedPerson } from '../trace-result.js';
import { chancesFromCases, onsetWeight, reachedIn, settingsOf } from './case-traces.js';
import type { TracedCase } from './case-traces.js';
import { MAX_SOURCES } from './cluster-result.js';
import type { ClusterRequest, ExplainedCase, PersonSource, Trace } from './cluster-result.js';
import { logLikelihood } from './model.js';
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

/** Weighs all candidates by the cases they explain, and the best of them by the others they would have reached as well. */
export async function weighPeople(
  trace: Trace,
  request: ClusterRequest,
  cases: readonly TracedCase[],
): Promise<WeighedPeople> {
  const known = new Map(cases.map((one) => [one.tag, one]));
  const candidates = [...new Set(cases.flatMap(({ sources }) => [...sources.keys()]))].filter((person) => {
    const explained = cases.filter(({ sources }) => sources.has(person)).length;
    return explained + (known.has(person) ? 1 : 0) >= MIN_EXPLAINED;
  });
  const rough = candidates.map((person) => {
    const hypothesis = hypothesisOf(person, cases, []);
    return { person, hypothesis, likelihood: logLikelihood(hypothesis) };
  });
  rough.sort((x, y) => y.likelihood - x.likelihood || Number(x.person) - Number(y.person));
  const weighed: Weighed<PersonSource>[] = [];
  for (const { person, hypothesis } of rough.slice(0, MAX_SOURCES)) {
    const others = await othersReached(trace, request, cases, person);
    weighed.push({
      source: sourceOf(person, cases, others),
      logLikelihood: logLikelihood({ ...hypothesis, others: others.listed }),
    });
  }
  return { weighed, count: candidates.length };
}

/** Whom a source would have reached besides the cases. */
interface Others {
  /** By when it was infectious. */
  readonly infectiousBy: number;
  readonly count: number;
  /** As many as a trace lists. */
  readonly listed: readonly ReachedPerson[];
}

async function othersReached(
  trace: Trace,
  request: ClusterRequest,
  cases: readonly TracedCase[],
  person: string,
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
  const listed = reached.filter((row) => !known.has(row.person));
  return { infectiousBy, count: reachedCount - (reached.length - listed.length), listed };
}

function hypothesisOf(
  person: string,
  cases: readonly TracedCase[],
  others: Hypothesis['others'],
): Hypothesis {
  const itself = cases.find(({ tag }) => tag === person);
  const rest = cases.filter((one) => one !== itself);
  const fromSource = (one: TracedCase): Chance | undefined => {
    const row = one.sources.get(person);
    return row && { score: row.score, hop: row.hop, weight: onsetWeight(itself, one) };
  };
  return {
    isCase: itself !== undefined,
    cases: rest.map((one) => ({ fromSource: fromSource(one), fromCases: chancesFromCases(one, rest) })),
    others,
  };
}

/** By when the source was infectious if it infected all cases that walks lead to. */
function lastStart(person: string, cases: readonly TracedCase[], to: number): number {
  const starts = cases.map(({ sources }) => sources.get(person)?.earliestAt ?? to);
  return starts.reduce((x, y) => Math.min(x, y), to);
}

function sourceOf(
  person: string,
  cases: readonly TracedCase[],
  { infectiousBy, count, listed }: Others,
): PersonSource {
  return {
    kind: 'person',
    person,
    isCase: cases.some(({ tag }) => tag === person),
    score: 0,
    explains: cases.flatMap(({ tag, sources }) => explainedBy(sources.get(person), tag)),
    infectiousBy,
    othersReached: count,
    othersExpected: listed.reduce((sum, { score }) => sum + score, 0),
  };
}

function explainedBy(row: ReachedPerson | undefined, tag: string): ExplainedCase[] {
  if (row === undefined) return [];
  const { hop, score, earliestAt: passedOnBy, path } = row;
  return [{ case: tag, hop, score, passedOnBy, path }];
}
