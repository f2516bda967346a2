/**
 * A trace: its bounds, its walks, and what they found in words of tag numbers (tracing.md). Reads no clock,
 * writes nothing.
 */
import { tagNumberIn } from '../../protocol/brands.js';
import { AskerError } from '../asker-error.js';
import type { People } from '../contacts/people.js';
import type { ContactView } from '../contacts/view.js';
import { presenceFromIn } from '../presence/presence-view.js';
import { RowTeller } from './rows-told.js';
import type { TraceWords } from './rows-told.js';
import { MAX_HOPS } from './trace-result.js';
import type { ReachedPerson, TraceRequest, TraceResult, WalkRequest } from './trace-result.js';
import { MAX_LIST } from '../walk/order.js';
import { DEFAULT_LIST, walkTrace } from '../walk/trace-walks.js';
import type { TraceWalkOptions, TraceWalks } from '../walk/trace-walks.js';
import type { WalkResult } from '../walk/walk-result.js';
import { WalkWorkspace } from '../walk/workspace.js';

export interface TraceOptions extends TraceWalkOptions, TraceWords {
  /** Kept from trace to trace by whoever asks often. */
  readonly space?: WalkWorkspace;
}

/**
 * Walks and tells, in one go, on this thread. Throws `input` for a request out of bounds, and what
 * {@link walkTrace} and `ledgerOf` throw.
 */
export function trace(view: ContactView, request: WalkRequest, options: TraceOptions = {}): TraceResult {
  requireBounds(request);
  const walks = walkTrace(view, request, options.space ?? new WalkWorkspace(), options);
  return traceResult(view.people, request, walks, options);
}

/** Throws `input` for what is no tag number, by the name that the question has for it. */
export function requireTagNumber(name: string, digits: string): void {
  if (tagNumberIn(digits) === undefined)
    throw new AskerError('input', `${name} “${digits}” is not a tag number`);
}

/** Throws `input`. */
export function requireBounds(request: TraceRequest): void {
  const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds = 0, list = 0 } = request;
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
  const require = (holds: boolean, problem: string) => {
    if (!holds) throw new AskerError('input', problem);
  };
  requireTagNumber('case', request.case);
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
  const result = resultOf(request, walks, rowsOf(walks.reached), walks.sources && rowsOf(walks.sources));
  return { ...result, ...gapIn(request, words) };
}

interface TellingOptions extends TraceWords {
  readonly signal?: AbortSignal | undefined;
}

/**
 * As {@link traceResult}, while others have their turns on this thread. No more rows than are to be listed,
 * though the walks may have more. Throws the reason of the signal too.
 */
export async function traceResultInTurns(
  people: People,
  request: TraceRequest,
  walks: TraceWalks,
  { signal, ...words }: TellingOptions,
): Promise<TraceResult> {
  const { list = DEFAULT_LIST } = request;
  const rowsOf = (result: WalkResult) => {
    const listed = Array.from({ length: Math.min(list, result.person.length) }, (_, row) => row);
    return new RowTeller(people, result, words).rowsInTurns(listed, signal);
  };
  const rows = await rowsOf(walks.reached);
  const result = resultOf(request, walks, rows, walks.sources && (await rowsOf(walks.sources)));
  return { ...result, ...gapIn(request, words) };
}

/**
 * The result of a trace both ways, with all the sources that its paths begin at: those too that its list leaves
 * out, as far as the walk has them. They come after the others, as in a longer list. Throws as
 * {@link traceResultInTurns}.
 */
export async function withBeginnings(
  people: People,
  result: TraceResult,
  walked: WalkResult | undefined,
  { signal, ...words }: TellingOptions,
): Promise<TraceResult> {
  const { sources, reached } = result;
  if (sources === undefined || walked === undefined) return result;
  const begun = new Set(reached.map(({ source }) => Number(source)));
  const wanted = [...walked.person.keys()].filter(
    (row) => row >= sources.length && begun.has(people.tags[walked.person[row]!]!),
  );
  const further = await new RowTeller(people, walked, words).rowsInTurns(wanted, signal);
  return { ...result, sources: [...sources, ...further] };
}

const gapIn = ({ presence, from }: TraceRequest, words: TraceWords) =>
  presence ? presenceFromIn(words.presence, from) : {};

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
    reached: rows.map((row) => withSource(row, request)),
    sourceCount: sources.reachedCount,
    sources: sourceRows,
  };
}

/** Somebody reached in a trace both ways: the row says where its path begins. */
export const withSource = (row: ReachedPerson, request: Pick<TraceRequest, 'case'>): ReachedPerson => ({
  ...row,
  source: row.path[0]?.from ?? request.case,
});

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
