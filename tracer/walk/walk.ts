/**
 * The walk (tracing.md, "Forward trace", "Backward trace"): rounds over label snapshots, so that hop limits are exact; only
 * improved labels are expanded. Which way time runs is the lens's business.
 */
import type { ContactView } from '../contacts/view.js';
import { EarliestKeeper } from './earliest.js';
import { EveryKeeper } from './every.js';
import { expand } from './expand.js';
import { groundOf } from './ground.js';
import type { Ground, GroundGiven } from './ground.js';
import type { Keeper } from './keeper.js';
import { ALWAYS, NEVER, readyAfter } from './lens.js';
import type { WalkSettings } from './lens.js';
import { RowsAhead, STRETCH } from './rows-ahead.js';
import type { Opening } from './rows-ahead.js';
import { walkResult } from './walk-result.js';
import type { WalkResult } from './walk-result.js';
import { escapedAt, LABEL, marksOf, SLOT } from './workspace.js';
import type { WalkWorkspace } from './workspace.js';

/** In which order a round goes over the frontier's rows: as they were found, along the memory, or what costs less. */
export type RoundOrder = 'auto' | 'rows' | 'sweep';

export interface WalkOptions extends GroundGiven {
  /** People whose rows and paths are given; the others are only counted and named. */
  readonly list: number;
  readonly rounds?: RoundOrder | undefined;
}

/** A frontier of more than one in so many people covers much of the city. */
const SPARSE = 32;

/**
 * Everybody reached from the starts, who are at hop 0, score 1 and are never reached again.
 *
 * Throws `timeout` or `closed` when it is ended by the flag, `full` when it has more arrivals than the workspace may hold,
 * and `input` for an attenuation class whose seconds cannot be had.
 */
export function walk(
  view: ContactView,
  starts: Uint32Array,
  settings: WalkSettings,
  space: WalkWorkspace,
  options: WalkOptions,
): WalkResult {
  space.sizeFor(view.people.count);
  const ground = groundOf(view, settings, space, options);
  try {
    const { infectiousSeconds, hops } = settings;
    const { rounds = 'auto' } = options;
    enterStarts(ground, starts);
    const walked = infectiousSeconds === undefined ? earliestRounds : everyRound;
    const hopEnds = walked(ground, hops, rounds);
    return walkResult(ground, hopEnds, options.list);
  } finally {
    space.clear();
  }
}

function enterStarts({ lens, space }: Ground, starts: Uint32Array): void {
  const { arrivals, marks, escapes } = space;
  for (const start of starts) {
    const mark = marksOf(start);
    if (marks[mark + LABEL] === ALWAYS) continue;
    marks[mark + SLOT] = arrivals.add(start, lens.opensAt, -1);
    marks[mark + LABEL] = ALWAYS;
    escapes[escapedAt(start)] = 0;
  }
}

/** How many people were reached up to each hop, from hop 0 (none) on. */
function earliestRounds(ground: Ground, hops: number, rounds: RoundOrder): number[] {
  const { lens, space } = ground;
  const { arrivals } = space;
  const keeper = new EarliestKeeper(ground);
  const ahead = new RowsAhead(ground);
  return roundsOf(ground, hops, keeper, (heads, isFirst) => {
    const openingOf = (place: number): Opening => ({
      person: arrivals.person[place]!,
      ready: isFirst ? lens.opensAt : readyAfter(lens, arrivals.at[place]!),
      until: isFirst ? NEVER : arrivals.link[place]!,
    });
    const places = inOrder(ground, heads, rounds);
    for (let from = 0; from < places.length; from += STRETCH) {
      const openings = Array.from(places.subarray(from, from + STRETCH), openingOf);
      ahead.read(openings);
      for (let k = 0; k < openings.length; k++) {
        keeper.from(places[from + k]!);
        expand(ground, openings[k]!, ahead, k, keeper);
      }
    }
  });
}

function everyRound(ground: Ground, hops: number, rounds: RoundOrder): number[] {
  const { lens, space } = ground;
  const keeper = new EveryKeeper(ground);
  const ahead = new RowsAhead(ground);
  try {
    return roundsOf(ground, hops, keeper, (heads, isFirst) => {
      for (const place of inOrder(ground, heads, rounds)) {
        keeper.from(place, isFirst ? lens.opensAt : undefined);
        const [ready, last] = keeper.opening();
        const person = space.arrivals.person[place]!;
        const opening = { person, ready, until: Math.min(last + 1, NEVER) | 0 };
        ahead.read([opening]);
        expand(ground, opening, ahead, 0, keeper);
      }
    });
  } finally {
    keeper.label();
  }
}

/** `round`: over the frontier, given the arrival found last of each of its people; in the first it is the starts. */
function roundsOf(
  { space }: Ground,
  hops: number,
  keeper: Keeper,
  round: (heads: Uint32Array, isFirst: boolean) => void,
): number[] {
  const { arrivals } = space;
  const hopEnds = [0];
  let from = 0;
  for (let hop = 1; hop <= hops && from < arrivals.count; hop++) {
    const to = arrivals.count;
    keeper.beginRound(hop === hops);
    round(headsOf(space, from, to), hop === 1);
    keeper.settle();
    hopEnds.push(keeper.reached);
    from = to;
  }
  return hopEnds;
}

function headsOf(space: WalkWorkspace, from: number, to: number): Uint32Array {
  const heads = new Uint32Array(to - from);
  let found = 0;
  for (let place = from; place < to; place++)
    if (space.slotOf(space.arrivals.person[place]!) === place) heads[found++] = place;
  return heads.subarray(0, found);
}

/**
 * The heads in the order to take them, in place. A frontier that covers much of the city is taken in the order of the
 * people: then a round is one pass along the segments as they lie in memory.
 */
function inOrder({ space, view }: Ground, heads: Uint32Array, rounds: RoundOrder): Uint32Array {
  const { count } = view.people;
  const isSweep = rounds === 'sweep' || (rounds === 'auto' && heads.length > count / SPARSE);
  if (!isSweep) return heads;
  const { arrivals, turn } = space;
  for (const place of heads) turn[arrivals.person[place]!] = place;
  let found = 0;
  for (let person = 0; person < count; person++) {
    const place = turn[person]!;
    if (place < 0) continue;
    turn[person] = -1;
    heads[found++] = place;
  }
  return heads;
}
