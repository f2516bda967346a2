import { describe, expect, it } from 'vitest';
import { NO_ROW, WordTable } from '../../../tracer/reports/word-table.js';

/** Two words that a hash which multiplies and shifts, and draws no seed, has in one place, whatever `first` is. */
function alike(first: number): Uint32Array {
  const multiplied = Math.imul(first, 0x9e3779b1);
  return Uint32Array.of(first, (multiplied ^ (multiplied >>> 15)) >>> 0);
}

/** The same words, and how often they are read. */
function counted(words: Uint32Array): { readonly key: Uint32Array; readonly reads: () => number } {
  let reads = 0;
  const get = (target: Uint32Array, name: string | symbol): unknown => {
    reads += 1;
    return Reflect.get(target, name, target);
  };
  return { key: new Proxy(words, { get }), reads: () => reads };
}

describe('a table of rows of words', () => {
  it('finds its way whatever the words are that somebody chose to be in the way', () => {
    const table = new WordTable(2, 2);
    for (let first = 1; first <= 4000; first++) table.add(alike(first));
    const { key, reads } = counted(alike(4001));
    expect(table.find(key)).toBe(NO_ROW);
    expect(reads()).toBeLessThan(400);
    expect(table.find(alike(4000))).toBe(3999);
  });
});
