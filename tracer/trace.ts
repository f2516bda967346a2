/** A trace: its bounds, its walks, and what they found in words of tag numbers (tracing.md). Reads no clock, writes nothing. */
import { FirebreakError } from '../protocol/errors.js';
import type { People } from './contacts/people.js';
import type { ContactView } from './contacts/view.js';
import { RowTeller } from './rows-told.js';
import type { TraceWords } from './rows-told.js';
import { MAX_HOPS } from './trace-result.js';
import type { ReachedPerson, TraceRequest, TraceResult } from './trace-result.js';
import { MAX_LIST } from './walk/order.js';
import { walkTrace } from './walk/trace-walks.js';
import type { TraceWalkOptions, TraceWalks } from './walk/trace-walks.js';
import type { WalkResult } from './walk/walk-result.js';
import { WalkWorkspace } from './walk/workspace.js';

const MAX_TAG_NUMBER = 2 ** 48 - 1;

export interface TraceOptions extends TraceWalkOptions, TraceWords {
  /** Kept from trace to trace by whoever asks often. */
  readonly space?: WalkWorkspace;
}

/**
 * Walks and tells, in one go, on this thread. Throws `input` for a request out of bounds, and what {@link walkTrace} and
 * `ledgerOf` throw.
 */
export function trace(view: ContactView, request: TraceRequest, options: TraceOptions = {}): TraceResult {
  requireBounds(request);
  const walks = walkTrace(view, request, options.space ?? new WalkWorkspace(), options);
  return traceResult(view.people, request, walks, options);
}

/** Throws `input`. */
export function requireBounds(request: TraceRequest): void {
  const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds = 0, list = 0 } = request;
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
  const require = (holds: boolean, problem: string) => {
    if (!holds) throw new FirebreakError('input', problem);
  };
  const isTag = /^\d{1,15}$/.test(request.case) && Number(request.case) <= MAX_TAG_NUMBER;
  require(isTag, `case “${request.case}” is not a tag number`);
  require(isCount(hops) && hops >= 1 && hops <= MAX_HOPS, `hops must be 1 to ${MAX_HOPS}`);
  require(isCount(from) && isCount(to), 'the window is in whole unix seconds');
  require(from <= to, 'the window ends before it begins');
  const seconds = [minSeconds, latentSeconds, infectiousSeconds];
  require(seconds.every(isCount), 'seconds are whole numbers, and not negative');
  require(isCount(list) && list <= MAX_LIST, `a list has at most ${MAX_LIST} people`);
}

/** The walks of a request in words. `people`: of the view that was walked. Throws what `ledgerOf` throws. */
export function traceResult(
  people: People,
  request: TraceRequest,
  walks: TraceWalks,
  words: TraceWords = {},
): TraceResult {
  const rowsOf = (result: WalkResult) => new RowTeller(people, result, words).rows();
  return resultOf(request, walks, rowsOf(walks.reached), walks.sources && rowsOf(walks.sources));
}

/** As {@link traceResult}, while others have their turns on this thread. Throws the reason of the signal too. */
export async function traceResultInTurns(
  people: People,
  request: TraceRequest,
  walks: TraceWalks,
  { signal, ...words }: TraceWords & { readonly signal?: AbortSignal | undefined },
): Promise<TraceResult> {
  const rowsOf = (result: WalkResult) => new RowTeller(people, result, words).rowsInTurns(signal);
  const rows = await rowsOf(walks.reached);
  return resultOf(request, walks, rows, walks.sources && (await rowsOf(walks.sources)));
}

function resultOf(
  request: TraceRequest,
  { reached: { reachedCount }, sources }: TraceWalks,
  rows: readonly ReachedPerson[],
  sourceRows: readonly ReachedPerson[] | undefined,
): TraceResult {
  if (sources === undefined || sourceRows === undefined) return { ...request, reachedCount, reached: rows };
  return {
    ...request,
    reachedCount,
    reached: rows.map((row) => ({ ...row, source: row.path[0]?.from ?? request.case })),
    sourceCount: sources.reachedCount,
    sources: sourceRows,
  };
}

/** One person's row of a walk, if it is listed. Throws what `ledgerOf` throws. */
export function rowOfPerson(
  people: People,
  result: WalkResult,
  tag: number,
  words: TraceWords = {},
): ReachedPerson | undefined {
  const row = result.person.findIndex((person) => people.tags[person] === tag);
  return row === -1 ? undefined : new RowTeller(people, result, words).row(row);
}
