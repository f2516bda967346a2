/** What a trace is asked, and what it answers (tracing.md, "Output of a trace"). Times are unix seconds. */
import type { AttenuationClass } from '../walk/lens.js';
import type { Window } from './window.js';

export const MAX_HOPS = 16;
/** Of a question that does not say, over HTTP and in commands. */
export const DEFAULT_HOPS = 3;
/** A quarter of an hour (tracing.md, "Contact"). */
export const DEFAULT_MIN_SECONDS = 900;
/** Two days. */
export const DEFAULT_LATENT_SECONDS = 172_800;

export type Direction = 'forward' | 'backward' | 'both';

export interface TraceRequest {
  /** The index case: a tag number in decimal digits. */
  readonly case: string;
  readonly direction: Direction;
  readonly hops: number;
  readonly from: number;
  readonly to: number;
  readonly minSeconds: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds?: number;
  /** Which seconds count towards minSeconds: those of this class and of the nearer ones; `near` by default. */
  readonly attenuation?: AttenuationClass;
  /** Whether co-presence at a gateway counts as contact; it does not by default. */
  readonly presence?: boolean;
  /** At most this many people are listed, of each list; 10,000 by default. */
  readonly list?: number;
}

/** What is walked: a question of the tracer's own may ask for more than one from outside. */
export interface WalkRequest extends TraceRequest {
  /**
   * The infectious period does not bind those whom the walk starts from. Backward from somebody who was
   * infected by `to`, at any time before, and not so that they were infectious at `to`.
   */
  readonly endlessStarts?: boolean;
}

export interface PathStep {
  readonly from: string;
  readonly to: string;
  readonly start: number;
  readonly end: number;
  readonly nearSeconds: number;
  readonly mutual: boolean;
  readonly ledger: readonly number[];
  /** Of a step by co-presence: the id of the gateway in hexadecimal digits. */
  readonly gateway?: string;
}

export interface ReachedPerson {
  readonly person: string;
  readonly hop: number;
  readonly exposedAt: number;
  readonly earliestAt: number;
  readonly score: number;
  readonly path: readonly PathStep[];
  /** In a trace both ways: where the path begins, the case or one of its possible sources. */
  readonly source?: string;
}

export interface TraceResult extends TraceRequest {
  /** People reached, listed or not. */
  readonly reachedCount: number;
  /** By hop, then exposedAt, then person; the first of them where there are more than are to be listed. */
  readonly reached: readonly ReachedPerson[];
  /** In a trace both ways: the people of the backward rows, listed or not. */
  readonly sourceCount?: number;
  /** In a trace both ways: the backward rows, as many as are to be listed. */
  readonly sources?: readonly ReachedPerson[];
  /** By presence: stays are known from here on, those before had to go. Absent where all of the window is known. */
  readonly presenceFrom?: number;
  /**
   * What time is known: from the first contact to the last, by presence of the stays too. Present only where all of
   * the window lies before or after it: then that nobody was found says nothing.
   */
  readonly known?: Window;
  /**
   * Reports and approvals of gateways that the ledger has lost or holds damaged: what they tell is not in it.
   * Absent of contacts that came from no ledger.
   */
  readonly missingReports?: number;
}
