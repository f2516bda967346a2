/** A closed live table, gathered by days for sealing. */
import { setImmediate as breathe } from 'node:timers/promises';
import { asEpoch } from '../../protocol/brands.js';
import { dayOf } from '../../protocol/time.js';
import type { LiveRow, LiveRows } from './live-table.js';
import { SealCollector } from './to-seal.js';
import type { SealedContact, ToSeal } from './to-seal.js';

export interface DayToSeal {
  readonly contacts: ToSeal;
  /** Of the rows that were taken, in their order. */
  readonly versions: Float64Array;
}

/** Rows that are gathered before others on this thread have their turn. */
const ROWS_AT_ONCE = 8192;

/**
 * The contacts of a table that stand now and begin before `beforeDay`, by the day they begin in, for days with at least
 * `least` of them.
 */
export async function gatherDays(rows: LiveRows, beforeDay: number, least: number): Promise<DayToSeal[]> {
  const counts = new Map<number, number>();
  for (const version of rows.alive()) {
    const day = dayOf(rows.startOf(version));
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  const days = new Map<number, { readonly collector: SealCollector; readonly versions: Float64Array }>();
  for (const [day, count] of counts)
    if (day < beforeDay && count >= least)
      days.set(day, { collector: new SealCollector(), versions: new Float64Array(count) });
  let taken = 0;
  for (const version of rows.alive()) {
    const day = days.get(dayOf(rows.startOf(version)));
    if (day === undefined) continue;
    day.versions[day.collector.count] = version;
    day.collector.add(sealedContact(rows.read(version)));
    if (++taken % ROWS_AT_ONCE === 0) await breathe();
  }
  return [...days.values()]
    .filter(({ collector }) => collector.count > 0)
    .map(({ collector, versions }) => ({
      contacts: collector.columns(),
      versions: versions.subarray(0, collector.count),
    }));
}

function sealedContact(row: LiveRow): SealedContact {
  const { lower, upper, start, attenuationDb, mutual, partial, nearInDay, epoch, sides } = row;
  return {
    ...{ lower, upper, start, attenuationDb, mutual, partial, nearInDay },
    durationSeconds: row.duration,
    bucketSeconds: [row.immediate, row.near, row.medium, row.other],
    evidence: sides && { epoch: asEpoch(epoch), accounts: sides },
  };
}
