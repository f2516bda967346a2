/** What the trace bench and the process that is Firebreak in it (ours-run.ts) say to each other; one thing at a time. */
import type { ClusterRequest } from '../../tracer/cluster/cluster-result.js';
import type { WalkRequest } from '../../tracer/looks/trace-result.js';
import type { ExplainedRow, Question } from './question.js';

export type ToOurs =
  | { readonly kind: 'build'; readonly dir: string; readonly files: readonly string[] }
  | { readonly kind: 'open'; readonly dir: string }
  | { readonly kind: 'memory' }
  /** Rows are given for as many people as `list` says. */
  | { readonly kind: 'ask'; readonly question: Question; readonly list: number }
  /** All of them, one after the other, as a program asks SQLite. */
  | { readonly kind: 'askAll'; readonly questions: readonly Question[]; readonly list: number }
  /** `dir`: of a deployment whose ledger runs, or starts. */
  | {
      readonly kind: 'recorded';
      readonly dir: string;
      readonly questions: readonly Question[];
    }
  | { readonly kind: 'live'; readonly files: readonly string[]; readonly questions: readonly Question[] }
  | { readonly kind: 'cluster'; readonly request: ClusterRequest }
  /** Begun, and called off after so long. */
  | { readonly kind: 'clusterCalledOff'; readonly request: ClusterRequest; readonly afterMs: number }
  /** Asked while the contacts of these days come in. */
  | {
      readonly kind: 'clusterLive';
      readonly request: ClusterRequest;
      readonly files: readonly string[];
    }
  | { readonly kind: 'entriesOf'; readonly walks: readonly WalkRequest[] };

export interface Built {
  readonly seconds: number;
  /** The most this process ever took, and what it takes now. */
  readonly peakBytes: number;
  readonly residentBytes: number;
}

export interface Opened {
  readonly seconds: number;
  readonly residentBytes: number;
  /** Of all segments: bytes in memory, and entries in rows, two a contact. */
  readonly segmentBytes: number;
  readonly entries: number;
}

export interface Asked {
  /** The walk alone; and all of the trace, with scores and paths in words. */
  readonly walkMs: number;
  readonly traceMs: number;
  readonly reached: number;
  readonly rows: readonly ExplainedRow[];
  readonly residentBytes: number;
}

/** Milliseconds of traces while nothing else went on, and while contacts came in. */
export interface Lived {
  /** With nothing coming in: before the last day came, and with it there. */
  readonly beforeMs: readonly number[];
  readonly afterMs: readonly number[];
  readonly liveMs: readonly number[];
  readonly contacts: number;
  /** What tags told of them: one word or two of each. */
  readonly words: number;
  readonly seconds: number;
}

/** A cluster found and its look sealed; what a ledger does with the record is not in it. */
export interface Clustered {
  readonly ms: number;
  /** Of that, of the walks with their way to the thread and back. */
  readonly walkMs: number;
  /** The longest that nobody else had a turn on the thread that asks. */
  readonly blockedMs: number;
  readonly walks: readonly WalkRequest[];
  /** Why there is no answer: the code of the error. */
  readonly refused?: string;
  readonly candidates: number;
  readonly weighed: number;
  /** Named in the record of the look. */
  readonly recorded: number;
  /** The most that was seen, and what is left once it was over. */
  readonly peakBytes: number;
  readonly residentBytes: number;
}

export interface CalledOff {
  /** From the call to its end, for whoever asked and for the threads that walk. */
  readonly endedMs: number;
  readonly freeMs: number;
  /** Whether it had not been answered before. */
  readonly wasUnderWay: boolean;
}

export interface ClusterLived {
  readonly clustered: Clustered;
  readonly contacts: number;
  readonly seconds: number;
  /** Whether the question was still under way when all had come in. */
  readonly wasUnderWay: boolean;
}

/** Milliseconds by case, of the walk alone and of the whole request. */
export interface Recorded {
  readonly walkMs: readonly (readonly number[])[];
  readonly requestMs: readonly (readonly number[])[];
}

export interface Answers {
  readonly build: Built;
  readonly open: Opened;
  readonly memory: { readonly residentBytes: number };
  readonly ask: Asked;
  readonly askAll: readonly Pick<Asked, 'walkMs' | 'traceMs'>[];
  readonly recorded: Recorded;
  readonly live: Lived;
  readonly cluster: Clustered;
  readonly clusterCalledOff: CalledOff;
  readonly clusterLive: ClusterLived;
  /** Entries of segments and rows of live tables that the walks went over, in all. */
  readonly entriesOf: number;
}

export type FromOurs = { readonly answer: Answers[keyof Answers] } | { readonly failed: string };
