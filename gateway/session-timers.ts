/** When a session is over though nobody ended it: it lasts too long, or nothing is said on it. Wall time (decision 0003). */
import type { ServerSession } from '../radio/contract.js';

export interface SessionTimers {
  /** The tag asked for something: while the gateway works on that, the silence is not the tag's. */
  readonly asked: () => void;
  /** It has its answer: when it waits for no other, the silence begins. */
  readonly answered: () => void;
  readonly clear: () => void;
}

/** Calls `onLate` once, when the first of the two limits is reached. */
export function sessionTimers(
  limits: { readonly sessionLimitMs: number; readonly silenceLimitMs: number },
  onLate: () => void,
): SessionTimers {
  let underway = 0;
  let isOver = false;
  const clear = (): void => {
    isOver = true;
    clearTimeout(whole);
    clearTimeout(silence);
  };
  const end = (): void => {
    clear();
    onLate();
  };
  const whole = setTimeout(end, limits.sessionLimitMs);
  let silence = setTimeout(end, limits.silenceLimitMs);
  return {
    asked: () => {
      underway += 1;
      clearTimeout(silence);
    },
    answered: () => {
      underway -= 1;
      if (underway === 0 && !isOver) silence = setTimeout(end, limits.silenceLimitMs);
    },
    clear,
  };
}

/** The session, telling the timers of each call when it comes and when it is answered. */
export function watched(
  session: ServerSession,
  { asked, answered }: Pick<SessionTimers, 'asked' | 'answered'>,
): ServerSession {
  const around = <T>(work: () => Promise<T>): Promise<T> => {
    asked();
    return work().finally(answered);
  };
  return {
    onRead: (characteristic) => around(() => session.onRead(characteristic)),
    onWrite: (characteristic, value) => around(() => session.onWrite(characteristic, value)),
    onClosed: () => session.onClosed(),
  };
}
