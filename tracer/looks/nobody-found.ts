/** Refusals that come after a look was recorded, or while it was, and say so. That there is nobody is an answer too. */
import { systemReason } from '../../host/system-words.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { AskerError } from '../asker-error.js';

export const IS_RECORDED = 'the look is recorded';
/** Of one whose recording began, and of whose end nobody knows. */
export const MAY_BE_RECORDED = 'the look may be recorded';

/** A failure of the tracer's own, its `cause`, that came after the look was recorded. */
export class FailedAfterLook extends FirebreakError {
  constructor(cause: unknown) {
    const code = cause instanceof FirebreakError ? cause.code : 'closed';
    super(code, `${systemReason(cause)}; ${IS_RECORDED}`, { cause });
  }
}

const IN_NO_CONTACT = 'is in no contact that is known';

/** Of one whom the contacts do not know: `who` as in "case 17". Why that may be, {@link orNotFound} adds. */
export const inNoContact = (who: string): AskerError =>
  new AskerError('not-found', `${who} ${IN_NO_CONTACT}`);

/** Reports that an answer lacks. */
export interface NotKnown {
  /** As in {@link TraceResult}. */
  readonly missingReports: number;
  /** Those that left the retention window. */
  readonly prunedReports: number;
}

/** What was found, or `not-found` in the words to tell. Throws what else `find` throws. */
export async function orNotFound<T>(
  find: () => Promise<T>,
  { missingReports, prunedReports }: NotKnown,
): Promise<T | AskerError> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof AskerError && error.code === 'not-found')) throw error;
    const { message } = error;
    const whatToDo = message.endsWith(IN_NO_CONTACT) ? checkTheNumber(prunedReports) : '';
    const lacks = missingReports === 0 ? '' : `; ${notReadInWords(missingReports)}, which may be why`;
    return new AskerError('not-found', `${message}${whatToDo}${lacks}`, { cause: error });
  }
}

const checkTheNumber = (prunedReports: number): string =>
  prunedReports === 0
    ? ': check the number'
    : ': what there was may have left the retention window, or the number is wrong';

/** The refusal, with word as which entry its look is recorded. */
export const recordedAs = (error: AskerError, index: number): AskerError =>
  new AskerError(error.code, `${error.message}; ${IS_RECORDED} as ledger entry ${index}`, { cause: error });

/**
 * What `work` makes of an answer whose look is in the log; a refusal says that it is, and so does the reason of a
 * signal that ends the wait for it. Throws what else `work` throws as {@link FailedAfterLook}.
 */
export async function afterLook<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  const told = work.catch((error: unknown) => {
    if (error instanceof AskerError) throw alsoTelling(error, IS_RECORDED);
    if (error instanceof FirebreakError && error === signal?.reason) throw alsoTelling(error, IS_RECORDED);
    throw new FailedAfterLook(error);
  });
  return endingAtOnce(told, signal, IS_RECORDED);
}

/**
 * As `recording`, which has begun, but that the wait for it ends when the signal aborts: with the reason of that, and
 * word that the look may be recorded.
 */
export function recordedUnlessStopped<T>(recording: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return endingAtOnce(recording, signal, MAY_BE_RECORDED);
}

/**
 * At once, since `unlessAborted` (host/time-limit.ts) gives only a moment to what knows better why it ends. The work
 * itself ends a little later: it heeds the signal between two reads of the ledger.
 */
function endingAtOnce<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  ofTheLook: string,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(alsoTelling(asError(signal.reason), ofTheLook));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) setImmediate(stop);
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function alsoTelling(reason: Error, ofTheLook: string): FirebreakError {
  const message = `${reason.message}; ${ofTheLook}`;
  if (reason instanceof AskerError) return new AskerError(reason.code, message, { cause: reason });
  const code = reason instanceof FirebreakError ? reason.code : 'closed';
  return new FirebreakError(code, message, { cause: reason });
}

/** "2 reports or approvals of gateways could not be read". */
export const notReadInWords = (missingReports: number): string =>
  missingReports === 1
    ? '1 report or approval of a gateway could not be read'
    : `${missingReports} reports or approvals of gateways could not be read`;
