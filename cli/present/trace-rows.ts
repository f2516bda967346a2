/** The people of a trace, each in one line: how far away, since when, how likely, and by which encounter. */
import pc from 'picocolors';
import type { PathStep, ReachedPerson, TraceResult } from '../../tracer/looks/trace-result.js';
import { duration, localSpan, localTime } from '../terminal/times.js';
import { scoreWords } from './score.js';

export type Way = 'forward' | 'backward';
export type ListOrder = 'hop' | 'score';

export interface Row {
  readonly person: ReachedPerson;
  /** The one next to them on the way: who may have infected them, or backward whom they may have. */
  readonly parent: string;
  readonly step: PathStep | undefined;
}

export function rowOf(person: ReachedPerson, way: Way): Row {
  const step = way === 'forward' ? person.path.at(-1) : person.path[0];
  return { person, step, parent: (way === 'forward' ? step?.from : step?.to) ?? '' };
}

/** Both lists by score, the highest first; equal ones stay as they were. */
export function byScore(trace: TraceResult): TraceResult {
  const sorted = (people: readonly ReachedPerson[]) =>
    people.toSorted((one, other) => other.score - one.score);
  const { reached, sources } = trace;
  return { ...trace, reached: sorted(reached), ...(sources && { sources: sorted(sources) }) };
}

/** As it stands under the one next to them, in a tree. */
export const describe = (row: Row, way: Way): string => wordsOf(row, way, []);

/** As it stands in a list, where the one next to them has to be named. */
export const describeAlone = (row: Row, way: Way): string =>
  wordsOf(row, way, [`${way === 'forward' ? 'from' : 'to'} ${row.parent.padEnd(6)}`]);

const WORDS = {
  forward: { exposed: 'exposed', otherwise: 'earliest' },
  backward: { exposed: 'last exposure', otherwise: 'by a longer way' },
} as const;

function wordsOf({ person, step }: Row, way: Way, next: readonly string[]): string {
  const { exposed, otherwise } = WORDS[way];
  const parts = [
    pc.bold(person.person.padEnd(6)),
    `hop ${person.hop}`,
    ...next,
    `${exposed} ${localTime(person.exposedAt)}`,
    `score ${scoreWords(person.score)}`,
  ];
  if (person.earliestAt !== person.exposedAt) parts.push(`${otherwise} ${localTime(person.earliestAt)}`);
  if (step) parts.push(pc.dim(evidence(step)));
  return parts.join('  ');
}

function evidence(step: PathStep): string {
  if (step.gateway !== undefined)
    return `at gateway ${step.gateway.slice(0, 8)} together, ${localSpan(step.start, step.end)}`;
  const sides = step.mutual ? 'seen by both' : 'seen by one';
  return `${duration(step.nearSeconds)} near, ${localSpan(step.start, step.end)}, ${sides}${ledgerOf(step)}`;
}

/** A synthetic city has no ledger. */
const ledgerOf = ({ ledger }: PathStep): string =>
  ledger.length === 0 ? '' : `, ledger ${ledger.join(' ')}`;
