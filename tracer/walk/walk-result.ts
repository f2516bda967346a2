/**
 * What a walk found, in columns of its own: how many people, who all of them are, and the first of them in order with the
 * paths that explain them. It rests on nothing that goes on changing, and its buffers can be transferred to a thread.
 */
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
export const buffersOf = ({ paths, ...result }: WalkResult): ArrayBuffer[] =>
  [result, paths]
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
  const { arrivals, marks, reached } = space;
  const everyone = new Uint32Array(hopEnds.at(-1) ?? 0);
  for (let k = 0; k < everyone.length; k++) everyone[k] = arrivals.person[reached[k]!]!;
  const { rows, hop } = firstInOrder(ground, hopEnds, list);
  const person = new Uint32Array(rows.length);
  const exposedAt = new Uint32Array(rows.length);
  const earliestAt = new Uint32Array(rows.length);
  const score = new Float64Array(rows.length);
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
    reachedCount: everyone.length,
    ...{ everyone, person, hop, exposedAt, earliestAt, score },
    paths: pathsTo(ground, rows),
  };
}
