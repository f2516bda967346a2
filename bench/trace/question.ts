/** What all are asked in the trace bench, and what they must agree on. Times are unix seconds. */
import { FirebreakError } from '../../protocol/errors.js';
import { seededRandom } from '../../radio/random.js';
import type { TraceRequest } from '../../tracer/trace-result.js';

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

/** A system that has the contacts and answers; `ask` is what is timed, the answer in hand at its end. */
export interface Answerer {
  readonly name: string;
  readonly ask: (question: Question) => Promise<readonly Row[]> | readonly Row[];
}

const CASES = 20;
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

/** Throws for the first row in which two answers differ. */
export function requireSame(
  question: Question,
  name: string,
  rows: readonly Row[],
  expected: readonly Row[],
): void {
  for (let k = 0; k < Math.max(rows.length, expected.length); k++) {
    const [mine, theirs] = [String(rows[k]), String(expected[k])];
    if (mine !== theirs)
      throw new Error(`${name} says of case ${question.person}, row ${k}: ${mine}, and not ${theirs}`);
  }
}

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
