/** A score as a person reads it. */

/** "0.12"; one that is above 0 and would round to it is "< 0.01". */
export const scoreWords = (score: number): string =>
  score > 0 && score < 0.005 ? '< 0.01' : score.toFixed(2);
