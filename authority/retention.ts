/**
 * The end of days that left the retention window (protocol.md §3, §10): their keys are destroyed, then the ledger is told
 * to prune their payloads, both as entries.
 *
 * Crash cases. Each step is noted once it is on disk, and done again when it is not noted: an entry that goes out twice
 * is answered by the ledger with the index of the first, so nothing is in the log twice.
 */
import type { PostedEntry } from '../courier/courier.js';
import type { Clock } from '../protocol/clock.js';
import type { Log } from '../protocol/log.js';
import type { DayKeyStore } from './day-key-store.js';
import type { DayKeyring } from './day-keys.js';
import type { AuthorityEntries } from './entries.js';
import type { EndedDay, RetentionBook } from './retention-book.js';

/** Of the deployment's clock, after the ledger refused to prune. */
const REFUSED_PAUSE_MS = 600_000;

export interface RetentionDeps {
  readonly keyring: DayKeyring;
  readonly store: DayKeyStore;
  readonly book: RetentionBook;
  readonly entries: AuthorityEntries;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Retention {
  /**
   * Destroys the keys of the days before `oldest` and asks the ledger to prune their payloads; harmless to repeat. Its
   * answers are noted as they come: {@link Retention.settled}.
   */
  endBefore(oldest: number): Promise<void>;
  /** Resolves when the ledger has answered for every day it was asked to prune. Rejects with the signal's reason. */
  settled(signal: AbortSignal): Promise<void>;
  ended(): Promise<readonly EndedDay[]>;
  /** Waits for no answer any more. */
  close(): Promise<void>;
}

export function openRetention(deps: RetentionDeps): Retention {
  const { keyring, book, entries, clock, log } = deps;
  const closing = new AbortController();
  const underWay = new Map<number, Promise<void>>();
  let writing = Promise.resolve();
  let isSwept = false;
  let refusedUntilMs = 0;

  async function prune(day: number): Promise<void> {
    const posted = await entries.payloadsPruned(day);
    const answer = noted(day, posted).finally(() => underWay.delete(day));
    underWay.set(day, answer);
  }

  /** Never rejects: without an answer the day is asked for again. */
  async function noted(day: number, posted: PostedEntry): Promise<void> {
    try {
      const delivery = await posted.delivered(closing.signal);
      if (closing.signal.aborted) return;
      if (delivery.index === undefined) return refused(day, delivery.refusal);
      await (writing = book.notePruned(day, delivery.index));
      log.info('the payloads of a day are pruned', { day, entry: delivery.index });
    } catch (error) {
      if (!closing.signal.aborted) log.warn('no answer to the pruning of a day', { day, why: String(error) });
    }
  }

  function refused(day: number, reason: string): void {
    refusedUntilMs = clock.nowMs() + REFUSED_PAUSE_MS;
    const what =
      'the ledger refuses to prune a day: compare its clock and retentionDays with ours, and see that the issuer may write type 10';
    log.error(what, { day, reason });
  }

  async function endBefore(oldest: number): Promise<void> {
    const { destroyed, returned } = await keyring.destroyBefore(oldest);
    for (const day of destroyed) log.info('day keys destroyed', { day });
    const stray = isSwept && destroyed.length === 0 ? [] : await deps.store.removeStray();
    isSwept = true;
    for (const day of [...returned, ...stray])
      log.warn('a copy of destroyed day keys was found and removed', { day });
    if (clock.nowMs() < refusedUntilMs) return;
    const waiting = (await book.list()).filter(({ day, prunedBy }) => day < oldest && prunedBy === undefined);
    for (const { day } of waiting) if (!underWay.has(day)) await prune(day);
  }

  return {
    endBefore,
    settled: (signal) => unlessAborted(Promise.all(underWay.values()), signal),
    ended: () => book.list(),
    close: async () => {
      closing.abort();
      await writing.catch(() => undefined);
    },
  };
}

async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let aborted: () => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    aborted = () => reject(signal.reason as Error);
    signal.addEventListener('abort', aborted, { once: true });
  });
  await Promise.race([work, stopped]).finally(() => signal.removeEventListener('abort', aborted));
}
