/** Waiting for what a library says by an event, with an end to it. */
import type { EventEmitter } from 'node:events';
import { reasonOf } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';

/**
 * Begins something and waits for the event that ends it. Rejects with `timeout` after that many wall ms. No listener stays
 * behind.
 */
export async function eventOf(
  emitter: EventEmitter,
  event: string,
  timeoutMs: number,
  begin: () => void,
): Promise<readonly unknown[]> {
  let listener: (...args: unknown[]) => void = () => undefined;
  const happened = new Promise<readonly unknown[]>((resolve) => (listener = (...args) => resolve(args)));
  emitter.on(event, listener);
  try {
    begin();
    return await within(timeoutMs, `Bluetooth gave no ${event}`, happened);
  } finally {
    emitter.removeListener(event, listener);
  }
}

/** The promise, or `timeout` after that many wall ms. */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new FirebreakError('timeout', `${what} within ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The promise, or the signal's reason when it aborts first; what becomes of the promise then is nobody's business. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => undefined); // also when the signal has aborted already, and nobody waits for it at all
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => (onAbort = () => reject(reasonOf(signal))));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
