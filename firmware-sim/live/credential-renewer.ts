/**
 * Keeps a live tag in credentials: by wire, at the desk, when it has none or its own have ended; more when its last day but
 * one begins. A tag that has lost its clock asks for the time first. What fails is tried again, later and later.
 */
import type { TagNumber } from '../../protocol/brands.js';
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { backOffMs } from '../tag/back-off.js';
import { reasonOf } from '../tag/disk-trouble.js';
import type { EnrolmentStation } from './enrolment.js';
import type { TagDevice } from '../tag/tag-device.js';

export interface RenewerDeps {
  readonly device: TagDevice;
  readonly station: EnrolmentStation;
  /** The number wished for at the first enrolment; the authority chooses when it is absent. */
  readonly tag: TagNumber | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly fraction: () => number;
}

const DAYS_AT_ONCE = 7;
const RENEW_WITH_DAYS_LEFT = 1;
const LOOK_EVERY_MS = 900_000;
/** The authority hears a tag 32 times a day (authority/credentials/daily-count.ts). */
const GAP_EVERY_MS = 3_600_000;
/** What is asked for next: from the day after those it has, or after so many more that were refused. */
interface Wish {
  readonly daysAtOnce: number;
  readonly passedOver: number;
}

const FIRST_WISH: Wish = { daysAtOnce: DAYS_AT_ONCE, passedOver: 0 };
const RETRY = { firstMs: 2_000, longestMs: 900_000 };

/**
 * Runs until `signal` says so. When days are refused, it asks for half as many: near the sunset of a deployment there are
 * fewer left than a tag likes to have (docs/retention.md). One day that is refused may be one that has no keys: a tag that
 * still has credentials asks for the day after it. Once it was given some it asks for as many as ever: days are also refused
 * to a tag whose clock is not set yet. A day that was passed over is asked for by itself, once an hour on the two days before
 * it: its keys may come back, and on that day the tag has nothing to ask with.
 */
export async function keepCredentials(deps: RenewerDeps, signal: AbortSignal): Promise<void> {
  let failures = 0;
  let wish = FIRST_WISH;
  const sayGap = gapTeller(deps);
  while (!signal.aborted) {
    sayGap();
    try {
      await obtainIfDue(deps, wish);
      failures = 0;
      wish = FIRST_WISH;
    } catch (error) {
      failures += 1;
      if (isRefusedForDays(error)) wish = nextWish(wish, deps.device);
      logFailure(deps, error);
    }
    const waitMs = failures === 0 ? LOOK_EVERY_MS : backOffMs(RETRY, failures, deps.fraction());
    await deps.clock.sleep(waitMs, signal).catch(() => {}); // rejects only when told to stop
  }
}

const isRefusedForDays = (error: unknown): boolean => error instanceof FirebreakError && error.code === 'day';

function unlessRefusedForDays(error: unknown): void {
  if (!isRefusedForDays(error)) throw error;
}

/** Half as many days; of one day the next, and after a week of these the first again, which may have its keys back. */
function nextWish({ daysAtOnce, passedOver }: Wish, { coveredThrough }: TagDevice): Wish {
  if (daysAtOnce > 1) return { daysAtOnce: Math.floor(daysAtOnce / 2), passedOver };
  return { daysAtOnce, passedOver: coveredThrough === undefined ? 0 : (passedOver + 1) % DAYS_AT_ONCE };
}

async function obtainIfDue(
  { device, station, tag }: RenewerDeps,
  { daysAtOnce, passedOver }: Wish,
): Promise<void> {
  if (device.isClockLost && station.timeMs) device.hearTime(await station.timeMs());
  if (device.isClockLost) return;
  const today = dayOf(device.nowMs() / 1000);
  const { coveredThrough } = device;
  if (device.resumesDay !== undefined) return; // the desk enrols no tag that has days to come
  if (coveredThrough === undefined) return device.enrol(station, { firstDay: today, days: daysAtOnce }, tag);
  const heldThrough = device.heldThrough ?? coveredThrough;
  const isGapDue = coveredThrough < heldThrough && device.nowMs() % GAP_EVERY_MS < LOOK_EVERY_MS;
  if (isGapDue && coveredThrough - today <= RENEW_WITH_DAYS_LEFT)
    return device.renew(station, { firstDay: coveredThrough + 1, days: 1 }).catch(unlessRefusedForDays);
  if (heldThrough - today > RENEW_WITH_DAYS_LEFT) return;
  const firstDay = heldThrough + 1 + passedOver;
  await device.renew(station, { firstDay, days: Math.max(1, daysAtOnce - (firstDay - today)) });
}

/** Says once of each stretch of days without credentials when it ends. */
function gapTeller({ device, log }: RenewerDeps): () => void {
  let told: number | undefined;
  return () => {
    const { isClockLost, resumesDay } = device;
    if (isClockLost || resumesDay === undefined || resumesDay === told) return;
    told = resumesDay;
    log.warn(`it has no credentials for today; it is on the air again on ${dateOf(resumesDay)}`);
  };
}

function logFailure({ device, log }: RenewerDeps, error: unknown): void {
  const reason = reasonOf(error);
  const code = error instanceof FirebreakError ? error.code : undefined;
  const { isClockLost, coveredThrough, lapsedDay } = device;
  if (isClockLost)
    return log.warn('the authority could not be asked for the time; it will be tried again', {
      code,
      reason,
    });
  if (coveredThrough !== undefined)
    return log.warn(
      `its credentials could not be renewed; they hold until the end of ${dateOf(coveredThrough)}; it will be tried again`,
      { code, reason },
    );
  if (lapsedDay === undefined || isRefusedForDays(error))
    return log.warn('no credentials yet; it will be tried again', { code, reason });
  log.warn(
    `its credentials ended with ${dateOf(lapsedDay)}: it needs the desk once, see docs/hardware.md; it will be tried again`,
    { code, reason },
  );
}

const dateOf = (day: number): string => new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 10);
