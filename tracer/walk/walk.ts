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
import { ALWAYS, NEVER, readyAfter } from './lens.js';
import type { WalkSettings } from './lens.js';
import { walkResult } from './walk-result.js';
import type { WalkResult } from './walk-result.js';
import { sweep } from './sweep.js';
import type { WalkWorkspace } from './workspace.js';

export interface WalkOptions extends GroundGiven {
  /** People whose rows and paths are given; the others are only counted and named. */
  readonly list: number;
  /** How rounds are walked: `auto` takes what costs less. Where every arrival matters, rows are gone over one by one always. */
  readonly rounds?: 'auto' | 'rows' | 'sweep';
}

/** Going along all rows in order costs this much of going over one here, one there, for each entry. */
const SWEEP_COST = 0.3;

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
    enterStarts(ground, starts);
    const hopEnds =
      infectiousSeconds === undefined
        ? earliestRounds(ground, hops, options.rounds ?? 'auto')
        : everyRound(ground, hops);
    return walkResult(ground, hopEnds, options.list);
  } finally {
    space.clear();
  }
}

function enterStarts({ lens, space }: Ground, starts: Uint32Array): void {
  const { arrivals, label, slot, escaped } = space;
  for (const start of starts) {
    if (label[start] === ALWAYS) continue;
    slot[start] = arrivals.add(start, lens.opensAt, -1);
    label[start] = ALWAYS;
    escaped[start] = 0;
  }
}

/** How many people were reached up to each hop, from hop 0 (none) on. */
function earliestRounds(ground: Ground, hops: number, rounds: WalkOptions['rounds']): number[] {
  const { arrivals } = ground.space;
  const keeper = new EarliestKeeper(ground);
  const hopEnds = [0];
  let from = 0;
  for (let hop = 1; hop <= hops && from < arrivals.count; hop++) {
    const to = arrivals.count;
    const frontier = { from, to, readyAt: hop === 1 ? ground.lens.opensAt : undefined };
    keeper.beginRound(hop === hops);
    if (rounds === 'sweep' || (rounds === 'auto' && isSweepCheaper(ground, from, to)))
      sweep(ground, frontier, keeper);
    else expandEarliest(ground, frontier, keeper);
    keeper.settle();
    hopEnds.push(keeper.reached);
    from = to;
  }
  return hopEnds;
}

function expandEarliest(
  ground: Ground,
  { from, to, readyAt }: { readonly from: number; readonly to: number; readonly readyAt: number | undefined },
  keeper: EarliestKeeper,
): void {
  const { arrivals } = ground.space;
  for (let place = from; place < to; place++) {
    keeper.from(place);
    const ready = readyAt ?? readyAfter(ground.lens, arrivals.at[place]!);
    const until = readyAt === undefined ? arrivals.link[place]! : NEVER;
    expand(ground, { person: arrivals.person[place]!, ready, until }, keeper);
  }
}

/** Whether going over the rows of the frontier costs more than one pass over all rows. */
function isSweepCheaper({ tables, space }: Ground, from: number, to: number): boolean {
  const { person } = space.arrivals;
  let [all, some] = [0, 0];
  for (const { rows, people, entries } of tables.segments) {
    all += entries;
    for (let place = from; place < to; place++) {
      const one = person[place]!;
      if (one < people) some += rows[one + 1]! - rows[one]!;
    }
  }
  return some > SWEEP_COST * all;
}

function everyRound(ground: Ground, hops: number): number[] {
  const { arrivals } = ground.space;
  const keeper = new EveryKeeper(ground);
  const hopEnds = [0];
  let from = 0;
  for (let hop = 1; hop <= hops && from < arrivals.count; hop++) {
    const to = arrivals.count;
    keeper.beginRound(hop === hops);
    for (const place of headsOf(ground, from, to)) {
      keeper.from(place, hop === 1 ? ground.lens.opensAt : undefined);
      const [ready, last] = keeper.opening();
      expand(ground, { person: arrivals.person[place]!, ready, until: Math.min(last + 1, NEVER) }, keeper);
    }
    keeper.settle();
    hopEnds.push(keeper.reached);
    from = to;
  }
  return hopEnds;
}

/** The arrivals found last of each person; all of them, before what the next round brings takes their place. */
function headsOf({ space }: Ground, from: number, to: number): Uint32Array {
  const { arrivals, slot } = space;
  const heads = new Uint32Array(to - from);
  let count = 0;
  for (let place = from; place < to; place++)
    if (slot[arrivals.person[place]!] === place) heads[count++] = place;
  return heads.subarray(0, count);
}
