/** What every part of a folder is put together with, and how parts that depend on each other are closed. */
import type { CountedClock } from '../../protocol/clock.js';
import type { Log } from '../../protocol/log.js';
import type { Config } from '../folder/config.js';
import type { DataFolder } from '../folder/folder.js';

export interface PartContext {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly clock: CountedClock;
  readonly log: Log;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
}

/** Registers what to close. */
export type OnClose = (close: () => Promise<unknown>) => void;

/**
 * Opens several parts as one: `close` closes what was registered, last first, and so does a failure to open. A part that
 * does not close cleanly is said and keeps no other from closing.
 */
export async function openTogether<T extends object>(
  log: Log,
  open: (onClose: OnClose) => Promise<T>,
): Promise<T & { readonly close: () => Promise<void> }> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
      await closer().catch((error: unknown) =>
        log.error('a part did not close cleanly', { why: String(error) }),
      );
    }
  };
  try {
    const opened = await open((closer) => void closers.push(closer));
    return { ...opened, close };
  } catch (error) {
    await close();
    throw error;
  }
}
