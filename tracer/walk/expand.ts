/** Goes over the contacts of one person that may be open, and hands over those that are. */
import { endAt, startAt } from '../contacts/segment.js';
import type { Segment } from '../contacts/segment.js';
import { isReplaced, isVisible } from '../contacts/view.js';
import type { LiveTable } from '../contacts/view.js';
import { chances } from './chance.js';
import { newestLink } from './class-seconds.js';
import type { Ground } from './ground.js';
import type { Keeper } from './keeper.js';
import { lensTime } from './lens.js';
import { forEachCopresence, presenceWeight } from './presence.js';
import type { Opening, RowsAhead } from './rows-ahead.js';
import { PRESENCE_TABLE } from './tables.js';
import { LABEL, marksOf, SLOT } from './workspace.js';
import type { WalkWorkspace } from './workspace.js';

/** The opening stands at this index among those that were read ahead. */
export function expand(
  ground: Ground,
  opening: Opening,
  ahead: RowsAhead,
  index: number,
  keeper: Keeper,
): void {
  const { segments, live } = ground.tables;
  const { keepFrom } = ground.view;
  for (let table = 0; table < segments.length; table++) {
    const end = ahead.to(index, table);
    let begin = ahead.from(index, table);
    if (segments[table]!.baseSeconds < keepFrom)
      begin = expandAtBorder(ground, opening, table, begin, end, keeper);
    if (begin < end) expandSealed(ground, opening, table, begin, end, keeper);
  }
  for (let k = 0; k < live.length; k++) expandLive(ground, opening, segments.length + k, live[k]!, keeper);
  if (ground.presence !== undefined) expandPresence(ground, opening, keeper);
}

/**
 * Entries that begin before the border of retention, of which only those count that end at it or later: they are few, and
 * looked at one by one, so that the loop over all others need not ask. Gives the first entry that begins at the border or later.
 */
function expandAtBorder(
  ground: Ground,
  opening: Opening,
  table: number,
  begin: number,
  end: number,
  keeper: Keeper,
): number {
  const { keepFrom } = ground.view;
  const segment = ground.tables.segments[table]!;
  let e = begin;
  for (; e < end && startAt(segment, e) < keepFrom; e++)
    if (endAt(segment, e) >= keepFrom) expandSealed(ground, opening, table, e, e + 1, keeper);
  return e;
}

function expandSealed(
  { lens, space, pace, leastNearInDay, classSeconds, view, tables }: Ground,
  { person, ready, until }: Opening,
  table: number,
  begin: number,
  end: number,
  keeper: Keeper,
): void {
  const segment = tables.segments[table]!;
  const { peer, startSignal, span, nearInDay, weight, baseSeconds, id } = segment;
  const { marks } = space;
  const { isForward, closesAt } = lens;
  const { news } = keeper;
  const base = lensTime(isForward, baseSeconds);
  const { replaced, version } = view;
  const isTouched = replaced.touched[person] === 1;
  pace.step(end - begin);
  const isPicky = leastNearInDay > 0;
  const picked = isPicky ? space.roomToPick(end - begin) : NOTHING;
  const count = isPicky ? pick(picked, nearInDay, leastNearInDay, begin, end) : end - begin;
  space.touched ^= isPicky ? touchPicked(marks, segment, picked, count) : touch(marks, peer, begin, end);
  for (let k = 0; k < count; k++) {
    const e = isPicky ? picked[k]! : begin + k;
    const start = startSignal[e]! >>> 8;
    const other = peer[e]!;
    const mark = marksOf(other);
    const soonest = (isForward ? base + start : base - start) | 0;
    const bringsNoNewsHoweverShort = soonest > marks[mark + LABEL]! && marks[mark + SLOT]! < news;
    if (bringsNoNewsHoweverShort) continue; // most go here, and their span is never read
    const over = (start + (span[e]! >>> 4)) | 0;
    const at = (isForward ? base + over : base - start) | 0;
    const bringsOldNews = at > marks[mark + LABEL]! && marks[mark + SLOT]! < news;
    if (at > closesAt || bringsOldNews) continue;
    const opens = (isForward ? base + start : base - over) | 0;
    if (opens < ready || opens >= until) continue;
    if (isTouched && isReplaced(replaced, id, e, version)) continue;
    if (classSeconds && !classSeconds.reach(person, other, baseSeconds + over)) continue;
    keeper.take(other, opens, at, table, e, weight[e]!);
  }
}

const NOTHING = new Uint32Array(0);

/** The entries of close contacts, in order, into `picked`; gives how many. It does not branch: which are close is past guessing. */
function pick(
  picked: Uint32Array,
  nearInDay: Uint16Array,
  least: number,
  begin: number,
  end: number,
): number {
  let found = 0;
  for (let e = begin; e < end; e++) {
    picked[found] = e;
    found += (least - 1 - nearInDay[e]!) >>> 31;
  }
  return found;
}

/** As {@link touch}, of these entries, and what their weights will be looked up for. */
function touchPicked(
  marks: Int32Array,
  { peer, weight }: Segment,
  picked: Uint32Array,
  count: number,
): number {
  const chanceBy = chances();
  let sum = 0;
  for (let k = 0; k < count; k++) sum ^= marks[marksOf(peer[picked[k]!]!)]!;
  for (let k = 0; k < count; k++) sum ^= chanceBy[weight[picked[k]!]!]!;
  return sum;
}

/**
 * Reads the marks of those on the other side, which lie all over the memory, before any of them is wanted: a loop that does
 * nothing else waits for many at a time, and a walk of a whole city takes a third less for it.
 */
function touch(marks: Int32Array, peer: Uint32Array, begin: number, end: number): number {
  let sum = 0;
  for (let e = begin; e < end; e++) sum ^= marks[marksOf(peer[e]!)]!;
  return sum;
}

function expandLive(
  { lens, space, pace, leastNearInDay, classSeconds, view }: Ground,
  { person, ready, until }: Opening,
  table: number,
  live: LiveTable,
  keeper: Keeper,
): void {
  const { isForward, closesAt } = lens;
  const zero = lensTime(isForward, 0);
  let found = 0;
  for (let link = newestLink(live.head, person); link >= 0; link = live.next[link]! - 1) {
    pace.step(0);
    space.roomToPick(found + 1)[found] = link;
    found += (leastNearInDay - 1 - live.nearInDay[link >> 1]!) >>> 31;
  }
  const links = space.roomToPick(found);
  space.touched ^= touchLive(space.marks, live, links, found);
  for (let k = 0; k < found; k++) {
    const link = links[k]!;
    const row = link >> 1;
    if (!isVisible(live, row, view.version)) continue;
    const start = live.start[row]!;
    const over = start + live.duration[row]!;
    const at = isForward ? zero + over : zero - start;
    const opens = isForward ? zero + start : zero - over;
    const other = live.person[link ^ 1]!;
    if (isOldNews(space, other, at, keeper) || at > closesAt || opens < ready || opens >= until) continue;
    if (classSeconds && !classSeconds.reach(person, other, over)) continue;
    keeper.take(other, opens, at, table, row, live.weight[row]!);
  }
}

/** As {@link touchPicked}, of the rows of these links. */
function touchLive(
  marks: Int32Array,
  { person, start, duration, weight, died }: LiveTable,
  links: Uint32Array,
  count: number,
): number {
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const row = links[k]! >> 1;
    sum ^= start[row]! ^ duration[row]! ^ weight[row]! ^ died[row]!;
  }
  for (let k = 0; k < count; k++) sum ^= marks[marksOf(person[links[k]! ^ 1]!)]!;
  return sum;
}

function expandPresence(
  { lens, space, pace, presence, minSeconds, tables, view }: Ground,
  { person, ready, until }: Opening,
  keeper: Keeper,
): void {
  if (presence === undefined) return;
  const step = (): void => pace.step(0);
  forEachCopresence(presence, person, minSeconds, step, (other, start, end, gateway) => {
    if (other >= view.people.count) return;
    const [opens, at] = mirrored(lens.isForward, start, end);
    if (isOldNews(space, other, at, keeper) || at > lens.closesAt || opens < ready || opens >= until) return;
    const entry = tables.addCopresence(start, end, gateway);
    if (!keeper.take(other, opens, at, PRESENCE_TABLE, entry, presenceWeight(end - start)))
      tables.dropCopresence(entry);
  });
}

/** Later than what an earlier round brought. */
const isOldNews = ({ marks }: WalkWorkspace, person: number, at: number, { news }: Keeper): boolean =>
  at > marks[marksOf(person) + LABEL]! && marks[marksOf(person) + SLOT]! < news;

/** Start and end in the lens. */
const mirrored = (isForward: boolean, start: number, end: number): readonly [number, number] =>
  isForward ? [lensTime(true, start), lensTime(true, end)] : [lensTime(false, end), lensTime(false, start)];
