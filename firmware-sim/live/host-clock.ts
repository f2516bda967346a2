/**
 * What a tag makes of its host's clock (protocol.md §7). People and networks set that clock; a counter only goes on. While
 * the two agree, the tag counts in the host's time. When the host's clock jumps, either it was set or the counter stood
 * still while the machine slept: the tag cannot tell which, counts on, and doubts its time until the clock has agreed
 * again for ten minutes. All limits are in the host's own time: a deployment's clock may run faster.
 */

export interface HostTime {
  /** The deployment's time by the host's clock, ms. */
  readonly nowMs: () => number;
  /** Deployment ms per ms of the host. */
  readonly rate: number;
}

/** What a look at the host's clock changes: `moved` by a little, in `doubt`, or `sure` again of the tag's time. */
export type HostSays =
  | { readonly type: 'moved' }
  | { readonly type: 'doubt' }
  | { readonly type: 'sure'; readonly offsetMs: number };

interface Known {
  /** Tag time − host time. */
  readonly offsetMs: number;
  readonly isLost: boolean;
}

const MINUTE_MS = 60_000;
/** Followed within an hour, as the corrections of a gateway are. */
const DRIFT_MS = MINUTE_MS;
const DRIFT_WITHIN_MS = 60 * MINUTE_MS;
const AGREES_FOR_MS = 10 * MINUTE_MS;
/** A tag that was off for longer does not take the host's word for the day. */
const LONGEST_OFF_MS = 24 * 60 * MINUTE_MS;
const MOVED_MS = 1000;
/** For so long it must have gone with the counter before the authority's word makes up for its jump. */
const STEADY_FOR_MS = 120 * MINUTE_MS;

export class HostClock {
  readonly #counterMs: () => number;
  readonly #host: HostTime | undefined;
  readonly #rate: number;
  /** Host time as it is believed − the counter. */
  #anchorMs = 0;
  /** The anchor that drift is measured from, and since when. */
  #moored = { anchorMs: 0, sinceMs: 0 };
  /** Host time − the counter, from which it has not strayed by a minute since. */
  #steady: { readonly shiftMs: number; readonly sinceMs: number } | undefined;
  #doubt: { agreesSinceMs: number | undefined } | undefined;

  /** Without a host the counter is the time: a clock of a simulation is set by nobody. */
  constructor(counterMs: () => number, host: HostTime | undefined) {
    this.#counterMs = counterMs;
    this.#host = host;
    this.#rate = host?.rate ?? 1;
    this.believe();
  }

  /** Host time as it is believed, ms: what the host's clock said when it was believed last, and the counter since. */
  nowMs(): number {
    return this.#counterMs() + this.#anchorMs;
  }

  /** Takes the host's word from here on. Returns what takes that back. */
  believe(): () => void {
    const before = { anchorMs: this.#anchorMs, moored: this.#moored, doubt: this.#doubt };
    if (this.#host !== undefined) this.#anchorAt(this.#host.nowMs() - this.#counterMs());
    return () => {
      this.#anchorMs = before.anchorMs;
      this.#moored = before.moored;
      this.#doubt = before.doubt;
    };
  }

  /**
   * Whether a tag that last knew the time `seenMs` may take the host's word at a start: it is not behind, not by more than
   * a day ahead, and no gateway had found it wrong.
   */
  isLikely(offsetMs: number, seenMs: number | undefined): boolean {
    if (this.#host === undefined || seenMs === undefined) return true;
    const aheadMs = this.nowMs() + offsetMs - seenMs;
    const driftMs = DRIFT_MS * this.#rate;
    return Math.abs(offsetMs) <= driftMs && aheadMs >= -driftMs && aheadMs <= LONGEST_OFF_MS * this.#rate;
  }

  /** A time of the host's of just now, such as a sighting's, as one that is believed. */
  within(hostMs: number): number {
    if (this.#host === undefined) return hostMs;
    const nowMs = this.nowMs();
    return Math.max(nowMs - DRIFT_MS * this.#rate, Math.min(hostMs, nowMs));
  }

  /** Whether the host's clock says this time too, to the minute, and has gone with the counter for two hours. */
  isConfirmedBy(timeMs: number): boolean {
    if (this.#host === undefined || this.#steady === undefined) return false;
    if (Math.abs(this.#host.nowMs() - timeMs) > DRIFT_MS * this.#rate) return false;
    return this.#counterMs() - this.#steady.sinceMs >= STEADY_FOR_MS * this.#rate;
  }

  /** Holds the host's clock against the counter. A clock that was lost for another reason is not judged by it. */
  look(known: Known): HostSays | undefined {
    if (this.#host === undefined) return undefined;
    const shiftMs = this.#shiftMs(this.#host);
    if (shiftMs === undefined) return undefined;
    this.#noteSteady(this.#anchorMs + shiftMs);
    if (known.isLost && this.#doubt === undefined) return undefined;
    const offsetMs = this.#follow(shiftMs, known.offsetMs);
    if (offsetMs === undefined) return this.#beginDoubt();
    if (this.#doubt !== undefined) return this.#endDoubt(this.#doubt, offsetMs);
    if (offsetMs !== known.offsetMs) return { type: 'sure', offsetMs };
    return Math.abs(shiftMs) < MOVED_MS ? undefined : { type: 'moved' };
  }

  /** How far the host's clock was set; `undefined` when the machine was too busy for the two readings to be of one time. */
  #shiftMs(host: HostTime): number | undefined {
    const beforeMs = this.#counterMs();
    const hostMs = host.nowMs();
    const tookMs = this.#counterMs() - beforeMs;
    if (tookMs > (DRIFT_MS * this.#rate) / 4) return undefined;
    return hostMs - beforeMs - this.#anchorMs;
  }

  /** The tag's offset from the host's clock from now on; `undefined` when neither drift nor what the tag was told explains it. */
  #follow(shiftMs: number, offsetMs: number): number | undefined {
    const driftMs = DRIFT_MS * this.#rate;
    const atMs = this.#counterMs();
    if (atMs - this.#moored.sinceMs >= DRIFT_WITHIN_MS * this.#rate)
      this.#moored = { anchorMs: this.#anchorMs, sinceMs: atMs };
    if (Math.abs(this.#anchorMs + shiftMs - this.#moored.anchorMs) <= driftMs) {
      this.#anchorMs += shiftMs;
      return offsetMs;
    }
    if (Math.abs(offsetMs) <= driftMs || Math.abs(shiftMs - offsetMs) > driftMs) return undefined;
    this.#anchorAt(this.#anchorMs + shiftMs); // the host was set to the time that a gateway had told the tag
    return offsetMs - shiftMs;
  }

  #noteSteady(shiftMs: number): void {
    if (this.#steady && Math.abs(shiftMs - this.#steady.shiftMs) <= DRIFT_MS * this.#rate) return;
    this.#steady = { shiftMs, sinceMs: this.#counterMs() };
  }

  #beginDoubt(): HostSays | undefined {
    const isNew = this.#doubt === undefined;
    this.#doubt = { agreesSinceMs: undefined };
    return isNew ? { type: 'doubt' } : undefined;
  }

  #endDoubt(doubt: { agreesSinceMs: number | undefined }, offsetMs: number): HostSays | undefined {
    doubt.agreesSinceMs ??= this.#counterMs();
    if (this.#counterMs() - doubt.agreesSinceMs < AGREES_FOR_MS * this.#rate) return undefined;
    this.#doubt = undefined;
    return { type: 'sure', offsetMs };
  }

  #anchorAt(anchorMs: number): void {
    this.#anchorMs = anchorMs;
    this.#moored = { anchorMs, sinceMs: this.#counterMs() };
    this.#doubt = undefined;
  }
}
