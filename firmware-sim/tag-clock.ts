/**
 * A tag's clock (protocol.md §7): it runs by itself, and gateways correct it. It moves at most 60 s a session and once an
 * hour; after the tag lost its clock it is set once freely, never before the newest signed time the tag has stored.
 */
import { FirebreakError } from '../protocol/errors.js';
import type { Hello } from '../protocol/hello.js';
import { dayOf } from '../protocol/time.js';

export interface TagClock {
  /** Tag time − the counter that runs in it, ms. */
  readonly offsetMs: number;
  /** Until a gateway sets it, nothing is advertised and nothing logged. */
  readonly isLost: boolean;
  readonly newestSignedMs: number;
  /** Tag time of the last correction; −Infinity is not JSON, so `undefined` before the first. */
  readonly movedAtMs: number | undefined;
}

const LARGEST_MOVE_MS = 60_000;
const BETWEEN_MOVES_MS = 3_600_000;
/** How wrong a clock may run before the days of a certificate are misjudged. */
const TOLERANCE_MS = 7_200_000;

export const newClock = (): TagClock => ({
  offsetMs: 0,
  isLost: false,
  newestSignedMs: 0,
  movedAtMs: undefined,
});

/** The clock after power was lost: signed times are kept, the time is not. */
export const lostClock = (clock: TagClock): TagClock => ({ ...clock, isLost: true, movedAtMs: undefined });

/** The clock after a verified hello; `nowMs` is tag time. Throws `certificate` or `epoch` for a hello not to be believed. */
export function setByHello(
  clock: TagClock,
  hello: Pick<Hello, 'timeMs' | 'certificate'>,
  nowMs: number,
): TagClock {
  const newestSignedMs = Math.max(clock.newestSignedMs, hello.timeMs);
  if (clock.isLost) return setFreely(clock, hello.timeMs, nowMs);
  requireCertifiedNow(hello.certificate, nowMs);
  const wishedMs = hello.timeMs - nowMs;
  const waits = clock.movedAtMs !== undefined && nowMs - clock.movedAtMs < BETWEEN_MOVES_MS;
  if (waits || wishedMs === 0) return { ...clock, newestSignedMs };
  const moveMs = Math.max(-LARGEST_MOVE_MS, Math.min(LARGEST_MOVE_MS, wishedMs));
  return { ...clock, newestSignedMs, offsetMs: clock.offsetMs + moveMs, movedAtMs: nowMs + moveMs };
}

function setFreely(clock: TagClock, timeMs: number, nowMs: number): TagClock {
  if (timeMs < clock.newestSignedMs) {
    throw new FirebreakError('epoch', 'the hello is older than a time this tag has seen signed');
  }
  const offsetMs = clock.offsetMs + timeMs - nowMs;
  return { offsetMs, isLost: false, newestSignedMs: timeMs, movedAtMs: timeMs };
}

/** Tags cannot check revocation: an old hello under an old certificate must not pass for one of today. */
function requireCertifiedNow({ fromDay, toDay }: Hello['certificate'], nowMs: number): void {
  const earliest = dayOf((nowMs - TOLERANCE_MS) / 1000);
  const latest = dayOf((nowMs + TOLERANCE_MS) / 1000);
  if (fromDay <= latest && earliest <= toDay) return;
  throw new FirebreakError(
    'certificate',
    'the gateway’s certificate does not hold on the day this tag’s clock shows',
  );
}
