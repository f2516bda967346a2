/** Keeping up with a ledger for as long as a process lives. */
import { pauseUntilStopped } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import type { CatchUp } from './follower.js';

/** A log that does not add up is no passing trouble. */
const FATAL: ReadonlySet<ErrorCode> = new Set(['consistency', 'chain', 'signature', 'foreign']);
const MAX_PAUSE_MS = 30_000;

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Wall ms between one reading and the next; doubled after each failure, up to half a minute. */
  readonly pollMs: number;
  readonly log: Log;
  /** Told when there was something new. */
  readonly onAdded?: (added: number) => void;
}

/**
 * Reads on again and again. Resolves when the signal aborts. A ledger that is away comes back; one that shows another
 * history is an end: throws `consistency`, `chain`, `signature` or `foreign`.
 */
export async function follow(
  reader: { catchUp(onProgress: undefined, signal: AbortSignal): Promise<CatchUp> },
  { signal, pollMs, log, onAdded }: FollowOptions,
): Promise<void> {
  let pauseMs = pollMs;
  while (!signal.aborted) {
    try {
      const { added } = await reader.catchUp(undefined, signal);
      pauseMs = pollMs;
      if (added > 0) onAdded?.(added);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof FirebreakError && FATAL.has(error.code)) throw error;
      pauseMs = Math.min(2 * pauseMs, Math.max(pollMs, MAX_PAUSE_MS));
      log.warn('the tracer could not read on; trying again', { why: reasonOf(error), pauseMs });
    }
    await pauseUntilStopped(pauseMs, signal);
  }
}

/** For the log, with what lies behind it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
