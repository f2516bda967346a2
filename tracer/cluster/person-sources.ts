/** People as common sources: everybody from whom walks lead to two cases or more. */
import type { ReachedPerson } from '../trace-result.js';
import { chancesFromCases, onsetWeight, rowsOf, settingsOf } from './case-traces.js';
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
export function weighPeople(
  trace: Trace,
  request: ClusterRequest,
  cases: readonly TracedCase[],
): WeighedPeople {
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
  const weighed = rough.slice(0, MAX_SOURCES).map(({ person, hypothesis }) => {
    const infectiousBy = lastStart(person, cases, request.to);
    const rows = rowsOf(trace, {
      ...settingsOf(request),
      case: person,
      direction: 'forward',
      from: infectiousBy,
    });
    const others = rows.filter((row) => !known.has(row.person));
    return {
      source: sourceOf(person, cases, { infectiousBy, others }),
      logLikelihood: logLikelihood({ ...hypothesis, others }),
    };
  });
  return { weighed, count: candidates.length };
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
  { infectiousBy, others }: { readonly infectiousBy: number; readonly others: readonly ReachedPerson[] },
): PersonSource {
  return {
    kind: 'person',
    person,
    isCase: cases.some(({ tag }) => tag === person),
    score: 0,
    explains: cases.flatMap(({ tag, sources }) => explainedBy(sources.get(person), tag)),
    infectiousBy,
    othersReached: others.length,
    othersExpected: others.reduce((sum, { score }) => sum + score, 0),
  };
}

function explainedBy(row: ReachedPerson | undefined, tag: string): ExplainedCase[] {
  if (row === undefined) return [];
  const { hop, score, earliestAt: passedOnBy, path } = row;
  return [{ case: tag, hop, score, passedOnBy, path }];
}
