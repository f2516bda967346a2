/**
 * Who opens the reports of a page: this thread, one report when it is asked for, or a pool of others
 * (opening-pool.ts).
 */
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import { openLogged } from './open-report.js';
import type { LoggedReport, Opening, OpeningSettings } from './open-report.js';

/** What was found in the reports of a page; to be asked for in order. */
export interface Openings {
  /** Of the report at this place. A promise only where it is not known yet; it is never rejected. */
  at(place: number): Opening | Promise<Opening>;
  /** Nothing more will be asked. */
  done(): void;
}

export interface ReportOpener {
  /** `dayKeysOf` is what it is when a report is opened: nothing is opened with keys that it does not give then. */
  open(reports: readonly LoggedReport[], dayKeysOf: DayKeysOf): Openings;
}

/** On this thread. */
export const inlineOpener = (settings: OpeningSettings): ReportOpener => ({
  open: (reports, dayKeysOf) => ({
    at: (place) => openLogged(reportAt(reports, place), settings, dayKeysOf),
    done: () => undefined,
  }),
});

/** Throws a RangeError for a place that there is not. */
export function reportAt(reports: readonly LoggedReport[], place: number): LoggedReport {
  const report = reports[place];
  if (report === undefined) throw new RangeError(`there is no report ${place}`);
  return report;
}
