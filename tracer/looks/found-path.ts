/** The one path of a trace that leads to a person. */
import { AskerError } from '../asker-error.js';
import type { ContactView } from '../contacts/view.js';
import { presenceFromIn } from '../presence/presence-view.js';
import type { TraceWords } from './rows-told.js';
import { rowOfPerson, withSource } from './trace.js';
import type { ReachedPerson, TraceRequest } from './trace-result.js';
import type { TraceWalks } from '../walk/trace-walks.js';

export interface FoundPath {
  readonly person: ReachedPerson;
  /** Whether the trace reached the person, or names it as a source. */
  readonly as: 'reached' | 'source';
  /** As of {@link TraceResult}. */
  readonly presenceFrom?: number;
}

/** A path that is looked for: of which trace, and to whom. */
type PathRequest = Pick<TraceRequest, 'case' | 'from'> & { readonly person: string };

/** Throws `not-found` where none does, and what `ledgerOf` throws. */
export function pathIn(
  { people }: ContactView,
  { reached, sources }: TraceWalks,
  { person, ...request }: PathRequest,
  words: TraceWords,
): FoundPath {
  const gap = presenceFromIn(words.presence, request.from);
  const row = rowOfPerson(people, reached, Number(person), words);
  if (row) return { as: 'reached', person: sources ? withSource(row, request) : row, ...gap };
  const source = sources && rowOfPerson(people, sources, Number(person), words);
  if (source) return { as: 'source', person: source, ...gap };
  throw new AskerError('not-found', `no path of this trace leads to that person${inWords(gap)}`);
}

/** A path by stays that had to go may have led there. */
const inWords = ({ presenceFrom }: Pick<FoundPath, 'presenceFrom'>): string =>
  presenceFrom === undefined
    ? ''
    : `, and stays at gateways are known from ${new Date(presenceFrom * 1000).toISOString()} on only`;
