/** When what was read may be saved again, on a disk that fails. Time comes as an argument, monotonic ms. */

/** Before the third try; doubled from then on. */
const FIRST_MS = 5_000;
/** A disk that is mended is noticed within this time. */
const MOST_MS = 300_000;

/**
 * A disk may fail once, so the second try comes at once. Each later one has the folder opened and all that came
 * since the last saving read again, so it waits; meanwhile the tracer goes on with what it has in memory.
 */
export class SavePause {
  readonly #nowMs: () => number;
  #failures = 0;
  #endsMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether saving has failed for more than once. */
  get isFailing(): boolean {
    return this.#failures > 1;
  }

  /** Whether it is too early for another try. */
  get isOn(): boolean {
    return this.isFailing && this.#nowMs() < this.#endsMs;
  }

  failed(): void {
    this.#failures += 1;
    this.#endsMs = this.#nowMs() + Math.min(FIRST_MS * 2 ** (this.#failures - 2), MOST_MS);
  }

  saved(): void {
    this.#failures = 0;
  }
}
