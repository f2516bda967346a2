/** What a trace is asked, and what it answers (tracing.md, "Output of a trace"). Times are unix seconds. */

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
}

export interface PathStep {
  readonly from: string;
  readonly to: string;
  readonly start: number;
  readonly end: number;
  readonly nearSeconds: number;
  readonly mutual: boolean;
  readonly ledger: readonly number[];
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
  /** By hop, then exposedAt, then person. */
  readonly reached: readonly ReachedPerson[];
  /** In a trace both ways: the backward rows. */
  readonly sources?: readonly ReachedPerson[];
}
