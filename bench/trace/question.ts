/** What all are asked in the trace bench, and what they must agree on. Times are unix seconds. */
import { FirebreakError } from '../../protocol/errors.js';
import { seededRandom } from '../../radio/random.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';

export interface Question {
  /** A tag number. */
  readonly person: number;
  readonly hops: number;
  readonly from: number;
  readonly to: number;
  readonly minSeconds: number;
  readonly latentSeconds: number;
}

/** Person, hop, exposedAt, earliestAt; ordered by hop, then exposedAt, then person (docs/tracing.md). */
export type Row = readonly [person: number, hop: number, exposedAt: number, earliestAt: number];

export type Step = readonly [
  from: number,
  to: number,
  start: number,
  end: number,
  nearSeconds: number,
  mutual: number,
];

/** The same with score and path. */
export type ExplainedRow = readonly [
  person: number,
  hop: number,
  exposedAt: number,
  earliestAt: number,
  score: number,
  path: readonly Step[],
];

/** A system that has the contacts and answers; `ask` is what is timed, the answer in hand at its end. */
export interface Answerer {
  readonly name: string;
  readonly ask: (question: Question) => Promise<readonly AnyRow[]> | readonly AnyRow[];
  /** Its rows have score and path. */
  readonly explains?: boolean;
}

export type AnyRow = Row | ExplainedRow;

const CASES = 20;
/** Products are taken in another order. */
const SCORE_TOLERANCE = 1e-9;
export const CLOSE_SECONDS = 900;
export const LATENT_SECONDS = 172_800;

/** Three hops forward over the whole window: an officer's question, of people drawn at random. */
export function questions(people: number, from: number, to: number): readonly Question[] {
  const random = seededRandom('trace bench');
  return Array.from({ length: CASES }, () => ({
    person: 1 + random.below(people),
    hops: 3,
    from,
    to,
    minSeconds: CLOSE_SECONDS,
    latentSeconds: LATENT_SECONDS,
  }));
}

/** Throws for the first row in which an answer differs from what is expected, of as much as it tells. */
export function requireSame(
  question: Question,
  name: string,
  rows: readonly AnyRow[],
  expected: readonly ExplainedRow[],
): void {
  for (let k = 0; k < Math.max(rows.length, expected.length); k++)
    if (!isSame(rows[k], expected[k]))
      throw new Error(
        `${name} says of case ${question.person}, row ${k}: ${String(rows[k])}, and not ${String(expected[k])}`,
      );
}

function isSame(row: AnyRow | undefined, expected: ExplainedRow | undefined): boolean {
  if (row === undefined || expected === undefined) return false;
  for (let k = 0; k < 4; k++) if (row[k] !== expected[k]) return false;
  const [, , , , score, path] = row;
  if (score === undefined) return true;
  return Math.abs(score - expected[4]) < SCORE_TOLERANCE && String(path) === String(expected[5]);
}

/** By hop, then exposedAt, then person. */
export const rowOrder = (x: AnyRow, y: AnyRow): number => x[1] - y[1] || x[2] - y[2] || x[0] - y[0];

/** As SQL gives it: the earliest hop and its time in one number, so that one minimum finds both. */
export const HOP_UNIT = 2 ** 32;
export function rowOf(person: number, first: number, earliestAt: number): Row {
  const exposedAt = first % HOP_UNIT;
  return [person, (first - exposedAt) / HOP_UNIT, exposedAt, earliestAt];
}

/** As the tracer is asked. */
export const requestOf = ({ person, ...rest }: Question): TraceRequest => ({
  case: String(person),
  direction: 'forward',
  ...rest,
});

/** Somebody who was in no contact reached nobody: so the peers have it. */
export async function unlessUnknown<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'not-found') return undefined;
    throw error;
  }
}
