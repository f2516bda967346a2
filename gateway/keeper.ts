/** Writes down what stands, whenever it is told to: one write at a time, and one more for whatever changed meanwhile. */
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

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  save(): void {
    if (this.#isSaveDue) return;
    this.#isSaveDue = true;
    this.#saving = this.#saving.then(async () => {
      this.#isSaveDue = false;
      const { store, content, what, log } = this.#deps;
      await store
        .save(content())
        .catch((error: unknown) => log.error(`${what} cannot be kept`, { why: String(error) }));
    });
  }

  /** Resolves when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#saving;
  }
}
