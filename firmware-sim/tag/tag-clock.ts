/**
 * A tag's clock (protocol.md §7): it runs by itself, and gateways correct it. It moves at most 60 s a session and once an
 * hour; after the tag lost its clock it is set once freely, never before the newest signed time the tag has stored. After a
 * start, when only the host has said what time it is, a hello sets it freely within bounds, until one agrees with it. A
 * hello that is older than another one it has seen moves nothing, and one that is minutes older is refused: whoever recorded
 * it may be playing it back.
 */
import { FirebreakError } from '../../protocol/errors.js';
import type { Hello } from '../../protocol/session/hello.js';
import { dayOf } from '../../protocol/time.js';

export interface TagClock {
  /** Tag time − host time as it is believed (live/host-clock.ts), ms. */
  readonly offsetMs: number;
  /** Until it is set, nothing is advertised, logged, erased or dropped. */
  readonly isLost: boolean;
  /** Since a start no hello has agreed with the clock: a gateway may set it freely to this time or a later one. */
  readonly freeFromMs: number | undefined;
  readonly newestSignedMs: number;
  /** Tag time of the last correction; −Infinity is not JSON, so `undefined` before the first. */
  readonly movedAtMs: number | undefined;
}

const LARGEST_MOVE_MS = 60_000;
const BETWEEN_MOVES_MS = 3_600_000;
/** How wrong a clock may run before the days of a certificate are misjudged. */
const TOLERANCE_MS = 7_200_000;
/** Honest gateways may differ by seconds: of two that are visited one after the other, the second may be behind. */
const BEHIND_ANOTHER_MS = 120_000;
/** A host that stood still for longer than a night is found out by the day that a certificate begins. */
const LONGEST_BEHIND_MS = 86_400_000;

export const newClock = (): TagClock => ({
  offsetMs: 0,
  isLost: false,
  freeFromMs: undefined,
  newestSignedMs: 0,
  movedAtMs: undefined,
});

/** The clock when the time is lost: signed times are kept. */
export const lostClock = (clock: TagClock): TagClock => ({ ...clock, isLost: true, movedAtMs: undefined });

/** The clock after a start by the host's word; `seenMs` is the time the tag knew before. */
export const clockByHost = (clock: TagClock, seenMs = 0): TagClock => ({
  ...clock,
  freeFromMs: clock.freeFromMs ?? Math.max(clock.newestSignedMs, seenMs),
});

/** The clock after a verified hello; `nowMs` is tag time. Throws `certificate` or `epoch` for a hello not to be believed. */
export function setByHello(
  clock: TagClock,
  hello: Pick<Hello, 'timeMs' | 'certificate'>,
  nowMs: number,
): TagClock {
  if (clock.isLost) return setFreely(clock, hello.timeMs, nowMs);
  const isBehind = isProvenBehind(clock, hello.certificate, nowMs);
  if (!isBehind) requireCertifiedNow(hello.certificate, nowMs);
  const wishedMs = hello.timeMs - nowMs;
  const newestSignedMs = newestOf(clock, hello.timeMs, nowMs);
  if (isFree(clock, hello.timeMs, nowMs, isBehind))
    return { ...clock, newestSignedMs, offsetMs: clock.offsetMs + wishedMs, movedAtMs: hello.timeMs };
  if (isPast(clock, hello.timeMs, nowMs)) return afterPast(clock, hello.timeMs);
  const freeFromMs = Math.abs(wishedMs) > LARGEST_MOVE_MS ? clock.freeFromMs : undefined;
  const waits = clock.movedAtMs !== undefined && nowMs - clock.movedAtMs < BETWEEN_MOVES_MS;
  if (waits || wishedMs === 0) return { ...clock, freeFromMs, newestSignedMs };
  const moveMs = Math.max(-LARGEST_MOVE_MS, Math.min(LARGEST_MOVE_MS, wishedMs));
  const offsetMs = clock.offsetMs + moveMs;
  return { ...clock, freeFromMs, newestSignedMs, offsetMs, movedAtMs: nowMs + moveMs };
}

/** No certificate is made before its first day begins: a clock that only the host has set, and that is before it, is wrong. */
const isProvenBehind = (
  { freeFromMs }: TagClock,
  { fromDay }: Hello['certificate'],
  nowMs: number,
): boolean => freeFromMs !== undefined && fromDay > dayOf((nowMs + TOLERANCE_MS) / 1000);

/** Counted from the host's time: a second hello that is ahead gains nothing on the first. */
function isFree(
  { freeFromMs, offsetMs }: TagClock,
  timeMs: number,
  nowMs: number,
  isBehind: boolean,
): boolean {
  if (freeFromMs === undefined || timeMs < freeFromMs) return false;
  if (Math.abs(timeMs - nowMs) <= LARGEST_MOVE_MS) return false;
  return isBehind || timeMs - (nowMs - offsetMs) <= LONGEST_BEHIND_MS;
}

/** Signed before a time that this tag has seen signed and has passed since: it may be a recording, and says nothing of now. */
const isPast = ({ newestSignedMs }: TagClock, timeMs: number, nowMs: number): boolean =>
  timeMs <= newestSignedMs && newestSignedMs < nowMs;

/** It neither moves the clock nor confirms it, and no later hello waits for it. */
function afterPast(clock: TagClock, timeMs: number): TagClock {
  if (clock.newestSignedMs - timeMs <= BEHIND_ANOTHER_MS) return clock;
  throw olderThanSeen();
}

/** A gateway that is hours ahead of a clock that runs must not keep one that is lost later from being set. */
const newestOf = ({ newestSignedMs }: TagClock, timeMs: number, nowMs: number): number =>
  timeMs - nowMs > TOLERANCE_MS ? newestSignedMs : Math.max(newestSignedMs, timeMs);

function setFreely(clock: TagClock, timeMs: number, nowMs: number): TagClock {
  if (timeMs < clock.newestSignedMs) throw olderThanSeen();
  const offsetMs = clock.offsetMs + timeMs - nowMs;
  return { offsetMs, isLost: false, freeFromMs: undefined, newestSignedMs: timeMs, movedAtMs: timeMs };
}

const olderThanSeen = (): FirebreakError =>
  new FirebreakError('epoch', 'the hello is older than a time this tag has seen signed');

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
