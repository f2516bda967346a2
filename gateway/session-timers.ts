/** When a session is over though nobody ended it: it lasts too long, or nothing is said on it. Wall time (decision 0003). */
import type { ServerSession } from '../radio/contract.js';

export interface SessionTimers {
  /** Something was said: the silence begins anew. */
  readonly touch: () => void;
  readonly clear: () => void;
}

/** Calls `onLate` once, when the first of the two limits is reached. */
export function sessionTimers(
  limits: { readonly sessionLimitMs: number; readonly silenceLimitMs: number },
  onLate: () => void,
): SessionTimers {
  const clear = (): void => {
    clearTimeout(whole);
    clearTimeout(silence);
  };
  const end = (): void => {
    clear();
    onLate();
  };
  const whole = setTimeout(end, limits.sessionLimitMs);
  const silence = setTimeout(end, limits.silenceLimitMs);
  return { touch: () => void silence.refresh(), clear }; // a timer that was cleared stays so
}

/** The session, telling of each call when it comes and when it is answered. */
export function watched(session: ServerSession, onActivity: () => void): ServerSession {
  const around = <T>(work: Promise<T>): Promise<T> => {
    onActivity();
    return work.finally(onActivity);
  };
  return {
    onRead: (characteristic) => around(session.onRead(characteristic)),
    onWrite: (characteristic, value) => around(session.onWrite(characteristic, value)),
    onClosed: () => session.onClosed(),
  };
}
