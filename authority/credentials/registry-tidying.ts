/**
 * Has the registry forget what left the retention window, in the background: it reads all there is of every tag, which takes
 * minutes for a million. What is asked meanwhile is answered as if it were done (tag-registry.ts).
 */
import type { Clock } from '../../protocol/clock.js';
import { asError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import type { TagRegistry } from './tag-registry.js';

/** Of the deployment's clock, after it failed. */
const FAILED_PAUSE_MS = 600_000;

export interface RegistryTidying {
  /**
   * Begins to forget the days before this one, unless that is done or a run is under way; to be called now and again. After a
   * run that failed, ten minutes pass before the next.
   */
  begin(day: number): void;
  /** Ends a run that is under way: the next start does what is left. */
  close(): Promise<void>;
}

export interface RegistryTidyingDeps {
  readonly tags: Pick<TagRegistry, 'forgetBefore'>;
  readonly clock: Clock;
  readonly log: Log;
}

export function openRegistryTidying({ tags, clock, log }: RegistryTidyingDeps): RegistryTidying {
  const closing = new AbortController();
  const { signal: closed } = closing;
  let run: Promise<void> | undefined;
  let done: number | undefined;
  let failedAtMs = -Infinity;

  /** Never rejects. */
  async function forget(day: number): Promise<void> {
    try {
      await tags.forgetBefore(day, closed);
      done = day;
    } catch (error) {
      if (closed.aborted) return;
      failedAtMs = clock.nowMs();
      log.error('the registry could not forget what left the retention window; trying again later', {
        why: asError(error).message,
      });
    }
  }

  return {
    begin: (day) => {
      const isPaused = Math.abs(clock.nowMs() - failedAtMs) < FAILED_PAUSE_MS; // a clock may go back meanwhile
      if (day === done || run !== undefined || isPaused || closed.aborted) return;
      run = forget(day).finally(() => (run = undefined));
    },
    close: async () => {
      closing.abort();
      await run;
    },
  };
}
