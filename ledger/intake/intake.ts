/**
 * From a batch that came in to its answer: it waits its turn (fair-queue.ts), is checked, and is handed on in the order
 * of the turns, so that the log is as fair as the queue and what one writer sent keeps its order.
 *
 * Only a few batches are past the queue at a time: what has begun is what a writer with a single batch waits behind.
 */
import { toHex } from '../../protocol/bytes.js';
import { writerIdOfBatch } from '../../protocol/mqtt/batch.js';
import { busyBatch } from '../admission/batch.js';
import type { CheckedBatch, RefusedBatch } from '../sequence/checked-batch.js';
import { FairQueue, type Queued, type QueueLimits } from './fair-queue.js';
import type { BatchChecker } from './checker.js';

/** Batches turned away in one turn of the event loop: each is read, hashed, and answered with a signature. */
const REFUSALS_PER_TURN = 32;
/** Begun: being checked or checked, and not answered yet. Enough to fill a commit; one batch may always begin. */
const MAX_BEGUN_BATCHES = 128;
const MAX_BEGUN_BYTES = 8 * 1024 * 1024;

export interface IntakeDeps {
  readonly checker: BatchChecker;
  /** Called in the order of the turns. */
  readonly answer: (batch: CheckedBatch | RefusedBatch) => Promise<Uint8Array>;
  readonly limits: QueueLimits;
}

interface Job {
  readonly bytes: Uint8Array;
  readonly from: Uint8Array | undefined;
  readonly resolve: (receipt: Promise<Uint8Array> | Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/** A batch that has begun. */
interface Begun {
  /** Hands it on; `undefined` until it is checked. */
  handOn: (() => void) | undefined;
}

export class Intake {
  readonly #deps: IntakeDeps;
  readonly #queue: FairQueue<Job>;
  readonly #pending = new Set<Promise<unknown>>();
  /** Not handed on yet, in the order of their turns. */
  readonly #begun: Begun[] = [];
  /** Found no room, and are still to be told so. Bounded by what the brokers have under way. */
  readonly #turnedAway: Job[] = [];
  #isRefusing = false;
  #checking = 0;
  #begunBatches = 0;
  #begunBytes = 0;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#queue = new FairQueue(deps.limits);
  }

  /** Batches taken in and not yet answered. */
  get batches(): number {
    return this.#queue.batches;
  }

  get bytes(): number {
    return this.#queue.bytes;
  }

  /** The batch's receipt; of refusal as busy when there is no room for it. Rejects as checker and `answer` do. */
  submit(bytes: Uint8Array, from: Uint8Array | undefined): Promise<Uint8Array> {
    const writer = from ?? writerIdOfBatch(bytes);
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      const job: Job = { bytes, from, resolve, reject };
      const evicted = this.#queue.offer({
        writer: writer === undefined ? '' : toHex(writer),
        bytes: bytes.length,
        item: job,
      });
      if (evicted === undefined) this.#turnAway(job);
      else for (const { item } of evicted) this.#turnAway(item);
    });
    this.#pending.add(answer);
    const forget = (): void => void this.#pending.delete(answer);
    answer.then(forget, forget);
    this.#pump();
    return answer;
  }

  /** Resolves when everything taken in is answered. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  /** A few each turn, so that a flood that is refused leaves the loop to those who are not. */
  #turnAway(job: Job): void {
    this.#turnedAway.push(job);
    if (this.#isRefusing) return;
    this.#isRefusing = true;
    setImmediate(() => this.#refuseSome());
  }

  #refuseSome(): void {
    for (const job of this.#turnedAway.splice(0, REFUSALS_PER_TURN)) this.#refuseBusy(job);
    this.#isRefusing = this.#turnedAway.length > 0;
    if (this.#isRefusing) setImmediate(() => this.#refuseSome());
  }

  #refuseBusy({ bytes, from, resolve, reject }: Job): void {
    try {
      resolve(this.#deps.answer(busyBatch(bytes, from)));
    } catch (error) {
      reject(error);
    }
  }

  #pump(): void {
    while (this.#hasRoom()) {
      const next = this.#queue.take();
      if (next === undefined) return;
      this.#begin(next);
    }
  }

  #hasRoom(): boolean {
    if (this.#begunBatches === 0) return true;
    return (
      this.#checking < this.#deps.checker.width &&
      this.#begunBatches < MAX_BEGUN_BATCHES &&
      this.#begunBytes < MAX_BEGUN_BYTES
    );
  }

  #begin(queued: Queued<Job>): void {
    const { bytes, from, resolve, reject } = queued.item;
    const begun: Begun = { handOn: undefined };
    this.#begun.push(begun);
    this.#checking += 1;
    this.#begunBatches += 1;
    this.#begunBytes += queued.bytes;
    const finish = (): void => this.#finish(queued);
    this.#deps.checker.check(bytes, from).then(
      (checked) =>
        this.#checked(begun, () => {
          const answer = this.#deps.answer(checked);
          resolve(answer);
          answer.then(finish, finish);
        }),
      (error: unknown) =>
        this.#checked(begun, () => {
          reject(error);
          finish();
        }),
    );
  }

  /** Hands on every batch that is checked and has none before it that is not. */
  #checked(begun: Begun, handOn: () => void): void {
    begun.handOn = handOn;
    this.#checking -= 1;
    for (let first = this.#begun[0]; first?.handOn !== undefined; first = this.#begun[0]) {
      this.#begun.shift();
      first.handOn();
    }
    this.#pump();
  }

  #finish(queued: Queued<Job>): void {
    this.#begunBatches -= 1;
    this.#begunBytes -= queued.bytes;
    this.#queue.done(queued);
    this.#pump();
  }
}
