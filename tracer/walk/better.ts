/** Which of two ways to be reached at the same time is explained (tracing.md, "Forward trace"). */
import { attenuationOf, isMutual } from '../contacts/segment.js';
import type { Ground } from './ground.js';

/** A contact, and the arrival of the infector it is from. */
export interface Way {
  readonly previous: number;
  readonly table: number;
  readonly entry: number;
}

/**
 * Lower attenuation, longer nearSeconds, lower tag number of the infector. Of two contacts with the same person that agree
 * in all this the one that began earlier in the lens, or else the mutual one: so that the order of the scan does not show.
 */
export function isBetter({ tables, space, lens, view }: Ground, one: Way, rival: Way): boolean {
  const mine = tables.signalOf(one.table, one.entry);
  const theirs = tables.signalOf(rival.table, rival.entry);
  const louder = attenuationOf(mine) - attenuationOf(theirs);
  if (louder !== 0) return louder < 0;
  const longer = tables.nearOf(one.table, one.entry) - tables.nearOf(rival.table, rival.entry);
  if (longer !== 0) return longer > 0;
  const { person } = space.arrivals;
  const { tags } = view.people;
  const higher = tags[person[one.previous]!]! - tags[person[rival.previous]!]!;
  if (higher !== 0) return higher < 0;
  const opensOf = ({ table, entry }: Way): number =>
    lens.isForward ? tables.startOf(table, entry) : -tables.endOf(table, entry);
  const later = opensOf(one) - opensOf(rival);
  return later !== 0 ? later < 0 : isMutual(mine) && !isMutual(theirs);
}
