/** That there is nobody is an answer too: it is recorded, and told after that, in words that say so. */
import { FirebreakError } from '../protocol/errors.js';

/** What was found, or `not-found` in the words to tell; `missingReports` as in {@link TraceResult}. Throws what else `find` throws. */
export async function orNotFound<T>(
  find: () => Promise<T>,
  missingReports: number,
): Promise<T | FirebreakError> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof FirebreakError && error.code === 'not-found')) throw error;
    const lacks = missingReports === 0 ? '' : `; ${notReadInWords(missingReports)}, which may be why`;
    return new FirebreakError('not-found', `${error.message}${lacks}; the look is recorded`, {
      cause: error,
    });
  }
}

/** "2 reports could not be read". */
export const notReadInWords = (missingReports: number): string =>
  `${missingReports === 1 ? '1 report' : `${missingReports} reports`} could not be read`;
