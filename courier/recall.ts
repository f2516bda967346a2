/** When entries that the ledger refused for now are tried again: one batch of them at a time, with growing pauses. */

const LONGEST_PAUSE_MS = 600_000;

export class RecallPlan {
  readonly #firstPauseMs: number;
  #dueMs = 0;
  #pauseMs: number;

  constructor(firstPauseMs: number) {
    this.#firstPauseMs = firstPauseMs;
    this.#pauseMs = firstPauseMs;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueMs;
  }

  /** A batch of them is on its way: no other until the ledger has answered. */
  begin(): void {
    this.#dueMs = Infinity;
  }

  /** The ledger has answered a batch, one of them or another, and refused so many of its entries for now. */
  answered(wasRecalled: boolean, parked: number, nowMs: number): void {
    if (wasRecalled && parked === 0) {
      this.#dueMs = nowMs;
      this.#pauseMs = this.#firstPauseMs;
    } else if (wasRecalled) {
      this.#dueMs = nowMs + this.#pauseMs;
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    } else if (parked > 0 && this.#dueMs < nowMs) this.#dueMs = nowMs + this.#pauseMs;
  }
}
