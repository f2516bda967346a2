/** What one walk goes over, and by which rules: everything its rounds share. */
import { saturated } from '../contacts/segment.js';
import type { ContactView } from '../contacts/view.js';
import type { TraceRequest } from '../looks/trace-result.js';
import { ClassSeconds } from './class-seconds.js';
import type { BucketsOf } from './class-seconds.js';
import { lensOf } from './lens.js';
import type { Lens, WalkSettings } from './lens.js';
import { Pace } from './pace.js';
import type { PresenceView } from '../presence/presence-view.js';
import { Tables } from './tables.js';
import type { WalkWorkspace } from './workspace.js';

/** The contact store counts no further. */
export const MOST_NEAR_IN_DAY = saturated(Infinity);

export interface Ground {
  readonly view: ContactView;
  readonly lens: Lens;
  readonly tables: Tables;
  readonly space: WalkWorkspace;
  readonly pace: Pace;
  readonly minSeconds: number;
  /** No contact with less in its 24 hours is a close one. */
  readonly leastNearInDay: number;
  /** Says of those left which are, where nearInDay does not. */
  readonly classSeconds: ClassSeconds | undefined;
  readonly presence: PresenceView | undefined;
}

export interface GroundGiven {
  /** Of an entry of a segment: needed for other classes of attenuation than near. */
  readonly bucketsOf?: BucketsOf | undefined;
  /** Shared: see pace.ts. */
  readonly flag?: Int32Array | undefined;
  /** In place of one by the flag: for whoever counts what is gone over. */
  readonly pace?: Pace | undefined;
}

/** Whether nearInDay does not tell which contacts are close: then the seconds of each class are wanted. */
export const needsBuckets = ({ minSeconds, attenuation = 'near' }: Closeness): boolean =>
  minSeconds > 0 && (attenuation !== 'near' || minSeconds > MOST_NEAR_IN_DAY);

type Closeness = Pick<TraceRequest, 'minSeconds' | 'attenuation'>;

/** Throws `input` for an attenuation class whose seconds cannot be had. */
export function groundOf(
  view: ContactView,
  settings: WalkSettings,
  space: WalkWorkspace,
  { bucketsOf, flag, pace = new Pace(flag) }: GroundGiven,
): Ground {
  const { minSeconds, attenuation, presence, from, to } = settings;
  const asked = { attenuation, minSeconds, ends: { first: from, last: to }, bucketsOf };
  return {
    ...{ view, space, pace, minSeconds, presence },
    lens: lensOf(settings),
    tables: new Tables(view),
    leastNearInDay: attenuation === 'medium' ? 0 : Math.min(minSeconds, MOST_NEAR_IN_DAY),
    classSeconds: needsBuckets(settings) ? new ClassSeconds(view, asked, pace) : undefined,
  };
}
