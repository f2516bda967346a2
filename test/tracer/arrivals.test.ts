import { isDeepStrictEqual } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { trace } from '../../tracer/looks/trace.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import { plainView } from '../reference/views.js';
import { asked, meeting } from './walk-stage.js';

/** From the time of this call on the first signed column of as many numbers is one too many for the memory. */
function failingColumn(length: number): () => number {
  let failures = 0;
  const construct = (column: Int32ArrayConstructor, given: [number]): object => {
    if (given[0] !== length || failures > 0) return Reflect.construct(column, given) as object;
    failures += 1;
    throw new RangeError('Array buffer allocation failed');
  };
  vi.stubGlobal('Int32Array', new Proxy(Int32Array, { construct }));
  onTestFinished(() => void vi.unstubAllGlobals());
  return () => failures;
}

it.each([1, 2])(
  'a walk that found no memory for more arrivals leaves the workspace fit for the next (%i)',
  (fold) => {
    const met = Array.from({ length: 10_000 }, (_, k) => meeting(1, 2 + k, 1_000 + 20 * k));
    const { view } = plainView(met);
    const request = asked({ case: '1', hops: 1 });
    const expected = trace(view, request);
    const space = new WalkWorkspace();
    const failures = failingColumn(4_096 * 2 ** fold); // persons, which come first, are unsigned
    expect(() => trace(view, request, { space })).toThrow('allocation failed');
    expect(failures()).toBe(1);
    expect(isDeepStrictEqual(trace(view, request, { space }), expected)).toBe(true);
  },
);
