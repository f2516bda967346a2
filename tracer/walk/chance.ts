/** How likely a contact passes it on (tracing.md, "Score"), by its weight as the contact store has it. */

/** Weights are W in twentieths of a second; θ is 90 minutes. */
const THETA = 90 * 60 * 20;
const WEIGHTS = 2 ** 16;

let table: Float64Array | undefined;

/** p = 1 − exp(−W/θ) for each weight that a contact of the store can have. */
export function chances(): Float64Array {
  table ??= Float64Array.from({ length: WEIGHTS }, (_, weight) => -Math.expm1(-weight / THETA));
  return table;
}

/** Of any weight: a long co-presence has a larger one. */
export const chanceOf = (weight: number): number => chances()[weight] ?? -Math.expm1(-weight / THETA);
