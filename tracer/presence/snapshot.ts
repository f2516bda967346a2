/**
 * Presence as it stood at one moment: rows by day in shared memory, which a worker thread takes as they are,
 * and the stays read out of them. Days are kept apart in memory, and so may be what came last; a stay runs on
 * over midnight.
 */
import { MAX_GAP_SECONDS } from './day-rows.js';
import type { DayRows } from './day-rows.js';
import type { PresenceView, Stay } from './presence-view.js';

/** No more than arrays and numbers: it can be posted to another thread. */
export interface PresenceSnapshot {
  /** Ascending by day; what came last on a day may be apart. */
  readonly days: readonly DayRows[];
  /** By number. */
  readonly gatewayIds: readonly Uint8Array[];
  /** As of {@link PresenceView}. */
  readonly knownFrom: number | undefined;
}

export function presenceView({ days, gatewayIds, knownFrom }: PresenceSnapshot): PresenceView {
  return {
    knownFrom,
    gateways: gatewayIds.length,
    staysOf: (person) =>
      joined(days.flatMap((rows) => runsOf(rows, person))).sort(
        (x, y) => x.start - y.start || x.gateway - y.gateway,
      ),
    overlapping: (gateway, start, end) => overlapping(days, { gateway, start, end }),
    gatewayId: (gateway) => {
      const id = gatewayIds[gateway];
      if (id === undefined) throw new RangeError(`there is no gateway ${gateway}`);
      return Uint8Array.from(id);
    },
  };
}

/** A station has a million in its days: whoever shares a thread can leave it after so many. */
const SIGNS_A_LOOK = 1024;

interface Place {
  readonly gateway: number;
  readonly start: number;
  readonly end: number;
}

/**
 * A stay that spans the window between two runs shows in neither, so that runs up to a gap away count as signs
 * of one.
 */
function* overlapping(days: readonly DayRows[], place: Place): Generator<Stay | undefined> {
  const { gateway, start, end } = place;
  const told = new Set<number>();
  let sinceLook = 0;
  for (const person of peopleAround(days, place)) {
    if (++sinceLook === SIGNS_A_LOOK) {
      sinceLook = 0;
      yield undefined;
    }
    if (told.has(person)) continue;
    told.add(person);
    const runs = days.flatMap((rows) => runsOf(rows, person, gateway));
    for (const stay of joined(runs)) if (stay.start <= end && stay.end >= start) yield stay;
  }
}

/** Of all days, a person as often as there are signs of it. */
function* peopleAround(days: readonly DayRows[], { gateway, start, end }: Place): Generator<number> {
  const wider = { gateway, start: start - MAX_GAP_SECONDS, end: end + MAX_GAP_SECONDS };
  for (const rows of days) yield* peopleAt(rows, wider);
}

function* peopleAt(rows: DayRows, { gateway, start, end }: Place): Generator<number> {
  const { byGateway, latestEnd } = rows;
  const gatewayAt = (place: number): number => rows.gateway[byGateway[place] ?? -1] ?? Infinity;
  const first = firstWhere(rows.length, (place) => gatewayAt(place) >= gateway);
  const beyond = firstWhere(rows.length, (place) => gatewayAt(place) > gateway);
  const from = first + firstWhere(beyond - first, (place) => (latestEnd[first + place] ?? 0) >= start);
  for (let place = from; place < beyond; place++) {
    const row = byGateway[place] ?? -1;
    if ((rows.start[row] ?? Infinity) > end) return;
    if ((rows.end[row] ?? 0) >= start) yield rows.person[row] ?? -1;
  }
}

/** Of one day; at all gateways unless one is named. By gateway, then start. */
function runsOf(rows: DayRows, person: number, gateway?: number): Stay[] {
  const runs: Stay[] = [];
  const first = firstWhere(rows.length, (row) => (rows.person[row] ?? Infinity) >= person);
  for (let row = first; row < rows.length && rows.person[row] === person; row++) {
    const at = rows.gateway[row] ?? -1;
    if (gateway !== undefined && at !== gateway) continue;
    runs.push({ person, gateway: at, start: rows.start[row] ?? 0, end: rows.end[row] ?? 0 });
  }
  return runs;
}

/** Runs of one person, joined to stays; by gateway, then start. */
function joined(runs: readonly Stay[]): Stay[] {
  const stays: Stay[] = [];
  for (const run of [...runs].sort((x, y) => x.gateway - y.gateway || x.start - y.start)) {
    const last = stays.at(-1);
    if (last?.gateway === run.gateway && run.start - last.end <= MAX_GAP_SECONDS)
      stays[stays.length - 1] = { ...last, end: Math.max(last.end, run.end) };
    else stays.push(run);
  }
  return stays;
}

/** The first of 0 to `length` for which `holds`, which holds from there on; `length` when it holds nowhere. */
function firstWhere(length: number, holds: (place: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
