/**
 * Work that ends in time, or when it is called off. `AbortSignal.any` over an `AbortSignal.timeout` does not do for this: Node may
 * collect the timeout as garbage before it fires (nodejs/node#57736), and then the work waits for ever.
 */
import { asError } from '../protocol/errors.js';

/**
 * What `work` gives; the signal that it is handed aborts after `limitMs` of wall time with a DOMException `TimeoutError`, and
 * when one of `signals` does, with the reason of that. The work is to heed it.
 */
export async function withTimeLimit<T>(
  limitMs: number,
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new DOMException(`it took longer than ${limitMs} ms`, 'TimeoutError')),
    limitMs,
  );
  const followed = signals.filter((signal) => signal !== undefined);
  const follow = (): void => limit.abort(followed.find(({ aborted }) => aborted)?.reason);
  for (const signal of followed) signal.addEventListener('abort', follow, { once: true });
  if (followed.some(({ aborted }) => aborted)) follow();
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    for (const signal of followed) signal.removeEventListener('abort', follow);
  }
}

/**
 * As the promise, but that it rejects when the signal aborts first, with the reason of that; what knows better why it ends has a
 * moment to say so. Leaves no listener on the signal behind.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => void setImmediate(() => reject(asError(signal.reason)));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
