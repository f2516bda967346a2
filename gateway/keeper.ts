/**
 * Writes down what stands, whenever it is told to: one write at a time, and one more for whatever changed meanwhile. What a
 * full disk did not take comes no second time from a broker's retained topics: it is written when the owner says `again`.
 */
import type { Log } from '../protocol/log.js';
import type { StatementStore } from './statement-store.js';

export interface KeeperDeps {
  readonly store: StatementStore;
  /** All that is to be kept, as it stands when it is written. */
  readonly content: () => Uint8Array;
  /** For the log, when it cannot be kept. */
  readonly what: string;
  readonly log: Log;
}

export class Keeper {
  readonly #deps: KeeperDeps;
  #saving: Promise<void> = Promise.resolve();
  #isSaveDue = false;
  /** What stands is not what is on disk, and that has been said. */
  #hasFailed = false;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  save(): void {
    if (this.#isSaveDue) return;
    this.#isSaveDue = true;
    this.#saving = this.#saving.then(async () => {
      this.#isSaveDue = false;
      await this.#write();
    });
  }

  /** Writes what the last write did not bring to disk; nothing when it did. */
  again(): void {
    if (this.#hasFailed) this.save();
  }

  /** Resolves when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#saving;
  }

  async #write(): Promise<void> {
    const { store, content, what, log } = this.#deps;
    try {
      await store.save(content());
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed)
        log.error(`${what} cannot be kept; it is tried again each minute`, { why: String(error) });
      this.#hasFailed = true;
    }
  }
}
