/**
 * What a walk found, in columns of its own: how many people, who all of them are, and the first of them in order with the
 * paths that explain them. It rests on nothing that goes on changing, and its buffers can be transferred to a thread. All who
 * were reached have a buffer to themselves: whoever holds rows need not hold a city with them.
 */
import { ColumnMemory } from './column-memory.js';
import type { Ground } from './ground.js';
import { unixSeconds } from './lens.js';
import { firstInOrder } from './order.js';
import { pathsTo } from './paths.js';
import type { Paths } from './paths.js';
import { LABEL, marksOf } from './workspace.js';

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
  readonly paths: Paths;
}

/** What can be transferred. */
export const buffersOf = ({ everyone, person, paths }: WalkResult): ArrayBuffer[] =>
  [everyone, person, paths.lastStep].flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));

/**
 * Of a walk that is over, from its workspace.
 *
 * @param hopEnds - how many were reached up to each hop
 * @param list - rows at most
 */
export function walkResult(ground: Ground, hopEnds: readonly number[], list: number): WalkResult {
  const { space, lens } = ground;
  const { arrivals, marks, reached } = space;
  const reachedCount = hopEnds.at(-1) ?? 0;
  const count = Math.min(list, reachedCount);
  const everyone = new Uint32Array(reachedCount);
  const memory = new ColumnMemory(8 * count + 12 * count + count);
  const score = memory.doubles(count);
  const person = memory.words(count);
  const exposedAt = memory.words(count);
  const earliestAt = memory.words(count);
  const hop = memory.bytes(count);
  for (let k = 0; k < reachedCount; k++) everyone[k] = arrivals.person[reached[k]!]!;
  const rows = firstInOrder(ground, hopEnds, hop);
  for (let row = 0; row < rows.length; row++) {
    const place = rows[row]!;
    const one = arrivals.person[place]!;
    person[row] = one;
    exposedAt[row] = unixSeconds(lens.isForward, arrivals.at[place]!);
    earliestAt[row] = unixSeconds(lens.isForward, marks[marksOf(one) + LABEL]!);
    score[row] = space.scoreOf(one);
  }
  return {
    direction: lens.isForward ? 'forward' : 'backward',
    ...{ reachedCount, everyone, person, hop, exposedAt, earliestAt, score },
    paths: pathsTo(ground, rows),
  };
}
