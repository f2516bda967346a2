/** Work that ends in time, whatever the collector of garbage does meanwhile. */
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { withTimeLimit } from '../../host/time-limit.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
/** Never comes, unless the signal aborts. */
const forEver = (signal: AbortSignal) => once(new EventTarget(), 'never', { signal });

describe('a time limit', () => {
  test('ends work that waits, although garbage was collected since it began', async () => {
    const ended = withTimeLimit(60, [new AbortController().signal], async (signal) => {
      const waiting = forEver(signal);
      collectGarbage();
      return waiting;
    });
    await expect(ended).rejects.toMatchObject({ cause: { name: 'TimeoutError' } });
  });

  test('hands on the reason of a signal, one that was aborted before too, and leaves no listener', async () => {
    const outer = new AbortController();
    const ended = withTimeLimit(10_000, [undefined, outer.signal], async (signal) => {
      outer.abort(new Error('called off'));
      signal.throwIfAborted();
    });
    await expect(ended).rejects.toThrow('called off');
    const late = withTimeLimit(10_000, [outer.signal], async (signal) => signal.throwIfAborted());
    await expect(late).rejects.toThrow('called off');
    expect(await withTimeLimit(10_000, [], async () => 7)).toBe(7);
  });
});
