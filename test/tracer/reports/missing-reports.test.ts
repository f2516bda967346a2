/** Of a city's missing reports, and how much is done at once for any one of them. */
import { expect, test, vi } from 'vitest';
import { MissingReports } from '../../../tracer/reports/missing-reports.js';
import type * as WordHash from '../../../tracer/reports/word-hash.js';
import { keep } from '../keep-parts.js';

const hashed = vi.hoisted(() => ({ rows: 0 }));
vi.mock('../../../tracer/reports/word-hash.js', async (importOriginal) => {
  const original = await importOriginal<typeof WordHash>();
  const hashOfWords: typeof original.hashOfWords = (...given) => {
    hashed.rows += 1;
    return original.hashOfWords(...given);
  };
  return { ...original, hashOfWords };
});

const NAMES = 100_000;
/** Of one tag, which may name what it likes. */
const nameOf = (k: number): Uint32Array => Uint32Array.of(7, 0, k, 0, 0, 0);

test('one that is added has few others moved, however many there are', () => {
  const missing = new MissingReports(() => false);
  let most = 0;
  for (let k = 0; k < NAMES; k++) {
    const before = hashed.rows;
    missing.add(nameOf(k), 5);
    most = Math.max(most, hashed.rows - before);
  }
  expect(missing.gaps).toBe(NAMES);
  expect(most).toBeLessThan(NAMES / 20);
});

test('what is kept of them is the same, grown or written anew', () => {
  const parts = new Map<string, Uint8Array>();
  const missing = new MissingReports(() => false);
  const save = (): void => {
    keep(parts, missing.changes());
    missing.saved();
  };
  for (let k = 0; k < 9000; k++) missing.add(nameOf(k), 5);
  save();
  for (let k = 0; k < 8990; k++) missing.delete(nameOf(k));
  save();
  expect(parts.get('missing/5')?.length).toBe(10 * 24);
  const again = new MissingReports(() => false);
  again.restore(parts);
  expect(again.gaps).toBe(10);
  for (let k = 8990; k < 9000; k++) again.delete(nameOf(k));
  expect(again.gaps).toBe(0);
});
