/** An answer in pieces is the answer. */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteSlices, inSlices, jsonPieces } from '../../../tracer/api/json-pieces.js';

const gather = async (slices: AsyncIterable<Buffer>): Promise<Buffer> => {
  const all: Buffer[] = [];
  for await (const slice of slices) all.push(slice);
  return Buffer.concat(all);
};

describe('JSON in pieces', () => {
  it('is what JSON.stringify makes of it', () => {
    const value = fc.object({
      withDate: true,
      withNullPrototype: true,
      maxDepth: 5,
      values: [fc.jsonValue(), fc.constant(undefined)],
    });
    fc.assert(
      fc.property(fc.oneof(value, fc.jsonValue()), (given) => {
        expect([...jsonPieces(given)].join('')).toBe(JSON.stringify(given));
      }),
    );
  });

  it('has bytes in base64, however many', async () => {
    for (const length of [0, 1, 2, 3, 49_151, 49_152, 49_153, 150_000]) {
      const evidence = Uint8Array.from({ length: length + 3 }, (_, k) => k * 7).subarray(3);
      const text = (await gather(inSlices(jsonPieces({ evidence, index: 1 })))).toString();
      expect(text).toBe(`{"evidence":"${Buffer.from(evidence).toString('base64')}","index":1}`);
    }
  });

  it('comes in slices of about 64 KiB, with whole characters', async () => {
    const rows = Array.from({ length: 5_000 }, (_, k) => ({ k, text: '🙂ü'.repeat(20) }));
    const sizes: number[] = [];
    const text: string[] = [];
    for await (const slice of inSlices(jsonPieces({ rows }))) {
      sizes.push(slice.length);
      text.push(slice.toString());
    }
    expect(text.join('')).toBe(JSON.stringify({ rows }));
    expect(sizes.length).toBeGreaterThan(3);
    expect(Math.max(...sizes)).toBeLessThan(3 * 65_536 + 1_000);
  });
});

describe('slices', () => {
  it.each([
    ['of JSON', inSlices(jsonPieces(Array.from({ length: 50_000 }, (_, k) => `row ${k}`)))],
    ['of bytes', byteSlices(new Uint8Array(600_000))],
  ])('%s let others have a turn after each', async (_what, slices) => {
    let [turns, sliced, isDone] = [0, 0, false];
    const others = (async () => {
      for (; !isDone; turns += 1) await turn();
    })();
    for await (const { length } of slices) sliced += Math.sign(length);
    isDone = true;
    await others;
    expect(sliced).toBeGreaterThan(8);
    expect(turns).toBeGreaterThanOrEqual(sliced - 1);
  });
});

describe('bytes in slices', () => {
  it('are the bytes', async () => {
    for (const length of [0, 1, 65_536, 65_537, 200_000]) {
      const bytes = Uint8Array.from({ length: length + 5 }, (_, k) => k * 11).subarray(5);
      expect(Buffer.compare(await gather(byteSlices(bytes)), bytes)).toBe(0);
    }
  });
});
