/**
 * The end of days that left the retention window (protocol.md §3, §10): their keys are destroyed, then the ledger is told
 * to prune their payloads, both as entries.
 *
 * Crash cases. Each step is noted once it is on disk, and done again when it is not noted: an entry that goes out twice
 * is answered by the ledger with the index of the first, so nothing is in the log twice.
 */
import type { PostedEntry } from '../../courier/courier.js';
import { unlessAborted } from '../../host/time-limit.js';
import type { Clock } from '../../protocol/clock.js';
import { asError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import type { CopySearch, DayKeyStore } from './day-key-store.js';
import type { DayKeyring } from './day-keys.js';
import type { AuthorityEntries } from '../entries.js';
import type { EndedDay, RetentionBook } from './retention-book.js';

const DAY_MS = DAY_SECONDS * 1000;
/** Of the deployment's clock, after the ledger refused to prune. */
const REFUSED_PAUSE_MS = 600_000;

/** After midnight: a ledger whose clock is behind refuses to prune a day that for it is inside the window still. */
export const PRUNE_MARGIN_MS = 600_000;

const FOUND = 'a copy of destroyed day keys was found and removed';

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
   * Destroys the keys of the days before `oldest` and asks the ledger to prune their payloads; harmless to repeat. The last of
   * these days is asked for ten minutes after midnight, or at once when a person asks (`isAsked`). The ledger's answers are noted as they come: {@link Retention.settled}. Without such days, the first call, and the first after one
   * that rejected, begins a search for copies of keys that were destroyed before, and does not wait for it.
   */
  endBefore(oldest: number, isAsked: boolean): Promise<void>;
  /** Resolves when the ledger has answered for every day it was asked to prune. Rejects with the signal's reason. */
  settled(signal: AbortSignal): Promise<void>;
  ended(): Promise<readonly EndedDay[]>;
  /** Waits for no answer any more, and ends a search that {@link Retention.endBefore} began. */
  close(): Promise<void>;
}

export function openRetention(deps: RetentionDeps): Retention {
  return new DayEnds(deps);
}

class DayEnds implements Retention {
  readonly #deps: RetentionDeps;
  readonly #closing = new AbortController();
  /** Asked of the ledger, not answered yet. */
  readonly #underWay = new Map<number, Promise<void>>();
  /** Days that could not end at the last call, and why. */
  #unread: ReadonlyMap<number, string> = new Map();
  #writing = Promise.resolve();
  /** At the start, and when keys were not destroyed to the end: else whoever destroys keys looks for copies too. */
  #isSweepDue = true;
  #sweeping = Promise.resolve();
  #refusedAtMs = -Infinity;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  async endBefore(oldest: number, isAsked: boolean): Promise<void> {
    const { keyring, book, clock, log } = this.#deps;
    const ended = await keyring.destroyBefore(oldest).catch((error: unknown) => {
      this.#isSweepDue = true; // a day that is noted as destroyed may have its key file yet
      throw error;
    });
    const { destroyed, returned, copies } = ended;
    this.#sayUnread(ended.unread);
    for (const day of destroyed) log.info('day keys destroyed', { day });
    for (const day of returned) log.warn(FOUND, { day });
    if (copies !== undefined) this.#say(copies);
    else if (this.#isSweepDue) this.#sweeping = this.#sweeping.then(() => this.#sweep());
    this.#isSweepDue = false;
    if (Math.abs(clock.nowMs() - this.#refusedAtMs) < REFUSED_PAUSE_MS) return; // a clock may go back meanwhile
    const isSure = isAsked || clock.nowMs() % DAY_MS >= PRUNE_MARGIN_MS;
    const bound = isSure ? oldest : oldest - 1;
    const waiting = (await book.list()).filter(({ day, prunedBy }) => day < bound && prunedBy === undefined);
    for (const { day } of waiting) if (!this.#underWay.has(day)) await this.#prune(day);
  }

  async settled(signal: AbortSignal): Promise<void> {
    await unlessAborted(Promise.all(this.#underWay.values()), signal);
  }

  ended(): Promise<readonly EndedDay[]> {
    return this.#deps.book.list();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sweeping;
    await this.#writing.catch(() => undefined);
  }

  /** Never rejects. What was not searched is, at the next start. */
  async #sweep(): Promise<void> {
    const { signal } = this.#closing;
    try {
      this.#say(await this.#deps.store.removeStray(signal));
    } catch (error) {
      if (!signal.aborted) this.#say({ found: [], failure: asError(error) });
    }
  }

  /** Once for each day and reason: it is tried again at every call. */
  #sayUnread(unread: ReadonlyMap<number, Error>): void {
    for (const [day, { message: why }] of unread)
      if (this.#unread.get(day) !== why)
        this.#deps.log.error('a day does not end: its keys cannot be read', { day, why });
    this.#unread = new Map([...unread].map(([day, { message }]) => [day, message]));
  }

  /** What cannot be removed must not keep other days from ending; it is tried again when the next day ends. */
  #say({ found, failure }: CopySearch): void {
    const { log } = this.#deps;
    for (const day of found) log.warn(FOUND, { day });
    if (failure !== undefined)
      log.error('copies of destroyed day keys could not be removed', { why: String(failure) });
  }

  async #prune(day: number): Promise<void> {
    const posted = await this.#deps.entries.payloadsPruned(day);
    this.#underWay.set(
      day,
      this.#answer(day, posted).finally(() => this.#underWay.delete(day)),
    );
  }

  /** Never rejects: without an answer the day is asked for again. */
  async #answer(day: number, posted: PostedEntry): Promise<void> {
    const { book, log } = this.#deps;
    const { signal } = this.#closing;
    try {
      const delivery = await posted.delivered(signal);
      if (signal.aborted) return;
      if (delivery.index === undefined) return this.#refused(day, delivery.refusal);
      await (this.#writing = book.notePruned(day, delivery.index));
      log.info('the payloads of a day are pruned', { day, entry: delivery.index });
    } catch (error) {
      if (!signal.aborted)
        log.warn('no answer to the pruning of a day', { day, why: asError(error).message });
    }
  }

  #refused(day: number, reason: string): void {
    this.#refusedAtMs = this.#deps.clock.nowMs();
    const what =
      'the ledger refuses to prune a day: compare its clock and retentionDays with ours, and see that the issuer may write type 10';
    this.#deps.log.error(what, { day, reason });
  }
}
