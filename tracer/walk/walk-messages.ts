/**
 * What goes between a tracer and a thread that walks for it: a question one way, what the walk found or threw the other.
 * Of a view a thread is told what it does not have yet: most of the time nothing but the version, since its columns lie in
 * shared memory and only a new segment or table brings new ones.
 */
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { AskerError } from '../asker-error.js';
import type { ColdEvidence } from '../contacts/cold-evidence.js';
import type { ContactView } from '../contacts/view.js';
import type { PresenceSnapshot } from '../presence/snapshot.js';
import type { WalkRequest } from '../looks/trace-result.js';
import type { TraceWalks } from './trace-walks.js';

export interface WalkQuestion {
  readonly view: ViewNews;
  readonly request: WalkRequest;
  /** Who was where; wanted for a request with presence. */
  readonly presence?: PresenceSnapshot | undefined;
  /** Of the view's segments; wanted for another class of attenuation than near. Stays open until there is an outcome. */
  readonly evidence?: readonly ColdEvidence[] | undefined;
}

/** Nothing is asked: the thread lets go of what is of no view any more. There is no outcome. */
export type ViewShown = Pick<WalkQuestion, 'view'>;

export type WalkOutcome =
  | { readonly kind: 'walked'; readonly walks: TraceWalks }
  | {
      readonly kind: 'threw';
      readonly code: ErrorCode | undefined;
      readonly message: string;
      /** Whether it is for whoever asked. */
      readonly isForAsker: boolean;
    };

export interface ViewNews {
  readonly version: number;
  readonly keepFrom: number;
  readonly count: number;
  /** Absent when its columns are those of the view before. */
  readonly view: ContactView | undefined;
}

export function newsOf(view: ContactView, before: ContactView | undefined): ViewNews {
  const isKnown = before !== undefined && haveSameColumns(view, before);
  const { version, keepFrom } = view;
  return { version, keepFrom, count: view.people.count, view: isKnown ? undefined : view };
}

/** The view that the news are of. */
export function viewAfter(
  { version, keepFrom, count, view }: ViewNews,
  before: ContactView | undefined,
): ContactView {
  const known = view ?? before;
  if (known === undefined) throw new RangeError('the first news of a view hold all of it');
  return { ...known, version, keepFrom, people: { ...known.people, count } };
}

function haveSameColumns(one: ContactView, other: ContactView): boolean {
  return (
    one.segments.length === other.segments.length &&
    one.live.length === other.live.length &&
    haveSameArrays(one.people, other.people) &&
    haveSameArrays(one.replaced, other.replaced) &&
    one.segments.every((segment, k) => haveSameArrays(segment, other.segments[k] ?? {})) &&
    one.live.every((table, k) => haveSameArrays(table, other.live[k] ?? {}))
  );
}

/** Ids are compared too; of the people only the count may differ, which the news tell. */
function haveSameArrays(one: object, other: object): boolean {
  const others = new Map<string, unknown>(Object.entries(other));
  return Object.entries(one).every(([name, value]: [string, unknown]) => {
    const rival = others.get(name);
    return name === 'count' || value === rival || isSameMemory(value, rival);
  });
}

const isSameMemory = (one: unknown, other: unknown): boolean =>
  ArrayBuffer.isView(one) &&
  ArrayBuffer.isView(other) &&
  one.buffer === other.buffer &&
  one.byteOffset === other.byteOffset &&
  one.byteLength === other.byteLength;

/** What was thrown, in a form that can be posted. */
export function threw(error: unknown): WalkOutcome {
  const code = error instanceof FirebreakError ? error.code : undefined;
  const { message } = asError(error);
  return { kind: 'threw', code, message, isForAsker: error instanceof AskerError };
}

/** Throws what the walk threw. */
export function walksOf(outcome: WalkOutcome): TraceWalks {
  if (outcome.kind === 'walked') return outcome.walks;
  const { code, message, isForAsker } = outcome;
  if (code === undefined) throw new Error(message);
  throw isForAsker ? new AskerError(code, message) : new FirebreakError(code, message);
}
