/** A page of the log with what its entries name, its reports being opened. */
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { isPruned } from '../../protocol/tlog/ledger-reader.js';
import type { FoundPayload } from '../../protocol/tlog/ledger-reader.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import type { LoggedEntry } from '../follow/payloads.js';
import type { LoggedReport, Opening } from './open-report.js';
import type { ReportOpener } from './opener.js';

export interface PageItem {
  readonly entry: LoggedEntry;
  /** Whether the entry is of a kind whose payload was asked for. */
  readonly isWanted: boolean;
  readonly payload: FoundPayload;
  /** For a tag's report that is there; to be asked for in order. */
  readonly opening?: () => Opening | Promise<Opening>;
}

export interface OpenPage {
  readonly items: readonly PageItem[];
  /** Nothing more will be asked of it. */
  done(): void;
}

/** `payloadOf` has an entry for each that is wanted. */
export function openPage(
  entries: readonly LoggedEntry[],
  payloadOf: ReadonlyMap<LoggedEntry, FoundPayload>,
  opener: ReportOpener,
  dayKeysOf: DayKeysOf,
): OpenPage {
  const reports: LoggedReport[] = [];
  const items = entries.map((entry): PageItem => {
    const payload = payloadOf.get(entry);
    const item = { entry, isWanted: payloadOf.has(entry), payload };
    if (entry.type !== ENTRY_TYPE.tagReport || payload === undefined || isPruned(payload)) return item;
    const place = reports.push({ entry, payload }) - 1;
    return { ...item, opening: () => openings.at(place) };
  });
  const openings = opener.open(reports, dayKeysOf);
  return { items, done: () => openings.done() };
}
