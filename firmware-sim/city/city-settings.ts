/** What a city is made from, and how many contacts come of it. */
import { FirebreakError } from '../../protocol/errors.js';
import { DAY_SECONDS } from '../../protocol/time.js';

export interface CitySettings {
  readonly people: number;
  readonly days: number;
  readonly seed: string;
  /** Days since 1970-01-01, UTC; the city lives by UTC. */
  readonly firstDay: number;
  /** Epochs with somebody, per person and day; a contact counts for both of its people. */
  readonly contactsPerDay: number;
}

/** Tag numbers of 24 bits: a pair, and where it met, sort as one number. */
export const MAX_PEOPLE = 2 ** 24 - 1;
/** What one segment of a contact store spans. */
export const MAX_DAYS = 180;
export const MAX_CONTACTS_PER_DAY = 60;
export const DEFAULT_CONTACTS_PER_DAY = 20;
/** Monday, 2 March 2026. */
export const DEFAULT_FIRST_DAY = 20_514;

/** Of one day: with a twentieth more, what a segment of a contact store holds (tracer/contacts/segment.ts). */
const MAX_CONTACTS = 2 ** 27;
const LAST_DAY = Math.floor(2 ** 32 / DAY_SECONDS) - 1;
const MAX_SEED = 64;

/** Throws `input` for numbers out of bounds. */
export function requireCity(settings: CitySettings): void {
  const { people, days, seed, firstDay, contactsPerDay } = settings;
  const require = (holds: boolean, problem: string) => {
    if (!holds) throw new FirebreakError('input', problem);
  };
  const within = (value: number, min: number, max: number) =>
    Number.isSafeInteger(value) && value >= min && value <= max;
  require(within(people, 2, MAX_PEOPLE), `a city has from 2 to ${MAX_PEOPLE} people`);
  require(within(days, 1, MAX_DAYS), `a city lives for 1 to ${MAX_DAYS} days`);
  require(within(firstDay, 0, LAST_DAY - days), 'the city’s days must lie between 1970 and 2106');
  require(seed.length > 0 && seed.length <= MAX_SEED, `the seed is a text of 1 to ${MAX_SEED} characters`);
  require(contactsPerDay >= 1 &&
    contactsPerDay <= MAX_CONTACTS_PER_DAY, `contacts per day are from 1 to ${MAX_CONTACTS_PER_DAY}`);
  const busiest = contactsOfBusiestDay(settings);
  require(busiest <=
    MAX_CONTACTS, `about ${busiest} contacts are expected on one day, and ${MAX_CONTACTS} are the most: fewer people, or fewer contacts per day`);
}

function contactsOfBusiestDay(settings: CitySettings): number {
  const days = Array.from({ length: settings.days }, (_, index) => settings.firstDay + index);
  return Math.max(...days.map((firstDay) => expectedContacts({ ...settings, firstDay, days: 1 })));
}

/** 0 is Sunday. */
export const weekdayOf = (day: number): number => (day + 4) % 7;
export const isWeekend = (day: number): boolean => weekdayOf(day) % 6 === 0;

/** Measured (docs/city.md): epochs with somebody per person at the default, on a weekday, a Saturday and a Sunday. */
const RATES = { weekday: 20.2, saturday: 19.9, sunday: 17.1 } as const;

function rateOf(day: number): number {
  const weekday = weekdayOf(day);
  if (weekday === 0) return RATES.sunday;
  return weekday === 6 ? RATES.saturday : RATES.weekday;
}

/** How many contacts to expect; within a few per cent in a city of thousands of people, and near the default rate. */
export function expectedContacts({ people, days, firstDay, contactsPerDay }: CitySettings): number {
  let perPerson = 0;
  for (let day = firstDay; day < firstDay + days; day++) perPerson += rateOf(day);
  return Math.round((people * perPerson * (contactsPerDay / DEFAULT_CONTACTS_PER_DAY)) / 2);
}

/** A city with so many people that it comes to about this many contacts. Throws `input` when no city does. */
export function cityFor(wanted: {
  readonly contacts: number;
  readonly days: number;
  readonly seed: string;
}): CitySettings {
  const { contacts, days, seed } = wanted;
  const one = {
    people: 1,
    days,
    seed,
    firstDay: DEFAULT_FIRST_DAY,
    contactsPerDay: DEFAULT_CONTACTS_PER_DAY,
  };
  const thousand = expectedContacts({ ...one, people: 1000 });
  const settings = { ...one, people: Math.round((1000 * contacts) / thousand) };
  requireCity(settings);
  return settings;
}
