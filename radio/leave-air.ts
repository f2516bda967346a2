/** How a tag or a gateway leaves the air: whatever the radio makes of it, it comes to an end, for there is more to be done after. */
import { asError, FirebreakError } from '../protocol/errors.js';

/** Wall ms; Bluetooth may take a few seconds over each part. Services are killed after 20 s (deploy/). */
const LEAVE_MS = 10_000;

/** Done at once. The next stage begins when all of them have ended, well or not. */
export type LeavingStage = readonly (() => Promise<unknown>)[];

/**
 * Goes through the stages in order. Resolves what failed first, or `timeout` after ten seconds of wall time: the stages that
 * had not begun by then do so only if what hangs comes to an end. Never rejects.
 */
export async function leaveAir(stages: readonly LeavingStage[]): Promise<Error | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Error>((resolve) => {
    const hangs = new FirebreakError('timeout', `the radio did not stop within ${LEAVE_MS / 1000} s`);
    timer = setTimeout(() => resolve(hangs), LEAVE_MS);
  });
  try {
    return await Promise.race([failureOf(stages), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function failureOf(stages: readonly LeavingStage[]): Promise<Error | undefined> {
  let first: Error | undefined;
  for (const stage of stages) {
    const ends = await Promise.allSettled(stage.map(async (work) => work()));
    const failed = ends.find((end) => end.status === 'rejected');
    first ??= failed && asError(failed.reason);
  }
  return first;
}
