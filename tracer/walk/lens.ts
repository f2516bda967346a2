/**
 * How a walk sees time. A backward walk is the time mirror of a forward one (tracing.md, "Backward trace"): in its lens a
 * contact's start is minus its end, and time runs away from the case there too. A time in the lens is a signed 32-bit
 * number, so that labels are four bytes: t − 2^31 + 1 forward, 2^31 − 3 − t backward. Unix seconds past 2^32 − 4 are beyond it.
 */
import type { PresenceView } from '../presence/presence-view.js';

/** Which seconds count towards minSeconds: of its class and of those nearer. */
export type AttenuationClass = 'immediate' | 'near' | 'medium';

/** One walk; a trace both ways is two. */
export interface WalkSettings {
  readonly direction: 'forward' | 'backward';
  /** 1 to 250. */
  readonly hops: number;
  /** Window, latent and infectious period in unix seconds and seconds. */
  readonly from: number;
  readonly to: number;
  readonly minSeconds: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds?: number | undefined;
  /** The infectious period does not bind those whom the walk starts from. */
  readonly endlessStarts?: boolean | undefined;
  readonly attenuation: AttenuationClass;
  /** Co-presence at gateways counts as contact where it is given. */
  readonly presence?: PresenceView | undefined;
}

/** Later than any time in the lens, and earlier than any. */
export const NEVER = 0x7fffffff;
export const ALWAYS = -0x80000000;

/** What is added to a time, which is negated first when walking backward. */
const FORWARD = -0x7fffffff;
const BACKWARD = 0x7ffffffd;

export interface Lens {
  readonly isForward: boolean;
  readonly from: number;
  readonly to: number;
  /** In the lens: when those whom the walk starts from begin to pass it on, and by when a contact must be over. */
  readonly opensAt: number;
  readonly closesAt: number;
  readonly latent: number;
  /** Infinity where there is no infectious period. */
  readonly infectious: number;
  /** Of those whom the walk starts from. */
  readonly startsInfectious: number;
}

export function lensOf(settings: WalkSettings): Lens {
  const { direction, from, to, latentSeconds: latent, infectiousSeconds: infectious = Infinity } = settings;
  const startsInfectious = settings.endlessStarts ? Infinity : infectious;
  const isForward = direction === 'forward';
  const [opens, closes] = isForward ? [from, to] : [to, from];
  return {
    ...{ isForward, from, to, latent, infectious, startsInfectious },
    opensAt: lensTime(isForward, opens),
    closesAt: Math.min(lensTime(isForward, closes), NEVER - 2),
  };
}

/** As a 32-bit number also to the compiler, as in {@link readyAfter}: the loops over rows are several times as fast for it. */
export function lensTime(isForward: boolean, unixSeconds: number): number {
  const time = isForward ? unixSeconds + FORWARD : BACKWARD - unixSeconds;
  return Math.max(ALWAYS, Math.min(time, NEVER)) | 0;
}

export const unixSeconds = (isForward: boolean, time: number): number =>
  isForward ? time - FORWARD : BACKWARD - time;

/** From when on somebody reached at this time can pass it on. */
export const readyAfter = ({ latent }: Lens, at: number): number => Math.min(at + latent, NEVER) | 0;

/** Starts of contacts, unix seconds, both inclusive; none where first > last. */
export interface Starts {
  readonly first: number;
  readonly last: number;
}

/** Where contacts lie that begin, in the lens, at or after `ready` and before `until`, inside the window. */
export function startsOpen(
  { isForward, from, to }: Lens,
  ready: number,
  until: number,
  longest: number,
): Starts {
  const [near, far] = [unixSeconds(isForward, ready), unixSeconds(isForward, until)];
  return isForward
    ? { first: near, last: Math.min(to, far - 1) }
    : { first: Math.max(from, far + 1 - longest), last: near };
}
