/**
 * Threads that walk traces beside the one that reads the ledger, so that neither waits for the other. A question waits for
 * a free thread, in turn; its asker can call it off, and where nobody can it has one time limit for waiting and walking. A thread that dies
 * takes its question with it, and the next question starts another.
 */
import { asError, FirebreakError } from '../../protocol/errors.js';
import { AskerError } from '../asker-error.js';
import type { ContactView } from '../contacts/view.js';
import { requireBounds } from '../looks/trace.js';
import { calledOff, CALLED_OFF, neverBegun, OUT_OF_TIME } from './pace.js';
import type { TraceWalks } from './trace-walks.js';
import type { WalkQuestion } from './walk-messages.js';
import { startWalkThread } from './walk-thread.js';
import type { Ending, StartWalkThread, WalkThread } from './walk-thread.js';

const DEFAULT_LIMIT_MS = 30_000;
const MOST_WAITING = 64;

export interface AskOptions {
  /** Wall ms for waiting and walking together; thirty seconds by default, and without a limit where there is a signal. */
  readonly limitMs?: number;
  /** Calls the question off; the limits of whoever has it rule. */
  readonly signal?: AbortSignal | undefined;
}

export interface WalkPool {
  /**
   * The walks of a trace over this view. Throws `input` for a request out of bounds, `full` when too many wait or its turn did
   * not come in time, `timeout`, `closed` when its thread died or none can be started, the reason of the signal where that has a code and `closed`
   * otherwise, and what {@link walkTrace} throws.
   */
  walk(view: ContactView, question: Omit<WalkQuestion, 'view'>, options?: AskOptions): Promise<TraceWalks>;
  /** What walks will be over from now on: threads that have nothing to do let go of what is of older views alone. */
  show(view: ContactView): void;
  /** How many traces are being walked, in shared memory: other threads stand aside meanwhile (contacts/stand-aside.ts). */
  readonly underWay: Int32Array;
  status(): WalkPoolStatus;
  /** What waits is rejected with `closed`. Resolves when every thread is gone. */
  close(): Promise<void>;
}

export interface WalkPoolStatus {
  readonly threads: number;
  readonly walking: number;
  readonly waiting: number;
}

export interface WalkPoolOptions {
  /** Told why each thread ended that was not closed: it died, or hung and was ended. */
  readonly onDeath?: (why: string) => void;
  readonly startThread?: StartWalkThread;
}

interface Task {
  readonly view: ContactView;
  readonly question: Omit<WalkQuestion, 'view'>;
  readonly resolve: (walks: TraceWalks) => void;
  readonly reject: (error: unknown) => void;
  /** Where it is walked, once it is. */
  thread: WalkThread | undefined;
  /** Why it was called off, if it was. */
  why: FirebreakError | undefined;
}

class ThreadPool implements WalkPool {
  readonly underWay = new Int32Array(new SharedArrayBuffer(4));
  readonly #most: number;
  readonly #start: StartWalkThread;
  readonly #onDeath: ((why: string) => void) | undefined;
  readonly #free: WalkThread[] = [];
  readonly #threads = new Set<WalkThread>();
  readonly #waiting: Task[] = [];
  /** The view shown last. */
  #latest: ContactView | undefined;
  #isClosed = false;

  constructor(threads: number, { onDeath, startThread = startWalkThread }: WalkPoolOptions) {
    this.#most = threads;
    this.#start = startThread;
    this.#onDeath = onDeath;
  }

  async walk(
    view: ContactView,
    question: Omit<WalkQuestion, 'view'>,
    { signal, limitMs = signal ? undefined : DEFAULT_LIMIT_MS }: AskOptions = {},
  ): Promise<TraceWalks> {
    requireBounds(question.request);
    if (this.#isClosed) throw calledOff();
    if (signal?.aborted === true) throw reasonOf(signal);
    if (this.#waiting.length >= MOST_WAITING)
      throw new AskerError('full', `${MOST_WAITING} traces wait already: ask again later`);
    let task: Task | undefined;
    const walked = new Promise<TraceWalks>((resolve, reject) => {
      task = { view, question, resolve, reject, thread: undefined, why: undefined };
      this.#waiting.push(task);
    });
    const end = (ending: Ending, why?: FirebreakError): void => task && this.#end(task, ending, why);
    const onAbort = (): void => signal && end(CALLED_OFF, reasonOf(signal));
    const timer = limitMs === undefined ? undefined : setTimeout(() => end(OUT_OF_TIME), limitMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#handOut();
    try {
      return await walked;
    } catch (error) {
      throw task?.why ?? error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  show(view: ContactView): void {
    this.#latest = view;
    for (const thread of this.#free) thread.show(view);
  }

  status(): WalkPoolStatus {
    const threads = this.#threads.size;
    const walking = threads - this.#free.length;
    return { threads, walking, waiting: this.#waiting.length };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(calledOff());
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }

  #handOut(): void {
    while (this.#waiting.length > 0) {
      try {
        const thread = this.#free.pop() ?? this.#another();
        if (thread === undefined) return;
        const task = this.#waiting.shift();
        if (task !== undefined) void this.#give(task, thread);
      } catch (cause) {
        const problem = `no thread to walk the trace can be started: ${asError(cause).message}`;
        this.#waiting.shift()?.reject(new FirebreakError('closed', problem, { cause }));
      }
    }
  }

  #another(): WalkThread | undefined {
    if (this.#threads.size >= this.#most || this.#isClosed) return undefined;
    const thread = this.#start((why) => this.#bury(thread, why));
    this.#threads.add(thread);
    return thread;
  }

  async #give(task: Task, thread: WalkThread): Promise<void> {
    task.thread = thread;
    Atomics.add(this.underWay, 0, 1);
    try {
      task.resolve(await thread.ask(task.view, task.question));
    } catch (error) {
      task.reject(error);
    } finally {
      Atomics.sub(this.underWay, 0, 1);
      Atomics.notify(this.underWay, 0);
    }
    if (this.#threads.has(thread)) {
      if (this.#latest !== undefined) thread.show(this.#latest);
      this.#free.push(thread);
    }
    this.#handOut();
  }

  #end(task: Task, ending: Ending, why: FirebreakError | undefined): void {
    if (task.thread !== undefined) {
      task.why = why;
      return task.thread.stop(ending);
    }
    const place = this.#waiting.indexOf(task);
    if (place >= 0) this.#waiting.splice(place, 1);
    const isLate = ending === OUT_OF_TIME || why?.code === 'timeout';
    task.reject(isLate ? neverBegun() : why);
  }

  #bury(thread: WalkThread, why: string): void {
    this.#threads.delete(thread);
    const place = this.#free.indexOf(thread);
    if (place >= 0) this.#free.splice(place, 1);
    if (this.#isClosed) return;
    this.#onDeath?.(why);
    this.#handOut();
  }
}

const reasonOf = ({ reason }: AbortSignal): FirebreakError =>
  reason instanceof FirebreakError ? reason : calledOff();

/** A pool of at most `threads`, each started when it is first needed. It keeps the process alive only while it walks. */
export const openWalkPool = (threads: number, options: WalkPoolOptions = {}): WalkPool =>
  new ThreadPool(threads, options);
