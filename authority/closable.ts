/** Work that an authority takes on until it is closed. */
import { FirebreakError } from '../protocol/errors.js';

export type Task = <T>(work: () => Promise<T>) => Promise<T>;

export interface Closable {
  readonly task: Task;
  readonly close: () => Promise<void>;
}

/** Tasks are refused with `closed` after closing; closing waits for those under way, then settles the rest. */
export function closable(settle: () => Promise<unknown>): Closable {
  const underWay = new Set<Promise<unknown>>();
  let closed = false;

  async function task<T>(work: () => Promise<T>): Promise<T> {
    if (closed) throw new FirebreakError('closed', 'the authority is shutting down');
    const run = work();
    underWay.add(run);
    try {
      return await run;
    } finally {
      underWay.delete(run);
    }
  }

  async function close(): Promise<void> {
    closed = true;
    await Promise.allSettled(underWay);
    await settle();
  }

  return { task, close };
}
