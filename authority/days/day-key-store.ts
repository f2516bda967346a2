/**
 * Where the authority keeps its day keys (protocol.md §3). Implementations: day-key-store-memory.ts, and private files
 * in cli/. Whoever holds a day's keys can read that day's reports: nothing but the store and its reader ever sees them.
 */
import { FirebreakError, type ErrorCode } from '../../protocol/errors.js';
import type { DayKeys } from '../../protocol/keys.js';

export interface DayKeyStore {
  /**
   * `undefined` for a day whose keys were never made or are destroyed. Throws `damaged` for keys that cannot be read,
   * `permission` for keys that others can read too.
   */
  get(day: number): Promise<DayKeys | undefined>;
  /** On disk, synced, when it resolves. Throws `exists` rather than replace a day's keys, `day` for a day that was destroyed. */
  put(keys: DayKeys): Promise<void>;
  /** Puts what stands in the place of a day's keys and cannot be read out of the way; it goes when the day is destroyed. */
  setAside(day: number): Promise<void>;
  /** The days that have keys, ascending. */
  list(): Promise<readonly number[]>;
  /**
   * Why the keys that a day has cannot be read now: destroyed like that, copies of them could never be known. `undefined`
   * where they can be, and for a day whose keys are damaged or not there.
   */
  whyUnread(day: number): Promise<Error | undefined>;
  /**
   * Gone for good when it resolves, beyond recovery as far as the medium allows: `get`, `list` and `put` know the days as
   * destroyed from the first moment on, whatever copy of their keys comes back. Before the keys go, copies of them are looked
   * for as in `removeStray`, which takes its time. A day without keys is no error.
   */
  destroy(days: readonly number[]): Promise<CopySearch>;
  /** Looks for copies of destroyed keys wherever the store can, and removes them. Rejects with the signal's reason. */
  removeStray(signal: AbortSignal): Promise<CopySearch>;
}

/** What a search for copies of destroyed keys came to. */
export interface CopySearch {
  /** The days of which copies were found, each once, ascending. */
  readonly found: readonly number[];
  /** Why one of them could not be removed or looked for everywhere, the first of these; all else was done. */
  readonly failure: Error | undefined;
}

/** Refusals of whoever asks everywhere else; of the store they are the authority's own trouble, and name its files. */
const OF_THE_STORE: ReadonlySet<ErrorCode> = new Set([
  'permission',
  'input',
  'unconfirmed',
  'exists',
] as const);

/** What the store was asked for somebody who asks from afar. Its own troubles become `damaged`, of which they hear nothing. */
export async function forAsker<T>(reading: Promise<T>): Promise<T> {
  return reading.catch((cause: unknown) => {
    if (!(cause instanceof FirebreakError) || !OF_THE_STORE.has(cause.code)) throw cause;
    throw new FirebreakError('damaged', `day keys cannot be used: ${cause.message}`, { cause });
  });
}
