/** People in groups: household after household, class after class. */
import type { Random } from '../../radio/random.js';

/** Group g has the members members[rows[g]..rows[g + 1]), persons. */
export interface Groups {
  readonly rows: Uint32Array;
  readonly members: Uint32Array;
}

export const countOf = ({ rows }: Groups): number => rows.length - 1;

/** Deals the members, in their order, to groups of the sizes that `nextSize` gives; the last takes what is left. */
export function dealt(members: Uint32Array, nextSize: () => number): Groups {
  return { rows: Uint32Array.from(cuts(0, members.length, nextSize)), members };
}

/** Each group cut into smaller ones, over the same members. */
export function divided({ rows, members }: Groups, nextSize: () => number): Groups {
  const parts: number[] = [0];
  for (let g = 0; g + 1 < rows.length; g++)
    for (const cut of cuts(rows[g]!, rows[g + 1]!, nextSize)) if (cut > parts.at(-1)!) parts.push(cut);
  return { rows: Uint32Array.from(parts), members };
}

/** The groups of both, those of the first first. */
export function joined(first: Groups, second: Groups): Groups {
  const { length } = first.members;
  const members = new Uint32Array(length + second.members.length);
  members.set(first.members);
  members.set(second.members, length);
  return {
    rows: Uint32Array.from([...first.rows, ...second.rows.subarray(1).map((at) => at + length)]),
    members,
  };
}

function* cuts(from: number, to: number, nextSize: () => number): Generator<number> {
  yield from;
  for (let at = from + nextSize(); at < to; at += nextSize()) yield at;
  if (to > from) yield to;
}

/** Fisher and Yates, in place. */
export function shuffle(members: Uint32Array, random: Random): Uint32Array {
  for (let k = members.length - 1; k > 0; k--) {
    const other = random.below(k + 1);
    const member = members[k]!;
    members[k] = members[other]!;
    members[other] = member;
  }
  return members;
}
