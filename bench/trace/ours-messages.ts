/** What the trace bench and the process that is Firebreak in it (ours-run.ts) say to each other; one thing at a time. */
import type { ExplainedRow, Question } from './question.js';

export type ToOurs =
  | { readonly kind: 'build'; readonly dir: string; readonly files: readonly string[] }
  | { readonly kind: 'open'; readonly dir: string }
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
  | { readonly kind: 'live'; readonly files: readonly string[]; readonly questions: readonly Question[] };

export interface Built {
  readonly seconds: number;
  /** The most this process ever took, and what it takes now. */
  readonly peakBytes: number;
  readonly residentBytes: number;
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
  readonly seconds: number;
}

/** Milliseconds by case, of the walk alone and of the whole request. */
export interface Recorded {
  readonly walkMs: readonly (readonly number[])[];
  readonly requestMs: readonly (readonly number[])[];
}

export interface Answers {
  readonly build: Built;
  readonly open: { readonly seconds: number; readonly residentBytes: number };
  readonly ask: Asked;
  readonly askAll: readonly Pick<Asked, 'walkMs' | 'traceMs'>[];
  readonly recorded: Recorded;
  readonly live: Lived;
}

export type FromOurs = { readonly answer: Answers[keyof Answers] } | { readonly failed: string };
