/** Who takes part in the built-in scenario: 200 people, by tag number. */

const numbered = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, k) => first + k);

export const PATIENTS = numbered(1001, 24);
export const NURSES = numbered(1101, 18);
export const DOCTORS = numbered(1201, 6);
export const CLEANERS = numbered(1301, 4);
export const VISITORS = numbered(1401, 12);
export const HUB_STAFF = numbered(1501, 8);
export const COMMUTERS = numbered(1601, 128);

/** Nurses, doctors and cleaners who come to work through the hub. */
export const TRAVELLING_STAFF = [
  ...NURSES.filter((_, k) => k % 2 === 0),
  ...DOCTORS.slice(0, 3),
  ...CLEANERS.slice(0, 2),
];

/** A nurse who is on the day shift each day. */
export const INDEX_CASE = 1105;

export type Shift = 'day' | 'evening' | 'night';

const ROTA: readonly Shift[] = ['day', 'evening', 'night'];

/** Six nurses keep to each shift for the days of the scenario. */
export function nursesOn(shift: Shift): readonly number[] {
  const first = ROTA.indexOf(shift) * 6;
  return NURSES.slice(first, first + 6);
}
