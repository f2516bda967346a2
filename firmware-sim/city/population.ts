/**
 * The people of a city and where they belong. Persons are numbered by where they live, household by household, so that
 * neighbours have near numbers; tag numbers are dealt at random and say nothing.
 *
 * Nothing here, or where its days are made, calls a function that machines may round differently (exp, log, pow, cos):
 * the same seed gives the same bytes everywhere.
 */
import { seededRandom } from '../../radio/random.js';
import type { Random } from '../../radio/random.js';
import type { CitySettings } from './city-settings.js';
import { countOf, dealt, divided, joined, shuffle } from './groups.js';
import type { Groups } from './groups.js';
import { settleHouseholds } from './households.js';

export interface Population {
  readonly people: number;
  /** Tag number by person, 1 to people. */
  readonly tags: Uint32Array;
  /** How much a person is about, 1 on average, with a heavy tail: P(activity > x) falls as x^(−8/3). */
  readonly activity: Float64Array;
  readonly homes: Groups;
  readonly schools: Groups;
  readonly classes: Groups;
  readonly workplaces: Groups;
  readonly teams: Groups;
  /** Friends and clubs; everybody is in two. */
  readonly circles: Groups;
  readonly commuters: Commuters;
}

/** Those who go by train or bus; all arrays by commuter. */
export interface Commuters {
  readonly person: Uint32Array;
  readonly line: Uint32Array;
  readonly coach: Uint8Array;
  /** Epoch of the day they leave in, and that they go home in. */
  readonly out: Uint8Array;
  readonly back: Uint8Array;
}

export const COACHES = 4;
const MAX_ACTIVITY = 40;
const PEOPLE_PER_LINE = 1500;
const COMMUTER_SHARE = { workers: 0.6, pupils: 0.25 } as const;
const MAX_WORKPLACE = 3000;
/** Friends of the neighbourhood live at most this many persons away. */
const NEIGHBOURHOOD = 2000;

export function settlePeople({ people, seed }: CitySettings): Population {
  const random = seededRandom(`city/${seed}`);
  const everyone = (): Uint32Array => Uint32Array.from({ length: people }, (_, person) => person);
  const { homes, pupils, workers } = settleHouseholds(people, random.fork('homes'));
  const { schools, classes } = settleSchools(pupils, random.fork('schools'));
  const inOrder = shuffle(workers.slice(), random.fork('work'));
  const teachers = inOrder.subarray(0, Math.min(inOrder.length, countOf(classes)));
  return {
    people,
    tags: shuffle(everyone(), random.fork('tags')).map((number) => number + 1),
    activity: activities(people, random.fork('activity')),
    homes,
    schools,
    classes: withTeachers(classes, teachers),
    ...settleWork(inOrder.subarray(teachers.length), people, random.fork('workplaces')),
    circles: circlesOf(everyone, random.fork('circles')),
    commuters: commutersOf({ pupils, workers }, random.fork('commuters')),
  };
}

/** (5/8)·u^(−3/8): mean 1; roots are rounded alike everywhere. */
function activities(people: number, random: Random): Float64Array {
  return Float64Array.from({ length: people }, () => {
    const root = Math.sqrt(Math.sqrt(Math.sqrt((random.uint32() + 1) / 2 ** 32)));
    return Math.min(MAX_ACTIVITY, 0.625 / (root * root * root));
  });
}

/** A school takes the children around it; its classes mix them. */
function settleSchools(pupils: Uint32Array, random: Random) {
  const schools = dealt(pupils.slice(), () => 200 + random.below(500));
  for (let school = 0; school < countOf(schools); school++)
    shuffle(schools.members.subarray(schools.rows[school], schools.rows[school + 1]), random);
  return { schools, classes: divided(schools, () => 20 + random.below(9)) };
}

/** One each, as the last of the class, while there are any. */
function withTeachers({ rows, members }: Groups, teachers: Uint32Array): Groups {
  const mixed = new Uint32Array(members.length + teachers.length);
  const starts = rows.map((at, index) => at + Math.min(index, teachers.length));
  for (let g = 0; g + 1 < rows.length; g++) {
    mixed.set(members.subarray(rows[g], rows[g + 1]), starts[g]);
    if (g < teachers.length) mixed[starts[g + 1]! - 1] = teachers[g]!;
  }
  return { rows: starts, members: mixed };
}

/** Sizes as u^(−1): a few employers have thousands, most have a handful. */
function settleWork(workers: Uint32Array, people: number, random: Random) {
  const largest = Math.min(MAX_WORKPLACE, Math.max(10, Math.floor(people / 50)));
  const workplaces = dealt(workers, () =>
    Math.min(largest, Math.floor(2 / ((random.uint32() + 1) / 2 ** 32))),
  );
  return { workplaces, teams: divided(workplaces, () => 5 + random.below(7)) };
}

/** Of 3 to 8: one of the neighbourhood, one from all over the city. */
function circlesOf(everyone: () => Uint32Array, random: Random): Groups {
  const size = (): number => 3 + random.below(6);
  const near = everyone();
  for (let k = 0; k < near.length; k++) {
    const other = Math.min(near.length - 1, k + random.below(NEIGHBOURHOOD));
    [near[k], near[other]] = [near[other]!, near[k]!];
  }
  return joined(dealt(near, size), dealt(shuffle(everyone(), random), size));
}

function commutersOf(
  ways: Readonly<Record<keyof typeof COMMUTER_SHARE, Uint32Array>>,
  random: Random,
): Commuters {
  const person = [
    ...ways.workers.filter(() => random.next() < COMMUTER_SHARE.workers),
    ...ways.pupils.filter(() => random.next() < COMMUTER_SHARE.pupils),
  ];
  const lines = Math.max(1, Math.round(person.length / PEOPLE_PER_LINE));
  return {
    person: Uint32Array.from(person),
    line: Uint32Array.from(person, () => Math.floor(lines * random.next() * random.next())),
    coach: Uint8Array.from(person, () => random.below(COACHES)),
    out: Uint8Array.from(person, () => 26 + random.below(5) + random.below(5)),
    back: Uint8Array.from(person, () => 62 + random.below(6) + random.below(6)),
  };
}
