/**
 * Timers in firing order: by time, ties by insertion. A binary heap; cancelled timers stay in it until they come up
 * or are the majority, so cancelling costs O(1) and memory stays within twice what is wanted.
 */
import { FirebreakError } from '../protocol/errors.js';

export interface Timer<Item> {
  readonly atMs: number;
  readonly order: number;
  readonly item: Item;
  cancelled: boolean;
}

/** More than a simulated city needs; beyond it something leaks, and saying so beats slowing down for ever. */
const MAX_TIMERS = 1 << 20;

export class TimerHeap<Item> {
  #heap: Timer<Item>[] = [];
  #inserted = 0;
  #dead = 0;

  /** Throws `full` beyond MAX_TIMERS. */
  add(atMs: number, item: Item): Timer<Item> {
    if (this.#heap.length - this.#dead >= MAX_TIMERS) {
      throw new FirebreakError('full', `more than ${MAX_TIMERS} timers are waiting`);
    }
    const timer: Timer<Item> = { atMs, order: this.#inserted++, item, cancelled: false };
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
    return timer;
  }

  cancel(timer: Timer<Item>): void {
    if (timer.cancelled) return;
    timer.cancelled = true;
    this.#dead += 1;
    if (this.#dead > 64 && this.#dead * 2 > this.#heap.length) this.#compact();
  }

  /** The next timer to fire, left in place. */
  peek(): Timer<Item> | undefined {
    while (this.#heap[0]?.cancelled === true) {
      this.#removeFirst();
      this.#dead -= 1;
    }
    return this.#heap[0];
  }

  /** Takes out the next timer due at or before `untilMs`. It counts as cancelled from then on. */
  take(untilMs: number): Timer<Item> | undefined {
    const first = this.peek();
    if (first === undefined || first.atMs > untilMs) return undefined;
    this.#removeFirst();
    first.cancelled = true;
    return first;
  }

  #compact(): void {
    const live = this.#heap.filter((timer) => !timer.cancelled);
    live.sort((x, y) => (before(x, y) ? -1 : 1));
    this.#heap = live; // a sorted array is a heap
    this.#dead = 0;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, parent)) return;
      index = parent;
    }
  }

  #down(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const child = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfBefore(child, index)) return;
      index = child;
    }
  }

  #isBefore(i: number, j: number): boolean {
    const x = this.#heap[i];
    const y = this.#heap[j];
    return x !== undefined && y !== undefined && before(x, y);
  }

  #swapIfBefore(i: number, j: number): boolean {
    const x = this.#heap[i];
    const y = this.#heap[j];
    if (x === undefined || y === undefined || !before(x, y)) return false;
    this.#heap[i] = y;
    this.#heap[j] = x;
    return true;
  }
}

function before(x: Timer<unknown>, y: Timer<unknown>): boolean {
  return x.atMs < y.atMs || (x.atMs === y.atMs && x.order < y.order);
}
