/** Refusals that come after a look was recorded, and say so. That there is nobody is an answer too. */
import { FirebreakError } from '../../protocol/errors.js';
import { AskerError } from '../asker-error.js';

const IS_RECORDED = 'the look is recorded';
/** Of one whose recording began, and that nobody waited for. */
export const MAY_BE_RECORDED = 'the look may be recorded';

/**
 * What was found, or `not-found` in the words to tell; `missingReports` as in {@link TraceResult}. Throws what else
 * `find` throws.
 */
export async function orNotFound<T>(find: () => Promise<T>, missingReports: number): Promise<T | AskerError> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof AskerError && error.code === 'not-found')) throw error;
    const lacks = missingReports === 0 ? '' : `; ${notReadInWords(missingReports)}, which may be why`;
    return new AskerError('not-found', `${error.message}${lacks}; ${IS_RECORDED}`, {
      cause: error,
    });
  }
}

/**
 * What `work` makes of an answer whose look is in the log; a refusal says that it is, and so does the reason of a
 * signal that ended the work. Throws what `work` throws else.
 */
export async function afterLook<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AskerError)
      throw new AskerError(error.code, `${error.message}; ${IS_RECORDED}`, { cause: error });
    if (error instanceof FirebreakError && error === signal?.reason)
      throw new FirebreakError(error.code, `${error.message}; ${IS_RECORDED}`, { cause: error });
    throw error;
  }
}

/** "2 reports or approvals of gateways could not be read". */
export const notReadInWords = (missingReports: number): string =>
  missingReports === 1
    ? '1 report or approval of a gateway could not be read'
    : `${missingReports} reports or approvals of gateways could not be read`;
