/**
 * Where the tracer has day keys from. The authority makes them ahead of each day and destroys them after
 * retention, both while a tracer runs.
 */
import type { DayKeysOf } from '../../protocol/tag/report-open.js';

export interface DayKeySource {
  /** The keys of a day, as of the last refresh: to be used at once, since those of a day that ended are wiped. */
  readonly of: DayKeysOf;
  /**
   * Takes note of new and of destroyed keys. Called in each round of reading, now and then while the log is
   * verified, and before each page of reports is opened.
   */
  readonly refresh: () => Promise<void>;
}
