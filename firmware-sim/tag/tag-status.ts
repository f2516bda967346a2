/** What a tag's owner may ask: is it well, what was heard, what was delivered, was I warned? */
import type { ErrorCode } from '../../protocol/errors.js';
import type { Warning } from './tag-state.js';

export interface TagStatus {
  readonly isOnAir: boolean;
  readonly isClockLost: boolean;
  /** The disk did not take what it was given last; it is tried again. */
  readonly isDiskFailing: boolean;
  /** The tag's own time. */
  readonly timeMs: number;
  /** Beacons that counted. */
  readonly heard: number;
  /** Records closed and written to flash. */
  readonly logged: number;
  /** Records a gateway has receipted. */
  readonly delivered: number;
  readonly reports: number;
  readonly refused: number;
  /** Encounters under way. */
  readonly open: number;
  /** Closed records in flash. */
  readonly waiting: number;
  /** Records lost: the log was full or too old, or an epoch had more peers than the table holds. */
  readonly dropped: number;
  /** Notes of beacons that were spoilt on disk when the tag started: an encounter that was under way may miss some time. */
  readonly spoilt: number;
  readonly hasOutstanding: boolean;
  /** The last day with credentials, counted without a gap from today; `undefined`: none for today. */
  readonly coveredThroughDay: number | undefined;
  /** The next day with credentials, when today has none: the tag is silent until then. */
  readonly resumesDay: number | undefined;
  /** The last day that had credentials, when neither today nor a later day has any: the tag needs the desk once. */
  readonly lapsedDay: number | undefined;
  readonly lastRefusal: ErrorCode | undefined;
  readonly warnings: readonly Warning[];
}
