/** How likely work on a person is to matter (tracing.md, "Score"). It ranks; it does not diagnose. */
import type { Contact } from '../contact.js';

/** Of immediate, near, medium and other. */
const BUCKET_WEIGHTS = [1, 0.8, 0.3, 0] as const;
const THETA_MINUTES = 90;

/** W of one contact at most, as tables of contacts hold it (contacts/segment.ts): twentieths of a second in 16 bits. */
const MOST_SECONDS = 65_535 / 20;

/** p = 1 − exp(−W/θ), W = Σ bucket weight × minutes, halved when only one side reported. */
export function transmissionWeight({
  bucketSeconds,
  mutual,
}: Pick<Contact, 'bucketSeconds' | 'mutual'>): number {
  const seconds = bucketSeconds.reduce(
    (sum, bucket, index) => sum + bucket * (BUCKET_WEIGHTS[index] ?? 0),
    0,
  );
  return chanceIn(Math.min(seconds / (mutual ? 1 : 2), MOST_SECONDS));
}

/** The same of so many seconds at one gateway at once: one-sided contact in the third bucket, however long. */
export const copresenceWeight = (seconds: number): number => chanceIn((seconds * BUCKET_WEIGHTS[2]) / 2);

const chanceIn = (weightedSeconds: number): number => 1 - Math.exp(-weightedSeconds / 60 / THETA_MINUTES);
