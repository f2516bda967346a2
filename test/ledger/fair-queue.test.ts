import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairQueue, type Queued, type QueueLimits } from '../../ledger/intake/fair-queue.js';

/** The queue beside a slow one that is plainly right. */
class Rehearsal {
  readonly #queue: FairQueue<number>;
  readonly #limits: QueueLimits;
  readonly #waiting = new Map<string, number[]>();
  /** For each writer that waits, how often each other one went before it. */
  readonly #passed = new Map<string, Map<string, number>>();
  readonly #taken: Queued<number>[] = [];
  readonly #expected = { batches: 0, bytes: 0 };
  #item = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    this.#queue = new FairQueue(limits);
  }

  take(): void {
    const next = this.#queue.take();
    expect(next === undefined).toBe([...this.#waiting.values()].every((line) => line.length === 0));
    if (next === undefined) return;
    expect(this.#lineOf(next.writer).shift()).toBe(next.item);
    this.#taken.push(next);
    this.#passed.delete(next.writer);
    for (const [writer, line] of this.#waiting)
      if (line.length > 0 && writer !== next.writer) this.#expectFirstPass(writer, next.writer);
  }

  done(): void {
    const finished = this.#taken.shift();
    if (finished === undefined) return;
    this.#queue.done(finished);
    this.#expected.batches -= 1;
    this.#expected.bytes -= finished.bytes;
  }

  offer(one: Pick<Queued<number>, 'writer' | 'bytes'>): void {
    const queued = { ...one, item: this.#item++ };
    const evicted = this.#queue.offer(queued);
    if (evicted === undefined) return;
    this.#lineOf(queued.writer).push(queued.item);
    for (const { writer, item, bytes } of evicted) {
      const line = this.#lineOf(writer);
      expect(writer).not.toBe(queued.writer);
      line.splice(line.indexOf(item), 1);
      if (line.length === 0) this.#passed.delete(writer);
      this.#expected.batches -= 1;
      this.#expected.bytes -= bytes;
    }
    this.#expected.batches += 1;
    this.#expected.bytes += queued.bytes;
  }

  expectCounts(): void {
    const { batches, bytes } = this.#queue;
    expect({ batches, bytes }).toEqual(this.#expected);
    expect(batches).toBeLessThanOrEqual(this.#limits.batches);
    expect(bytes).toBeLessThanOrEqual(this.#limits.bytes);
  }

  #expectFirstPass(writer: string, by: string): void {
    const counts = this.#passed.get(writer) ?? new Map<string, number>();
    this.#passed.set(writer, counts.set(by, (counts.get(by) ?? 0) + 1));
    expect(counts.get(by)).toBe(1);
  }

  #lineOf(writer: string): number[] {
    const line = this.#waiting.get(writer) ?? [];
    this.#waiting.set(writer, line);
    return line;
  }
}

const ROOMY: QueueLimits = { batchesPerWriter: 100, bytesPerWriter: 10_000, batches: 1000, bytes: 100_000 };
const of = (writer: string, item: number, bytes = 10): Queued<number> => ({ writer, bytes, item });

function drain(queue: FairQueue<number>): string[] {
  const order: string[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) {
    order.push(`${next.writer}${next.item}`);
    queue.done(next);
  }
  return order;
}

describe('a fair queue', () => {
  test('gives each writer its turn, and keeps the order of what one of them sent', () => {
    const queue = new FairQueue<number>(ROOMY);
    for (const item of [1, 2, 3, 4]) queue.offer(of('a', item));
    for (const item of [1, 2]) queue.offer(of('b', item));
    queue.offer(of('c', 1));
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  });

  test('lets a writer that comes late wait for one batch of a flood, not for all of it', () => {
    const queue = new FairQueue<number>(ROOMY);
    for (let item = 0; item < 100; item++) queue.offer(of('flood', item));
    const taken = [queue.take(), queue.take()].map((next) => next?.writer);
    queue.offer(of('late', 0));
    expect([queue.take(), queue.take(), queue.take()].map((next) => next?.writer)).toEqual([
      'flood',
      'late',
      'flood',
    ]);
    expect(taken).toEqual(['flood', 'flood']);
  });

  test('finds no room for a writer past its own bounds, until what it sent is done', () => {
    const queue = new FairQueue<number>({ ...ROOMY, batchesPerWriter: 2, bytesPerWriter: 100 });
    expect(queue.offer(of('a', 1))).toEqual([]);
    expect(queue.offer(of('a', 2, 91))).toBeUndefined();
    expect(queue.offer(of('a', 2, 90))).toEqual([]);
    expect(queue.offer(of('a', 3, 0))).toBeUndefined();
    expect(queue.offer(of('b', 1))).toEqual([]);
    const first = queue.take();
    expect(queue.offer(of('a', 3, 0))).toBeUndefined();
    if (first !== undefined) queue.done(first);
    expect(queue.offer(of('a', 3, 0))).toEqual([]);
  });

  test('puts out the newest of the writer that holds most, for one that holds less', () => {
    const queue = new FairQueue<number>({ ...ROOMY, bytes: 60 });
    for (const item of [1, 2, 3, 4, 5]) queue.offer(of('a', item));
    queue.offer(of('b', 1));
    expect(queue.offer(of('c', 1))).toEqual([of('a', 5)]);
    expect(queue.offer(of('c', 2, 15))).toEqual([of('a', 4), of('a', 3)].toReversed());
    expect(queue.offer(of('a', 6))).toBeUndefined();
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2']);
  });

  test('puts nothing out for a writer that would hold as much itself', () => {
    const queue = new FairQueue<number>({ ...ROOMY, batches: 2 });
    queue.offer(of('a', 1));
    queue.offer(of('b', 1));
    expect(queue.offer(of('c', 1))).toBeUndefined();
    expect(queue.batches).toBe(2);
  });

  test('puts out of the longest line when batches are short, however few bytes it has', () => {
    const queue = new FairQueue<number>({ ...ROOMY, batches: 32 });
    const writers = Array.from({ length: 16 }, (_, i) => `w${i}`);
    for (const item of [1, 2])
      for (const writer of writers) queue.offer(of(writer, item, writer === 'w0' ? 500 : 1));
    expect(queue.offer(of('late', 1, 1000))).toEqual([of('w0', 2, 500)]);
    expect(queue.offer(of('late', 2, 1000))).toBeUndefined();
    expect(queue.offer(of('later', 1, 1000))).toEqual([of('w1', 2, 1)]);
    expect(queue.batches).toBe(32);
  });

  test('puts out for both when batches and bytes are short, each of the line that holds most of it', () => {
    const queue = new FairQueue<number>({ ...ROOMY, batches: 5, bytes: 100 });
    for (const item of [1, 2]) queue.offer(of('large', item, 45));
    for (const item of [1, 2, 3]) queue.offer(of('long', item, 1));
    expect(queue.offer(of('late', 1, 20))).toEqual([of('long', 3, 1), of('large', 2, 45)]);
    expect(queue).toMatchObject({ batches: 4, bytes: 67 });
  });

  test('finds room for a writer that holds nothing, while another has two batches and one of them waits', () => {
    const limits: QueueLimits = { batchesPerWriter: 8, bytesPerWriter: 1e9, batches: 16, bytes: 1e9 };
    const others = fc.array(fc.record({ writer: fc.constantFrom('a', 'b', 'c', 'd'), bytes: fc.nat(1000) }), {
      minLength: 16,
      maxLength: 40,
    });
    fc.assert(
      fc.property(others, fc.nat(3), fc.nat(1_000_000), (offers, taken, bytes) => {
        const queue = new FairQueue<number>(limits);
        offers.forEach(({ writer, bytes: size }, item) => queue.offer(of(writer, item, size)));
        for (let i = 0; i < taken; i++) queue.take();
        const held = queue.batches;
        const found = queue.offer(of('late', 0, bytes));
        expect(found).toHaveLength(held < 16 ? 0 : 1);
        expect(queue.batches).toBeLessThanOrEqual(16);
      }),
    );
  });

  test('does not evict what is being worked on', () => {
    const queue = new FairQueue<number>({ ...ROOMY, bytes: 30 });
    for (const item of [1, 2, 3]) queue.offer(of('a', item));
    for (let i = 0; i < 3; i++) queue.take();
    expect(queue.offer(of('b', 1))).toBeUndefined();
    expect(queue.bytes).toBe(30);
  });
});

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ writer: fc.constantFrom('a', 'b', 'c', 'd'), bytes: fc.nat(40) }) },
  { weight: 2, arbitrary: fc.constantFrom('take', 'done') },
);

test('whatever comes: bounds hold, nothing is lost or given twice, a writer keeps its order, and none waits for two turns of another', () => {
  const limits: QueueLimits = { batchesPerWriter: 6, bytesPerWriter: 120, batches: 12, bytes: 200 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const model = new Rehearsal(limits);
      for (const one of steps) {
        if (one === 'take') model.take();
        else if (one === 'done') model.done();
        else model.offer(one);
        model.expectCounts();
      }
    }),
    { numRuns: 300 },
  );
});
