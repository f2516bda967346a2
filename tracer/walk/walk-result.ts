/**
 * What a walk found, in columns of its own: how many people, who all of them are, and the first of them in order with the
 * paths that explain them. It rests on nothing that goes on changing, and its buffers can be transferred to a thread.
 */
import { isMutual } from '../contacts/segment.js';
import type { Ground } from './ground.js';
import { unixSeconds } from './lens.js';
import { firstInOrder } from './order.js';
import type { Spot } from './tables.js';
import { LABEL, MARKS } from './workspace.js';

export interface WalkResult {
  readonly direction: 'forward' | 'backward';
  readonly reachedCount: number;
  /** All persons reached, in no order that matters; starts are not among them. */
  readonly everyone: Uint32Array;
  /** Rows: the first in order of hop, then exposedAt, then tag number. */
  readonly person: Uint32Array;
  readonly hop: Uint8Array;
  /** Unix seconds, as are all times. */
  readonly exposedAt: Uint32Array;
  readonly earliestAt: Uint32Array;
  readonly score: Float64Array;
  /** The steps of row r are those from stepsFrom[r] up to stepsFrom[r + 1], in order of time. */
  readonly stepsFrom: Uint32Array;
  readonly steps: StepColumns;
}

export interface StepColumns {
  /** Persons. */
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  readonly nearSeconds: Uint32Array;
  readonly mutual: Uint8Array;
  /** {@link SPOT}. */
  readonly kind: Uint8Array;
  /** Id of a segment or live table; of a co-presence the gateway. */
  readonly table: Uint32Array;
  readonly at: Uint32Array;
}

const SPOT = { segment: 0, live: 1, presence: 2 } as const;

/** One step of a path; both are persons. */
export interface HotStep {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  readonly nearSeconds: number;
  readonly mutual: boolean;
  readonly spot: Spot;
}

/** The path of a row. */
export function explain({ stepsFrom, steps }: WalkResult, row: number): HotStep[] {
  const path: HotStep[] = [];
  for (let k = stepsFrom[row] ?? 0; k < (stepsFrom[row + 1] ?? 0); k++) path.push(stepAt(steps, k));
  return path;
}

function stepAt(steps: StepColumns, k: number): HotStep {
  const [table, at, kind] = [steps.table[k]!, steps.at[k]!, steps.kind[k]!];
  return {
    from: steps.from[k]!,
    to: steps.to[k]!,
    start: steps.start[k]!,
    end: steps.end[k]!,
    nearSeconds: steps.nearSeconds[k]!,
    mutual: steps.mutual[k] === 1,
    spot:
      kind === SPOT.presence
        ? { kind: 'presence', gateway: table }
        : { kind: 'contact', place: { table, isLive: kind === SPOT.live, at } },
  };
}

/** What can be transferred. */
export const buffersOf = ({ steps, ...result }: WalkResult): ArrayBuffer[] =>
  [result, steps]
    .flatMap((columns) => Object.values<unknown>({ ...columns }))
    .flatMap((column) =>
      ArrayBuffer.isView(column) && column.buffer instanceof ArrayBuffer ? [column.buffer] : [],
    );

/**
 * Of a walk that is over, from its workspace.
 *
 * @param hopEnds - how many were reached up to each hop
 * @param list - rows at most
 */
export function walkResult(ground: Ground, hopEnds: readonly number[], list: number): WalkResult {
  const { space, lens } = ground;
  const { arrivals, reached } = space;
  const everyone = new Uint32Array(hopEnds.at(-1) ?? 0);
  for (let k = 0; k < everyone.length; k++) everyone[k] = arrivals.person[reached[k]!]!;
  const { rows, hop } = firstInOrder(ground, hopEnds, list);
  const person = new Uint32Array(rows.length);
  const exposedAt = new Uint32Array(rows.length);
  const earliestAt = new Uint32Array(rows.length);
  const score = new Float64Array(rows.length);
  rows.forEach((place, row) => {
    const one = arrivals.person[place]!;
    person[row] = one;
    exposedAt[row] = unixSeconds(lens.isForward, arrivals.at[place]!);
    earliestAt[row] = unixSeconds(lens.isForward, earliestOf(ground, one));
    score[row] = space.scoreOf(one);
  });
  return {
    direction: lens.isForward ? 'forward' : 'backward',
    reachedCount: everyone.length,
    ...{ everyone, person, hop, exposedAt, earliestAt, score },
    ...pathsOf(ground, rows, hop),
  };
}

/** Its label, or where every arrival matters what stands beside it. */
const earliestOf = ({ space: { marks, earliest } }: Ground, person: number): number =>
  Math.min(marks[person * MARKS + LABEL]!, earliest[person]!);

function pathsOf(ground: Ground, rows: Int32Array, hop: Uint8Array): Pick<WalkResult, 'stepsFrom' | 'steps'> {
  const { lens, space } = ground;
  const stepsFrom = new Uint32Array(rows.length + 1);
  for (let row = 0; row < rows.length; row++) stepsFrom[row + 1] = stepsFrom[row]! + hop[row]!;
  const steps = newSteps(stepsFrom.at(-1) ?? 0);
  rows.forEach((reached, row) => {
    // From the person back to the start, which is in order of time when walking backward.
    let place = reached;
    for (let k = 0; k < hop[row]!; k++) {
      writeStep(ground, steps, lens.isForward ? stepsFrom[row + 1]! - 1 - k : stepsFrom[row]! + k, place);
      place = space.arrivals.previous[place]!;
    }
  });
  return { stepsFrom, steps };
}

function newSteps(count: number): StepColumns {
  return {
    from: new Uint32Array(count),
    to: new Uint32Array(count),
    start: new Uint32Array(count),
    end: new Uint32Array(count),
    nearSeconds: new Uint32Array(count),
    mutual: new Uint8Array(count),
    kind: new Uint8Array(count),
    table: new Uint32Array(count),
    at: new Uint32Array(count),
  };
}

function writeStep({ tables, lens, space }: Ground, steps: StepColumns, k: number, place: number): void {
  const { arrivals } = space;
  const [table, entry] = [arrivals.table[place]!, arrivals.entry[place]!];
  const [near, far] = [arrivals.person[arrivals.previous[place]!]!, arrivals.person[place]!];
  steps.from[k] = lens.isForward ? near : far;
  steps.to[k] = lens.isForward ? far : near;
  steps.start[k] = tables.startOf(table, entry);
  steps.end[k] = tables.endOf(table, entry);
  steps.nearSeconds[k] = tables.nearOf(table, entry);
  steps.mutual[k] = isMutual(tables.signalOf(table, entry)) ? 1 : 0;
  const spot = tables.spotOf(table, entry);
  if (spot.kind === 'presence') {
    steps.kind[k] = SPOT.presence;
    steps.table[k] = spot.gateway;
  } else {
    steps.kind[k] = spot.place.isLive ? SPOT.live : SPOT.segment;
    steps.table[k] = spot.place.table;
    steps.at[k] = spot.place.at;
  }
}
