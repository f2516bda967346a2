import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FirebreakError } from '../../protocol/errors.js';
import { undamagedPayloads } from '../../protocol/tlog/undamaged-payloads.js';

const hashes = (count: number) => Array.from({ length: count }, (_, k) => Uint8Array.of(k));

/** A payload is its hash; these are damaged. */
const readerOf = (damaged: ReadonlySet<number>) => ({
  payloads: async (asked: readonly Uint8Array[]) => {
    if (!asked.some(([k = -1]) => damaged.has(k))) return asked;
    throw new FirebreakError('damaged-payload', 'one of them is damaged');
  },
});

it('gives all payloads but the damaged ones, whichever these are', async () => {
  const some = fc
    .integer({ min: 0, max: 40 })
    .chain((count) =>
      fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat(Math.max(0, count - 1)), { maxLength: count })),
    );
  await fc.assert(
    fc.asyncProperty(some, async ([count, places]) => {
      const damaged = new Set(places);
      const found = await undamagedPayloads(readerOf(damaged), hashes(count));
      expect(found.damaged).toEqual([...places].sort((x, y) => x - y));
      expect(found.payloads).toEqual(hashes(count).map((hash, k) => (damaged.has(k) ? undefined : hash)));
    }),
  );
});

it('throws whatever else a reader throws', async () => {
  const away = { payloads: () => Promise.reject(new FirebreakError('damaged', 'a file is gone')) };
  await expect(undamagedPayloads(away, hashes(3))).rejects.toMatchObject({ code: 'damaged' });
});
