/** Who lives with whom, and what they do by day. */
import type { Random } from '../../radio/random.js';
import { countOf, dealt } from './groups.js';
import type { Groups } from './groups.js';

/** Households of 1, 2, … 6 people in a thousand, about as in the middle of Europe. */
const SIZES = [345, 330, 150, 125, 38, 12] as const;
const ADULTS = 2;
/** Of those beyond the adults of a household. */
const CHILD_SHARE = 0.85;
const SCHOOL_SHARE = 0.85;
/** Of adults, by the size of their household: many who live alone or in pairs are past work. */
const WORK_SHARE = [0.6, 0.65, 0.8] as const;

export interface Households {
  readonly homes: Groups;
  /** In the order of their homes, as are the workers. */
  readonly pupils: Uint32Array;
  readonly workers: Uint32Array;
}

export function settleHouseholds(people: number, random: Random): Households {
  const homes = dealt(
    Uint32Array.from({ length: people }, (_, person) => person),
    () => householdSize(random),
  );
  const pupils: number[] = [];
  const workers: number[] = [];
  for (let home = 0; home < countOf(homes); home++) {
    const [from, to] = [homes.rows[home]!, homes.rows[home + 1]!];
    for (let person = from; person < to; person++) {
      const isChild = person - from >= ADULTS && random.next() < CHILD_SHARE;
      const work = WORK_SHARE[Math.min(to - from, WORK_SHARE.length) - 1] ?? 0;
      if (random.next() < (isChild ? SCHOOL_SHARE : work)) (isChild ? pupils : workers).push(person);
    }
  }
  return { homes, pupils: Uint32Array.from(pupils), workers: Uint32Array.from(workers) };
}

function householdSize(random: Random): number {
  let rest = random.below(1000);
  return 1 + SIZES.findIndex((share) => (rest -= share) < 0);
}
