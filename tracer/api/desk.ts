/**
 * How many questions are worked on at once, how many wait, and for how long. A question holds its place until its work is
 * over, even when whoever asked has gone; an answer that is being sent holds one of its own, since it fills memory.
 */
import { unlessAborted } from '../../host/time-limit.js';
import { asError } from '../../protocol/errors.js';
import { HttpRefusal } from './refusal.js';

export interface DeskLimits {
  /** Questions worked on at once. */
  readonly atOnce: number;
  /** Questions that wait for their turn; one more is refused. */
  readonly waiting: number;
  /** Answers being sent beside those that are worked on. */
  readonly sending: number;
  /** Wall ms from when a question came in until it is answered or refused. */
  readonly questionMs: number;
}

export interface Answered<Answer> {
  readonly answer: Answer;
  /** To be called once the answer has been sent, or cannot be. */
  readonly sent: () => void;
}

const RETRY_SECONDS = 5;
const noRoom = (status: number): HttpRefusal =>
  new HttpRefusal(
    status,
    'full',
    'the tracer has too many questions to answer; ask again later',
    RETRY_SECONDS,
  );
const tooLong = (): HttpRefusal =>
  new HttpRefusal(504, 'timeout', 'the question takes too long; ask for fewer hops or a shorter window');
const closing = (): HttpRefusal => new HttpRefusal(503, 'closed', 'the tracer is stopping');

export class Desk {
  readonly #limits: DeskLimits;
  readonly #line: (() => void)[] = [];
  readonly #asked = new Set<AbortController>();
  #working = 0;
  #sending = 0;
  #isClosed = false;

  constructor(limits: DeskLimits) {
    this.#limits = limits;
  }

  get working(): number {
    return this.#working;
  }

  get waiting(): number {
    return this.#line.length;
  }

  get sending(): number {
    return this.#sending;
  }

  /**
   * Does the work when it is its turn. Its signal, and the wait, end when `stop` is aborted, when the time is over and when
   * the desk closes. Throws `full` (429 when the line is full, 503 when the turn did not come in time), `timeout` (504),
   * `closed`, the reason `stop` was aborted with, and what the work throws, also what it throws at once when it is told to stop.
   */
  async ask<Answer>(
    stop: AbortController,
    work: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answered<Answer>> {
    let whenLate = noRoom(503);
    const timer = setTimeout(() => stop.abort(whenLate), this.#limits.questionMs);
    this.#asked.add(stop);
    try {
      await this.#turn(stop.signal);
      whenLate = tooLong();
      return await this.#work(stop.signal, work);
    } finally {
      clearTimeout(timer);
      this.#asked.delete(stop);
    }
  }

  /** Ends every question that is waiting or worked on. */
  close(): void {
    this.#isClosed = true;
    for (const stop of this.#asked) stop.abort(closing());
  }

  async #work<Answer>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answered<Answer>> {
    const worked = begin(signal, work);
    const answer = await unlessAborted(worked, signal).catch((error: unknown) => {
      const over = (): void => this.#leave(-1, 0);
      void worked.then(over, over);
      throw error;
    });
    this.#leave(-1, 1);
    let isSent = false;
    const sent = (): void => {
      if (!isSent) this.#leave(0, -1);
      isSent = true;
    };
    return { answer, sent };
  }

  #leave(working: number, sending: number): void {
    this.#working += working;
    this.#sending += sending;
    this.#callNext();
  }

  /** Resolves holding a place. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#isClosed) throw closing();
    signal.throwIfAborted();
    if (this.#hasRoom() && this.#line.length === 0) return void (this.#working += 1);
    if (this.#line.length >= this.#limits.waiting) throw noRoom(429);
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#line.splice(this.#line.indexOf(call), 1);
        reject(asError(signal.reason));
      };
      const call = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#line.push(call);
    });
  }

  #hasRoom(): boolean {
    const { atOnce, sending } = this.#limits;
    return this.#working < atOnce && this.#working + this.#sending < atOnce + sending;
  }

  #callNext(): void {
    while (this.#hasRoom()) {
      const call = this.#line.shift();
      if (call === undefined) return;
      this.#working += 1;
      call();
    }
  }
}

/** The work, begun; not at all when nobody waits for it any more. */
async function begin<Answer>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  signal.throwIfAborted();
  return work(signal);
}
