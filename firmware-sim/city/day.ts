/** One day of a city. Days do not depend on each other, nor on who works them out. */
import { hashText, mix32, seededRandom } from '../../radio/random.js';
import type { Random } from '../../radio/random.js';
import { expectedContacts, DEFAULT_CONTACTS_PER_DAY } from './city-settings.js';
import type { CitySettings } from './city-settings.js';
import { DaySheet } from './day-sheet.js';
import type { DayMade } from './day-sheet.js';
import { habitsOf, kindNumber, outingsOf } from './day-plan.js';
import { meetInGroups } from './meetings.js';
import { COACHES } from './population.js';
import type { Population } from './population.js';
import { Visits } from './visits.js';

const PEOPLE_PER_SHOP = 400;
/** In a coach: usually one's own; a second epoch for long ways. */
const OWN_COACH = 0.7;
const LONG_WAY = 0.4;
/** Shops around the corner, of all; and how far, in shops, that is. */
const NEAR_SHOP = 0.7;
const CORNER = 3;
const OPENS = 34;
const OPEN_EPOCHS = 46;
const STREET_FROM = 28;
const STREET_EPOCHS = 64;

/** `population`: settlePeople of the same settings. */
export function makeDay(settings: CitySettings, population: Population, day: number): DayMade {
  const rate = settings.contactsPerDay / DEFAULT_CONTACTS_PER_DAY;
  const random = seededRandom(`city/${settings.seed}/${day}`);
  const expected = expectedContacts({ ...settings, firstDay: day, days: 1 });
  const salt = mix32(hashText(settings.seed));
  const sheet = new DaySheet(day, salt, population.tags, expected);
  for (const [index, habit] of habitsOf(population, day).entries())
    meetInGroups(habit, rate, random.fork(`habit ${index}`), sheet);
  const outings = outingsOf(day);
  travel(population, outings.travelling, rate, random.fork('transit'), sheet);
  shop(population, outings.shops, rate, random.fork('shops'), sheet);
  stroll(population, outings.street * rate, random.fork('street'), sheet);
  return sheet.finish();
}

function travel(
  { commuters }: Population,
  share: number,
  rate: number,
  random: Random,
  sheet: DaySheet,
): void {
  const { person, line, coach, out, back } = commuters;
  const lines = line.reduce((most, one) => Math.max(most, one + 1), 0);
  const visits = new Visits(lines * COACHES);
  for (let k = 0; k < person.length; k++) {
    if (random.next() >= share) continue;
    for (const usual of [out[k]!, back[k]!]) {
      const number = random.next() < OWN_COACH ? coach[k]! : random.below(COACHES);
      const epochs = random.next() < LONG_WAY ? 2 : 1;
      for (let epoch = usual; epoch < usual + epochs; epoch++)
        visits.add(person[k]!, line[k]! * COACHES + number, epoch);
    }
  }
  visits.meet(kindNumber('transit'), { perVisit: 1.6 * rate, besides: 0.5, reach: 4 }, random, sheet);
}

function shop(
  { people, activity }: Population,
  trips: number,
  rate: number,
  random: Random,
  sheet: DaySheet,
): void {
  const shops = Math.max(1, Math.round(people / PEOPLE_PER_SHOP));
  const visits = new Visits(shops);
  for (let person = 0; person < people; person++) {
    const times = Math.floor(activity[person]! * trips + random.next());
    for (let time = 0; time < times; time++) {
      const corner = Math.floor((person / people) * shops) + random.below(2 * CORNER + 1) - CORNER;
      const place = random.next() < NEAR_SHOP ? corner : Math.floor(shops * random.next() * random.next());
      visits.add(person, ((place % shops) + shops) % shops, OPENS + random.below(OPEN_EPOCHS));
    }
  }
  visits.meet(kindNumber('shop'), { perVisit: 2 * rate, besides: 0, reach: 1 }, random, sheet);
}

/** Everybody as often as they are active, paired at random. */
function stroll({ people, activity }: Population, meetings: number, random: Random, sheet: DaySheet): void {
  const ends: number[] = [];
  for (let person = 0; person < people; person++) {
    const times = Math.floor(activity[person]! * meetings + random.next());
    for (let time = 0; time < times; time++) ends.push(person);
  }
  for (let left = ends.length; left >= 2; left -= 2) {
    const one = takeOut(ends, random.below(left), left);
    const another = takeOut(ends, random.below(left - 1), left - 1);
    sheet.add(kindNumber('street'), STREET_FROM + random.below(STREET_EPOCHS), one, another);
  }
}

/** The element at `at`; the last of the `left` first ones takes its place. */
function takeOut(ends: number[], at: number, left: number): number {
  const taken = ends[at]!;
  ends[at] = ends[left - 1]!;
  return taken;
}
