/** One day on a hospital ward: shifts that hand over, rounds from bed to bed, meals at tables, visitors, the night. */
import type { Random } from '../../radio/random.js';
import { groupsOf, shuffled } from './scenario-diary.js';
import type { Diary } from './scenario-diary.js';
import { CLEANERS, DOCTORS, nursesOn, PATIENTS, VISITORS } from './scenario-people.js';
import type { Shift } from './scenario-people.js';

const HOUR = 3600;
const MINUTE = 60;

/** When the rounds of a shift begin, hours after the midnight before the day. */
const ROUNDS: Readonly<Record<Shift, readonly number[]>> = {
  night: [0.5, 3, 5.5, 23.25],
  day: [7.75, 10.5, 13],
  evening: [15.75, 18.5, 21],
};

/** `midnight` is when the day begins, unix seconds. */
export function wardDay(diary: Diary, random: Random, midnight: number): void {
  handOver(diary, random, midnight + 7 * HOUR, 'night', 'day');
  handOver(diary, random, midnight + 15 * HOUR, 'day', 'evening');
  handOver(diary, random, midnight + 22.75 * HOUR, 'evening', 'night');
  for (const shift of ['night', 'day', 'evening'] as const) {
    for (const hour of ROUNDS[shift]) round(diary, random, midnight + hour * HOUR, nursesOn(shift));
    breaks(diary, random, midnight, shift);
  }
  visitOfDoctors(diary, random, midnight + 9 * HOUR);
  meal(diary, random, midnight + 12 * HOUR);
  meal(diary, random, midnight + 17.5 * HOUR);
  rooms(diary, random, midnight);
  visitors(diary, random, midnight + 14 * HOUR);
  cleaning(diary, random, midnight + 10 * HOUR);
}

/** Each nurse tells the one who takes over, and a few stand by. */
function handOver(diary: Diary, random: Random, at: number, from: Shift, to: Shift): void {
  const coming = shuffled(nursesOn(to), random);
  nursesOn(from).forEach((nurse, k) => {
    const next = coming[k];
    const listener = coming[(k + 1) % coming.length];
    if (next !== undefined) diary.meet(nurse, next, at + random.below(120), random.between(14, 20), 0.95);
    if (listener !== undefined)
      diary.meet(nurse, listener, at + random.below(300), random.between(3, 8), 0.6);
  });
}

/** Each nurse goes round the same four beds, bed after bed. */
function round(diary: Diary, random: Random, at: number, nurses: readonly number[]): void {
  groupsOf(PATIENTS, PATIENTS.length / nurses.length).forEach((beds, k) => {
    const nurse = nurses[k];
    let start = at + random.below(5 * MINUTE);
    for (const patient of beds) {
      const minutes = random.between(2, 7);
      if (nurse !== undefined) diary.meet(nurse, patient, start, minutes);
      start += (minutes + random.between(0.5, 3)) * MINUTE;
    }
  });
}

/** Two by two in the staff room, once a shift. */
function breaks(diary: Diary, random: Random, midnight: number, shift: Shift): void {
  const hours = { night: 2, day: 11.75, evening: 19.75 };
  for (const pair of groupsOf(shuffled(nursesOn(shift), random), 2)) {
    diary.gather(pair, midnight + hours[shift] * HOUR + random.below(20 * MINUTE), random.between(8, 16));
  }
}

/** Two teams of three doctors, with a nurse, each through half of the beds. */
function visitOfDoctors(diary: Diary, random: Random, at: number): void {
  const nurses = nursesOn('day');
  groupsOf(DOCTORS, 3).forEach((team, k) => {
    let start = at + random.below(10 * MINUTE);
    for (const patient of PATIENTS.slice(k * 12, k * 12 + 12)) {
      const minutes = random.between(2, 5);
      for (const doctor of team) diary.meet(doctor, patient, start, minutes, 0.6);
      diary.gather([...team, ...nurses.slice(k, k + 1)], start, minutes, 0.5);
      start += (minutes + 1) * MINUTE;
    }
  });
}

/** Whoever can get up eats at a table of four, in the same company most days. */
function meal(diary: Diary, random: Random, at: number): void {
  const up = PATIENTS.filter((_, k) => k % 3 !== 2 && random.next() < 0.9);
  for (const table of groupsOf(up, 4))
    diary.gather(table, at + random.below(10 * MINUTE), random.between(18, 30), 0.7);
}

/** Two beds a room; neighbours talk on and off while they are awake. */
function rooms(diary: Diary, random: Random, midnight: number): void {
  for (const room of groupsOf(PATIENTS, 2)) {
    for (const hour of [8.5, 11, 15, 19.5]) {
      diary.gather(room, midnight + hour * HOUR + random.below(40 * MINUTE), random.between(4, 14));
    }
  }
}

function visitors(diary: Diary, random: Random, at: number): void {
  VISITORS.forEach((visitor, k) => {
    const patient = PATIENTS[k * 2];
    if (patient === undefined || random.next() < 0.35) return;
    diary.meet(visitor, patient, at + random.below(90 * MINUTE), random.between(15, 45), 0.8);
  });
}

function cleaning(diary: Diary, random: Random, at: number): void {
  groupsOf(PATIENTS, PATIENTS.length / CLEANERS.length).forEach((beds, k) => {
    const cleaner = CLEANERS[k];
    beds.forEach((patient, bed) => {
      if (cleaner !== undefined)
        diary.meet(cleaner, patient, at + bed * 10 * MINUTE, random.between(0.5, 2), 0.7);
    });
  });
  diary.gather(CLEANERS.slice(0, 2), at + 2 * HOUR, random.between(10, 20));
}
