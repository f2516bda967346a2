/** One day at a transit hub: commuters who wait and ride in much the same company, and the staff they pass. */
import type { Random } from '../../radio/random.js';
import { groupsOf, shuffled } from './scenario-diary.js';
import type { Diary } from './scenario-diary.js';
import { COMMUTERS, HUB_STAFF, TRAVELLING_STAFF, nursesOn } from './scenario-people.js';

const HOUR = 3600;
const MINUTE = 60;
const DEPARTURES = 8;
const BETWEEN_DEPARTURES = 15 * MINUTE;

/** A service: who takes it day by day, and when it leaves, hours after midnight. */
interface Service {
  readonly riders: readonly number[];
  readonly outHour: number;
  readonly backHour: number;
}

/** `midnight` is when the day begins, unix seconds. */
export function hubDay(diary: Diary, random: Random, midnight: number): void {
  for (const service of services()) {
    ride(diary, random, service.riders, midnight + service.outHour * HOUR);
    ride(diary, random, service.riders, midnight + service.backHour * HOUR);
  }
  kiosk(diary, random, midnight);
  staffRoom(diary, random, midnight);
}

/** Sixteen commuters a service; the ward's staff travel with those of their hours. */
function services(): readonly Service[] {
  const ofShift = (shift: 'day' | 'evening' | 'night') =>
    nursesOn(shift).filter((nurse) => TRAVELLING_STAFF.includes(nurse));
  const others = TRAVELLING_STAFF.filter((person) => person >= 1200);
  const staff: Readonly<Record<number, readonly number[]>> = {
    0: ofShift('day'),
    1: ofShift('night'),
    5: others,
    7: ofShift('evening'),
  };
  return groupsOf(COMMUTERS, COMMUTERS.length / DEPARTURES).map((commuters, k) => ({
    riders: [...(staff[k] ?? []), ...commuters],
    outHour: k === 0 ? 6.25 : 7.25 + (k * BETWEEN_DEPARTURES) / HOUR,
    backHour: 15.75 + (k * BETWEEN_DEPARTURES) / HOUR,
  }));
}

/** Company of two or three on the platform, who then sit together; most keep to their company, some do not. */
function ride(diary: Diary, random: Random, riders: readonly number[], departure: number): void {
  const present = riders.filter(() => random.next() < 0.88);
  const loose = new Set(present.filter(() => random.next() < 0.2));
  const company = [...present.filter((rider) => !loose.has(rider)), ...shuffled([...loose], random)];
  for (const group of groupsOf(company, 3)) {
    diary.gather(group, departure - random.between(2, 8) * MINUTE, 4, 0.5);
    diary.gather(group, departure, random.between(12, 24), 0.8);
  }
  for (const [k, group] of groupsOf(shuffled(present, random), 2).entries()) {
    diary.gather(
      group,
      departure - random.between(4, 9) * MINUTE,
      random.between(0.4, 2),
      k % 2 === 0 ? 0.8 : 0.4,
    );
  }
}

/** A word and a cup of coffee, from one of the two who serve at that hour. */
function kiosk(diary: Diary, random: Random, midnight: number): void {
  for (const person of [...COMMUTERS, ...TRAVELLING_STAFF]) {
    const hour = random.next() < 0.6 ? random.between(6.5, 9.25) : random.between(15.75, 18);
    const seller = HUB_STAFF[(hour < 12 ? 0 : 2) + random.below(2)];
    if (seller !== undefined && random.next() < 0.3)
      diary.meet(seller, person, midnight + hour * HOUR, random.between(0.4, 1.4));
  }
}

function staffRoom(diary: Diary, random: Random, midnight: number): void {
  for (const [k, pair] of groupsOf(HUB_STAFF, 2).entries()) {
    for (const hour of [7, 8.5, 16, 17.5]) {
      diary.gather(pair, midnight + (hour + k / 10) * HOUR, random.between(10, 25), 0.6);
    }
  }
}
