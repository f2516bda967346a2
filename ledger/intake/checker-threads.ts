/**
 * Checks batches on threads beside this one (docs/decisions/0010). A thread knows nothing of the log: with each batch
 * goes what the issuer said of its writer so far, so the verdict is the one this thread would have come to.
 *
 * A thread that dies is replaced, and what it had goes to another. A batch that two threads died of is
 * refused as busy, and so is everything while threads die before they have done anything; the next try is
 * made after a growing pause. One that the machine has no room to make counts as a thread that died. The log
 * says so, and that it goes on.
 */
import { availableParallelism } from 'node:os';
import { LimitedLog } from '../../host/limited-log.js';
import { writerIdOfBatch } from '../../protocol/mqtt/batch.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { silentLog, type Log } from '../../protocol/log.js';
import { busyBatch } from '../admission/batch.js';
import type { AdmissionContext } from '../admission/item.js';
import { batchOf, type CheckVerdict } from './check-messages.js';
import { startCheckThread, type CheckThread } from './check-thread.js';
import type { CheckedBatch, RefusedBatch } from '../sequence/checked-batch.js';
import type { BatchChecker } from './checker.js';

/** One being checked and one that waits for it in the thread, so that no thread waits for this one. */
const BATCHES_PER_THREAD = 2;
const DEATHS_PER_BATCH = 2;
/** After so many deaths in a row without a verdict in between, threads are started again after a pause only. */
const FRUITLESS_DEATHS = 3;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

interface Task {
  readonly bytes: Uint8Array;
  readonly from: Uint8Array | undefined;
  readonly resolve: (batch: CheckedBatch | RefusedBatch) => void;
  readonly reject: (error: unknown) => void;
  deaths: number;
}

/** A thread, and what it was given and has not answered, in order. */
interface Member {
  readonly thread: CheckThread;
  readonly tasks: Task[];
}

export interface ThreadChecker extends BatchChecker {
  /** Threads that died since the start, and what the last one died of. */
  readonly deaths: { readonly count: number; readonly last: string | undefined };
}

export interface ThreadCheckerOptions {
  readonly startThread?: typeof startCheckThread;
  readonly log?: Log;
}

class CheckerThreads implements ThreadChecker {
  readonly #context: AdmissionContext;
  readonly #count: number;
  readonly #startThread: typeof startCheckThread;
  readonly #log: LimitedLog;
  readonly #members = new Set<Member>();
  #waiting: Task[] = [];
  /** Deaths since the last verdict. */
  #fruitless = 0;
  #deaths = 0;
  #lastDeath: string | undefined;
  /** No thread was left, and none has checked anything since. */
  #isDown = false;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    context: AdmissionContext,
    count: number,
    { startThread = startCheckThread, log = silentLog }: ThreadCheckerOptions,
  ) {
    this.#context = context;
    this.#count = count;
    this.#startThread = startThread;
    this.#log = new LimitedLog(log);
  }

  get width(): number {
    return this.#count * BATCHES_PER_THREAD;
  }

  get deaths(): { readonly count: number; readonly last: string | undefined } {
    return { count: this.#deaths, last: this.#lastDeath };
  }

  get failure(): string | undefined {
    return this.#isDown ? this.#lastDeath : undefined;
  }

  /** Resolves when every thread runs; rejects when the first of them dies instead. */
  async open(): Promise<void> {
    await Promise.all(Array.from({ length: this.#count }, () => this.#start()));
  }

  check(bytes: Uint8Array, from: Uint8Array | undefined): Promise<CheckedBatch | RefusedBatch> {
    if (this.#closed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, from, resolve, reject, deaths: 0 });
      this.#handOut();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pause);
    for (const { reject } of this.#waiting.splice(0)) reject(closed());
    await Promise.all([...this.#members].map(({ thread }) => thread.end()));
    this.#log.close();
  }

  /**
   * Resolves when the thread runs; rejects when it dies instead, or cannot be made. One that is made is a
   * member at once.
   */
  #start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new FirebreakError('closed', `a thread that checks batches does not start: ${why}`));
      try {
        this.#addMember(resolve, fail);
      } catch (error) {
        this.#noteDeath(asError(error).message);
        fail(asError(error).message);
      }
    });
  }

  /** Throws when the machine has no room for another thread. */
  #addMember(onReady: () => void, onEnd: (why: string) => void): void {
    const { issuerPublicKey, retentionDays } = this.#context;
    const thread = this.#startThread(
      { issuerPublicKey, retentionDays },
      {
        onReady,
        onAnswer: (verdict) => this.#settle(member, verdict),
        onEnd: (why) => {
          this.#bury(member, why);
          onEnd(why);
        },
      },
    );
    const member: Member = { thread, tasks: [] };
    this.#members.add(member);
  }

  /** To the thread with the least to do. While none is there and none is coming, what waits is refused as busy. */
  #handOut(): void {
    while (this.#waiting.length > 0) {
      const member = this.#leastBusy();
      if (member === undefined) break;
      const task = this.#waiting.shift();
      if (task !== undefined) this.#post(member, task);
    }
    if (this.#members.size === 0) for (const task of this.#waiting.splice(0)) refuseBusy(task);
  }

  #leastBusy(): Member | undefined {
    let found: Member | undefined;
    for (const member of this.#members) {
      if (member.tasks.length < (found?.tasks.length ?? BATCHES_PER_THREAD)) found = member;
    }
    return found;
  }

  #post(member: Member, task: Task): void {
    const { bytes, from } = task;
    const writerId = writerIdOfBatch(bytes);
    const writer = writerId && this.#context.directory.find(writerId);
    member.tasks.push(task);
    // Copies: the thread takes over what it is sent, and the batch is wanted again if the thread dies.
    member.thread.post({ bytes: new Uint8Array(bytes), from: from && new Uint8Array(from), writer });
  }

  #settle(member: Member, verdict: CheckVerdict): void {
    this.#fruitless = 0;
    if (this.#isDown) this.#log.info('batches are checked again');
    this.#isDown = false;
    const task = member.tasks.shift();
    if (task === undefined) return;
    try {
      task.resolve(batchOf(verdict, task.bytes));
    } catch (error) {
      task.reject(error);
    }
    this.#handOut();
  }

  #bury(member: Member, why: string): void {
    this.#members.delete(member);
    const [first, ...others] = member.tasks;
    if (this.#closed) {
      for (const { reject } of member.tasks) reject(closed());
      return;
    }
    this.#noteDeath(why);
    this.#waiting.unshift(...others);
    if (first !== undefined && (first.deaths += 1) >= DEATHS_PER_BATCH) refuseBusy(first);
    else if (first !== undefined) this.#waiting.unshift(first);
    this.#replace();
    this.#handOut();
  }

  #noteDeath(why: string): void {
    this.#deaths += 1;
    this.#fruitless += 1;
    this.#lastDeath = why;
    if (this.#isDown) return;
    this.#isDown = this.#members.size === 0 && this.#fruitless >= FRUITLESS_DEATHS;
    if (this.#isDown)
      this.#log.error(
        'threads that check batches die before they have done anything; batches are refused as busy',
        { why },
      );
    else this.#log.warn('a thread that checks batches died', { why });
  }

  /** At once, or after a pause when threads die before they have done anything. */
  #replace(): void {
    if (this.#fruitless < FRUITLESS_DEATHS) return this.#startMissing();
    if (this.#pause !== undefined) return;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#fruitless - FRUITLESS_DEATHS));
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#startMissing();
    }, pauseMs).unref();
  }

  /** Up to the first that cannot be made: where there is no room for one, there is none for the next. */
  #startMissing(): void {
    const deathsBefore = this.#deaths;
    while (this.#members.size < this.#count && this.#deaths === deathsBefore)
      void this.#start().catch(() => undefined); // its death is counted
    if (this.#deaths > deathsBefore) this.#replace();
  }
}

const closed = (): FirebreakError => new FirebreakError('closed', 'the ledger is closed');

function refuseBusy({ bytes, from, resolve, reject }: Task): void {
  try {
    resolve(busyBatch(bytes, from));
  } catch (error) {
    reject(error);
  }
}

/** One for each core, though this thread needs a fifth of one; four fill it. Measured in docs/decisions/0010. */
export const defaultCheckThreads = (): number => Math.min(4, availableParallelism());

/** Starts `count` threads. Throws `closed` when they do not start. */
export async function openThreadChecker(
  context: AdmissionContext,
  count: number,
  options: ThreadCheckerOptions = {},
): Promise<ThreadChecker> {
  const checker = new CheckerThreads(context, count, options);
  try {
    await checker.open();
    return checker;
  } catch (error) {
    await checker.close().catch(() => undefined); // the first failure is the one to say
    throw error;
  }
}
