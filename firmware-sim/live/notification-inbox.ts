/** Notifications of a link, awaited one by one. Holds at most eight; what comes beyond is dropped, as by a tag's stack. */
import { FirebreakError } from '../../protocol/errors.js';

const MAX_WAITING = 8;

export interface NotificationInbox {
  readonly push: (value: Uint8Array) => void;
  /**
   * The next one. Rejects with `timeout` after `timeoutMs` of wall time, at once when there are none left though something
   * waits: who sends without end gets no more time than who is silent. With `closed` when the connection is gone.
   */
  next(timeoutMs: number, closed: Promise<void>): Promise<Uint8Array>;
  close(): void;
}

const late = (): FirebreakError => new FirebreakError('timeout', 'the gateway did not answer in time');

export function notificationInbox(): NotificationInbox {
  const waiting: Uint8Array[] = [];
  let wake: (() => void) | undefined;
  let isClosed = false;

  async function pause(timeoutMs: number, closed: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const pushed = new Promise<void>((resolve) => (wake = resolve));
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late()), timeoutMs);
    });
    const gone = closed.then(() => void (isClosed = true));
    await Promise.race([pushed, gone, timeout]).finally(() => clearTimeout(timer));
  }

  return {
    push: (value) => {
      if (waiting.length < MAX_WAITING) waiting.push(value);
      wake?.();
    },
    next: async (timeoutMs, closed) => {
      if (timeoutMs <= 0) throw late();
      if (waiting.length === 0 && !isClosed) await pause(timeoutMs, closed);
      const value = waiting.shift();
      if (value !== undefined) return value;
      throw new FirebreakError('closed', 'the connection ended before the gateway answered');
    },
    close: () => {
      isClosed = true;
      wake?.();
    },
  };
}
