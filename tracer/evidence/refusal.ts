/** How a bundle is refused: what is wrong, and where in it. Places count from 0, as in the bundle; nobody is named. */
import { FirebreakError } from '../../protocol/errors.js';

/** Throws `evidence`. */
export function requireEvidence(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new FirebreakError('evidence', problem);
}

/** Puts where it was before the words of whatever `work` throws, its code kept. */
export function inPlace<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof FirebreakError)) throw cause;
    throw new FirebreakError(cause.code, `${where}: ${cause.message}`, { cause });
  }
}

/** Each used, or the bundle holds more than it needs: that is no accident, and nobody's data is shown for nothing. */
export function requireAllUsed(count: number, used: ReadonlySet<number>, what: string): void {
  for (let place = 0; place < count; place++)
    requireEvidence(used.has(place), `${what} ${place} of the bundle is not used by anything in it`);
}
