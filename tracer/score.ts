/** How likely work on a person is to matter (tracing.md, "Score"). It ranks; it does not diagnose. */
import type { Contact } from './contact.js';

/** Of immediate, near, medium and other. */
const BUCKET_WEIGHTS = [1, 0.8, 0.3, 0] as const;
const THETA_MINUTES = 90;

/** p = 1 − exp(−W/θ), W = Σ bucket weight × minutes, halved when only one side reported. */
export function transmissionWeight({
  bucketSeconds,
  mutual,
}: Pick<Contact, 'bucketSeconds' | 'mutual'>): number {
  const seconds = bucketSeconds.reduce(
    (sum, bucket, index) => sum + bucket * (BUCKET_WEIGHTS[index] ?? 0),
    0,
  );
  const minutes = seconds / 60 / (mutual ? 1 : 2);
  return 1 - Math.exp(-minutes / THETA_MINUTES);
}
