/**
 * A round as one pass over the rows of everybody, for a frontier that covers much of the city: instead of going out from
 * those who may have passed it on, each person's contacts are gone over, in the order in which they lie in memory, for
 * those with somebody of the frontier. What is open is handed to the same keeper, so that the outcome is the same.
 *
 * Of a person reached before only contacts that end before that are looked at; of a new one all, as their score demands.
 */
import type { Segment } from '../contacts/segment.js';
import { isReplaced, isVisible } from '../contacts/view.js';
import type { LiveTable } from '../contacts/view.js';
import { newestLink } from './class-seconds.js';
import type { EarliestKeeper } from './earliest.js';
import { fromEntry, mirrored, toEntry } from './expand.js';
import type { Ground } from './ground.js';
import { ALWAYS, lensTime, NEVER, readyAfter, startsReaching } from './lens.js';
import type { Starts } from './lens.js';
import { forEachCopresence, presenceWeight } from './presence.js';
import { PRESENCE_TABLE } from './tables.js';

/** Arrivals of the frontier: `from` up to `to`, all of the round before, one a person. */
export interface Frontier {
  readonly from: number;
  readonly to: number;
  /** From when on they are ready, where they are starts. */
  readonly readyAt: number | undefined;
}

export function sweep(ground: Ground, frontier: Frontier, keeper: EarliestKeeper): void {
  const earliestReady = enter(ground, frontier);
  const { label } = ground.space;
  for (let person = 0; person < ground.view.people.count; person++) {
    const before = label[person]!;
    if (before !== ALWAYS) sweepPerson(ground, person, earliestReady, before, keeper);
  }
  leave(ground, frontier);
}

/** Notes who is ready when, and the earliest of these times. */
function enter({ lens, space }: Ground, { from, to, readyAt }: Frontier): number {
  const { arrivals, ready, readyBy } = space;
  let earliest = NEVER;
  for (let place = from; place < to; place++) {
    const person = arrivals.person[place]!;
    const when = readyAt ?? readyAfter(lens, arrivals.at[place]!);
    ready[person] = when;
    readyBy[person] = place;
    if (when < earliest) earliest = when;
  }
  return earliest;
}

function leave({ space }: Ground, { from, to }: Frontier): void {
  for (let place = from; place < to; place++) space.ready[space.arrivals.person[place]!] = NEVER;
}

function sweepPerson(
  ground: Ground,
  person: number,
  earliestReady: number,
  before: number,
  keeper: EarliestKeeper,
): void {
  const { segments, live } = ground.tables;
  const starts = startsReaching(ground.lens, earliestReady, before);
  for (let table = 0; table < segments.length; table++)
    sweepSealed(ground, person, starts, table, segments[table]!, keeper);
  for (let k = 0; k < live.length; k++) sweepLive(ground, person, segments.length + k, live[k]!, keeper);
  if (ground.presence !== undefined) sweepPresence(ground, person, keeper);
}

function sweepSealed(
  { lens, space, pace, leastNearInDay, classSeconds, view }: Ground,
  person: number,
  starts: Starts,
  table: number,
  segment: Segment,
  keeper: EarliestKeeper,
): void {
  const { peer, startSignal, span, nearInDay, weight, baseSeconds, id } = segment;
  const { ready, readyBy } = space;
  const { isForward, closesAt } = lens;
  const base = lensTime(isForward, baseSeconds);
  const { replaced, version } = view;
  const isTouched = replaced.touched[person] === 1;
  const begin = fromEntry(segment, person, starts);
  const end = toEntry(segment, person, starts);
  pace.step(end - begin);
  for (let e = begin; e < end; e++) {
    if (nearInDay[e]! < leastNearInDay) continue;
    const start = startSignal[e]! >>> 8;
    const over = start + (span[e]! >>> 4);
    const infector = peer[e]!;
    if ((isForward ? base + start : base - over) < ready[infector]!) continue;
    const at = isForward ? base + over : base - start;
    if (at > closesAt) continue;
    if (isTouched && isReplaced(replaced, id, e, version)) continue;
    if (classSeconds && !classSeconds.reach(person, infector, table, e, baseSeconds + over)) continue;
    keeper.from(readyBy[infector]!);
    keeper.take(person, at, at, table, e, weight[e]!);
  }
}

function sweepLive(
  { lens, space, pace, leastNearInDay, classSeconds, view }: Ground,
  person: number,
  table: number,
  live: LiveTable,
  keeper: EarliestKeeper,
): void {
  const { isForward, closesAt } = lens;
  const zero = lensTime(isForward, 0);
  for (let link = newestLink(live.head, person); link >= 0; link = live.next[link]! - 1) {
    pace.step(0);
    const row = link >> 1;
    if (live.nearInDay[row]! < leastNearInDay || !isVisible(live, row, view.version)) continue;
    const start = live.start[row]!;
    const over = start + live.duration[row]!;
    const infector = live.person[link ^ 1]!;
    const at = isForward ? zero + over : zero - start;
    if (at > closesAt || (isForward ? zero + start : zero - over) < space.ready[infector]!) continue;
    if (classSeconds && !classSeconds.reach(person, infector, table, row, over)) continue;
    keeper.from(space.readyBy[infector]!);
    keeper.take(person, at, at, table, row, live.weight[row]!);
  }
}

function sweepPresence(
  { lens, space, pace, presence, minSeconds, tables, view }: Ground,
  person: number,
  keeper: EarliestKeeper,
): void {
  if (presence === undefined) return;
  forEachCopresence(presence, person, minSeconds, (infector, start, end, gateway) => {
    pace.step(0);
    if (infector >= view.people.count) return;
    const [opens, at] = mirrored(lens.isForward, start, end);
    if (at > lens.closesAt || opens < space.ready[infector]!) return;
    const entry = tables.addCopresence(start, end, gateway);
    keeper.from(space.readyBy[infector]!);
    if (!keeper.take(person, at, at, PRESENCE_TABLE, entry, presenceWeight(end - start)))
      tables.dropCopresence();
  });
}
