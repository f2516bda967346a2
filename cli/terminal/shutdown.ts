/** Ctrl-C and SIGTERM ask a process to finish what it holds; a second one ends it at once. */
import { setMaxListeners } from 'node:events';
import { pauseUntilStopped } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';
import { asStopped, endInterrupted, StoppedError } from './exit.js';

/** A signal that aborts on SIGINT or SIGTERM. Call the disposer when the work is over. */
export function stopSignal(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // every session of a fleet listens while it lasts
  const stop = () => {
    if (controller.signal.aborted) endInterrupted();
    controller.abort(new StoppedError());
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    dispose() {
      controller.abort(new FirebreakError('closed', 'the work is over')); // what still repeats must not keep the process alive
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}

/** Does work that Ctrl-C ends. Throws {@link StoppedError} where that was before it was done. */
export async function untilDone<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = stopSignal();
  try {
    return await work(stop.signal);
  } catch (error) {
    throw asStopped(error, stop.signal);
  } finally {
    stop.dispose();
  }
}

/** Resolves when the signal aborts. */
export function untilStopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Ctrl-C reaches all processes of a terminal at once, in no order. */
const STOPPED_TOGETHER_MS = 500;

/** Resolves when the signal aborts; rejects `closed` when the air is gone and nobody asked this party to stop. */
export async function whileOnAir(lost: Promise<void>, signal: AbortSignal, party: string): Promise<void> {
  await Promise.race([untilStopped(signal), lost]);
  await pauseUntilStopped(STOPPED_TOGETHER_MS, signal);
  if (!signal.aborted) throw new FirebreakError('closed', `the air is gone; start it and the ${party} again`);
}

/** Does `work` now and again, `pauseMs` of wall time after it ended, until the signal aborts. */
export async function repeatUntilStopped(
  pauseMs: number,
  signal: AbortSignal,
  work: () => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    await work();
    await pauseUntilStopped(pauseMs, signal);
  }
}
