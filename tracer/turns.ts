/** Long work on this thread, cut so that whoever else runs on it has a turn every few ms, and so that it can be called off. */
import { setImmediate as breathe } from 'node:timers/promises';

/** What others wait for at most, unless they are told otherwise. */
const TURN_MS = 5;

export class Turns {
  readonly #signal: AbortSignal | undefined;
  readonly #turnMs: number;
  #endsMs: number;

  constructor(signal?: AbortSignal, turnMs = TURN_MS) {
    this.#signal = signal;
    this.#turnMs = turnMs;
    this.#endsMs = performance.now() + turnMs;
  }

  /** Whether it is somebody else's turn: then {@link next} is to be awaited. */
  get isOver(): boolean {
    return performance.now() >= this.#endsMs;
  }

  /** Resolves when it is one's own turn again. Throws the reason of the signal. */
  async next(): Promise<void> {
    this.#signal?.throwIfAborted();
    await breathe();
    this.#signal?.throwIfAborted();
    this.#endsMs = performance.now() + this.#turnMs;
  }
}
