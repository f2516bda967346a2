/**
 * Work that ends in time, or when it is called off. `AbortSignal.any` over an `AbortSignal.timeout` does not do for this: Node may
 * collect the timeout as garbage before it fires (nodejs/node#57736), and then the work waits for ever.
 */

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
