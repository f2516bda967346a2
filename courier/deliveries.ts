/** Who waits for the ledger's word: on one entry, or on the spool being empty. At most one waiter an entry spooled. */
import { unlessAborted } from '../host/time-limit.js';
import { FirebreakError } from '../protocol/errors.js';
import type { Refusal } from '../protocol/errors.js';

/** `index` is the entry's place in the ledger; without one it was refused for `refusal`. */
export type Delivery = { readonly index: number } | { readonly index: undefined; readonly refusal: Refusal };

interface Waiter {
  resolve(delivery: Delivery): void;
  reject(error: Error): void;
}

export class Deliveries {
  readonly #waiters = new Map<number, Waiter>();
  readonly #checks = new Set<() => void>();
  #closed = false;

  expect(id: number): { delivered(signal?: AbortSignal): Promise<Delivery> } {
    const answer = new Promise<Delivery>((resolve, reject) => this.#waiters.set(id, { resolve, reject }));
    answer.catch(() => undefined); // nobody need ask
    return { delivered: (signal) => unlessAborted(answer, signal) };
  }

  tell(id: number, delivery: Delivery): void {
    this.#waiters.get(id)?.resolve(delivery);
    this.#waiters.delete(id);
  }

  /** Resolves once `holds` does; asked now and at each check(). Rejects `closed`, or with the signal's reason. */
  whenever(holds: () => boolean, signal?: AbortSignal): Promise<void> {
    if (holds()) return Promise.resolve();
    if (this.#closed) return Promise.reject(closed());
    let check: () => void = () => undefined;
    const held = new Promise<void>((resolve, reject) => {
      check = () => {
        if (holds()) resolve();
        else if (this.#closed) reject(closed());
      };
    });
    this.#checks.add(check);
    return unlessAborted(held, signal).finally(() => this.#checks.delete(check));
  }

  check(): void {
    for (const check of this.#checks) check();
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters.values()) waiter.reject(closed());
    this.#waiters.clear();
    this.check();
  }
}

const closed = (): FirebreakError => new FirebreakError('closed', 'the courier is closed');
