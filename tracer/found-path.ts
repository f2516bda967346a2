/** The one path of a trace that leads to a person. */
import { FirebreakError } from '../protocol/errors.js';
import type { ContactView } from './contacts/view.js';
import type { TraceWords } from './rows-told.js';
import { rowOfPerson } from './trace.js';
import type { ReachedPerson } from './trace-result.js';
import type { TraceWalks } from './walk/trace-walks.js';

export interface FoundPath {
  readonly person: ReachedPerson;
  /** Whether the trace reached the person, or names it as a source. */
  readonly as: 'reached' | 'source';
}

/** Throws `not-found` where none does, and what `ledgerOf` throws. */
export function pathIn(
  { people }: ContactView,
  { reached, sources }: TraceWalks,
  person: string,
  words: TraceWords,
): FoundPath {
  const row = rowOfPerson(people, reached, Number(person), words);
  if (row) return { as: 'reached', person: row };
  const source = sources && rowOfPerson(people, sources, Number(person), words);
  if (source) return { as: 'source', person: source };
  throw new FirebreakError('not-found', 'no path of this trace leads to that person; the look is recorded');
}
