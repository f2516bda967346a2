/** One thread that walks (walk-worker.ts), as its owner sees it: one question at a time, which can be ended from here. */
import type { Worker } from 'node:worker_threads';
import { endWorker, startWorker } from '../../host/start-worker.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ContactView } from '../contacts/view.js';
import type { CALLED_OFF, OUT_OF_TIME } from './pace.js';
import { GO_ON } from './pace.js';
import type { TraceWalks } from './trace-walks.js';
import { newsOf, threw, walksOf } from './walk-messages.js';
import type { ViewShown, WalkOutcome, WalkQuestion } from './walk-messages.js';

/** What a thread is started with. */
export interface WalkThreadSettings {
  /** Of one number, in shared memory: pace.ts. */
  readonly flag: Int32Array;
  readonly mostArrivals: number | undefined;
}

/** A walk looks at its flag many times a second: a thread that does not heed it hangs, and is ended. */
const HEEDS_WITHIN_MS = 10_000;
/** Columns lie outside of the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 512 };

/** Why a question is ended before there is an answer. */
export type Ending = typeof OUT_OF_TIME | typeof CALLED_OFF;

export interface WalkThread {
  /**
   * One at a time. Rejects with what the walk throws, and with `closed` when the thread ends before it answers.
   */
  ask(view: ContactView, question: Omit<WalkQuestion, 'view'>): Promise<TraceWalks>;
  /** To be called while nothing is asked: memory that is of no view any more is let go without a question. */
  show(view: ContactView): void;
  /** The question under way is over soon: it throws `timeout` or `closed`. */
  stop(ending: Ending): void;
  /** Resolves when the thread is gone. */
  end(): Promise<void>;
}

export type StartWalkThread = (onEnd: (why: string) => void) => WalkThread;

interface Waiting {
  readonly resolve: (walks: TraceWalks) => void;
  readonly reject: (error: unknown) => void;
}

class WorkerWalkThread implements WalkThread {
  readonly #worker: Worker;
  readonly #flag = new Int32Array(new SharedArrayBuffer(4));
  #known: ContactView | undefined;
  #waiting: Waiting | undefined;
  #heeds: NodeJS.Timeout | undefined;
  #why = 'it ended';

  constructor(mostArrivals: number | undefined, onEnd: (why: string) => void) {
    const settings: WalkThreadSettings = { flag: this.#flag, mostArrivals };
    this.#worker = startWorker(new URL('./walk-worker.js', import.meta.url), {
      workerData: settings,
      resourceLimits: RESOURCE_LIMITS,
    });
    this.#worker.unref();
    this.#worker.on('message', (outcome: WalkOutcome) => this.#settle(outcome));
    this.#worker.on('error', (error) => (this.#why = error.message));
    this.#worker.on('exit', () => {
      const why = `the thread that walked the trace is gone: ${this.#why}`;
      this.#settle(threw(new FirebreakError('closed', why)));
      onEnd(this.#why);
    });
  }

  ask(view: ContactView, question: Omit<WalkQuestion, 'view'>): Promise<TraceWalks> {
    if (this.#waiting !== undefined) throw new RangeError('a thread walks one trace at a time');
    Atomics.store(this.#flag, 0, GO_ON);
    return new Promise((resolve, reject) => {
      this.#post({ ...question, view: newsOf(view, this.#known) });
      this.#known = view;
      this.#waiting = { resolve, reject };
      this.#worker.ref(); // keeps the process alive only while somebody waits
    });
  }

  show(view: ContactView): void {
    const news = newsOf(view, this.#known);
    if (news.view === undefined) return;
    this.#post({ view: news });
    this.#known = view;
  }

  stop(ending: Ending): void {
    if (this.#waiting === undefined) return;
    Atomics.store(this.#flag, 0, ending);
    this.#heeds ??= setTimeout(() => {
      this.#why = 'it did not stop when it was told to';
      void this.#worker.terminate();
    }, HEEDS_WITHIN_MS);
  }

  end(): Promise<void> {
    return endWorker(this.#worker);
  }

  #post(message: WalkQuestion | ViewShown): void {
    this.#worker.postMessage(message);
  }

  #settle(outcome: WalkOutcome): void {
    clearTimeout(this.#heeds);
    this.#heeds = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#worker.unref();
    try {
      waiting?.resolve(walksOf(outcome));
    } catch (error) {
      waiting?.reject(error);
    }
  }
}

/**
 * Starts a thread; `onEnd` is called once, when it is gone.
 *
 * @param mostArrivals - see {@link WalkWorkspace}
 */
export const startWalkThread = (onEnd: (why: string) => void, mostArrivals?: number): WalkThread =>
  new WorkerWalkThread(mostArrivals, onEnd);
