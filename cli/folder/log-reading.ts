/** Reading a log on now and again, for those who ask who looked at them. */
import type { AuditBook } from '../../authority/looks/audit-book.js';
import { asError, FirebreakError, type ErrorCode } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';

/** A log that shows another history than before is no passing trouble. */
const DOES_NOT_ADD_UP: ReadonlySet<ErrorCode> = new Set(['consistency', 'chain', 'signature', 'foreign']);

/**
 * One reading. Why it fails is said once, until it is for another reason or is over: a ledger that was away may come back with
 * another history. Never rejects, and says nothing of the signal.
 */
export function readingOf(
  book: Pick<AuditBook, 'catchUp'>,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): () => Promise<void> {
  let said: ErrorCode | 'unforeseen' | undefined;
  return async () => {
    try {
      await book.catchUp(signal);
      said = undefined;
    } catch (error) {
      const code = error instanceof FirebreakError ? error.code : 'unforeseen';
      if (signal.aborted || code === said) return;
      said = code;
      const fields = { code, why: asError(error).message };
      if (code !== 'unforeseen' && DOES_NOT_ADD_UP.has(code)) log.error(NOT_THE_SAME, fields);
      else log.warn('the log cannot be read for audits; trying again', fields);
    }
  };
}

const NOT_THE_SAME =
  'the log does not add up with what was read of it before: nobody is told who looked at them by it';
