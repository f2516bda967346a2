/** What the groups of a city do on a day: the numbers behind its contacts. Epochs of 15 minutes; 28 is seven o'clock. */
import { isWeekend, weekdayOf } from './city-settings.js';
import { KINDS } from './contact-kinds.js';
import type { Kind } from './contact-kinds.js';
import type { Groups } from './groups.js';
import type { Habit } from './meetings.js';
import type { Population } from './population.js';

export const kindNumber = (kind: Kind): number => KINDS.indexOf(kind);

/** How much a person does of what is not bound to a group. */
export interface Outings {
  /** Of commuters, those who travel. */
  readonly travelling: number;
  /** Visits to shops, and meetings in the street, of a person of average activity. */
  readonly shops: number;
  readonly street: number;
}

export function outingsOf(day: number): Outings {
  if (!isWeekend(day)) return { travelling: 0.9, shops: 1.2, street: 1.6 };
  return weekdayOf(day) === 6
    ? { travelling: 0.2, shops: 2.2, street: 2 }
    : { travelling: 0.15, shops: 0.8, street: 2 };
}

type Evening = readonly [from: number, until: number, together: number, meetings: number];
type Hours = Omit<Habit, 'kind' | 'groups'>;

export function habitsOf(population: Population, day: number): readonly Habit[] {
  const free = isWeekend(day);
  const at = (kind: Kind, groups: Groups, hours: Hours): Habit => ({
    kind: kindNumber(kind),
    groups,
    ...hours,
  });
  const home = (from: number, until: number, together: number, meetings: number): Habit =>
    at('home', population.homes, {
      share: 1,
      from,
      until,
      together,
      meetings,
      longest: 4,
      besides: 0,
      reach: 1,
    });
  const evening: Evening = free ? [36, 94, 56, 4] : [70, 94, 22, 2.5];
  const homes = free ? [home(...evening)] : [home(25, 32, 5, 0.5), home(...evening)];
  const circles = at('circle', population.circles, {
    share: free ? 0.3 : 0.13,
    from: free ? 44 : 70,
    until: 94,
    together: 8,
    meetings: 3,
    longest: 5,
    besides: 0,
    reach: 1,
  });
  return [...homes, circles, ...(free ? [] : lessons(population, at)), ...labour(population, free, at)];
}

type At = (kind: Kind, groups: Groups, hours: Hours) => Habit;

function lessons({ schools, classes }: Population, at: At): readonly Habit[] {
  const hours = { share: 1, from: 32, until: 60, together: 28 };
  return [
    at('school', classes, { ...hours, meetings: 7, longest: 3, besides: 0.6, reach: 2 }),
    at('school', schools, { ...hours, meetings: 2, longest: 1, besides: 0, reach: 1 }),
  ];
}

/** Some work at weekends too. */
function labour({ workplaces, teams }: Population, free: boolean, at: At): readonly Habit[] {
  const hours = { share: free ? 0.15 : 0.95, from: 30, until: 74, together: 34 };
  return [
    at('work', teams, { ...hours, meetings: 3, longest: 3, besides: 0.5, reach: 2 }),
    at('work', workplaces, { ...hours, meetings: 1.2, longest: 2, besides: 0, reach: 1 }),
  ];
}
