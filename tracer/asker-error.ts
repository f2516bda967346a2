/**
 * What whoever asks is told where there is no answer. Every other error on the way to one is the tracer's own
 * trouble, whatever its code: it goes into the log, and they hear no more than that there is one
 * (api/refusal.ts).
 */
import { FirebreakError } from '../protocol/errors.js';
import type { ErrorCode } from '../protocol/errors.js';
import type { LedgerReader } from '../protocol/tlog/ledger-reader.js';
import { eachRead } from './each-read.js';

/**
 * Made where a question is checked and answered, in words for whoever asked. These may name whom the question
 * named: no log has them.
 */
export class AskerError extends FirebreakError {}

/** An error of one of these codes as one that whoever asks is told, in its own words; any other as it is. */
export function toldIf(error: unknown, codes: readonly ErrorCode[]): unknown {
  if (!(error instanceof FirebreakError) || !codes.includes(error.code)) return error;
  return new AskerError(error.code, error.message, { cause: error.cause });
}

/** Throws what `work` throws, as {@link toldIf} has it. */
export function telling<T>(codes: readonly ErrorCode[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toldIf(error, codes);
  }
}

const AWAY: readonly ErrorCode[] = ['unreachable', 'timeout'];

/** A reader of which whoever asks is told that the ledger is away, and nothing else. */
export function tellingReader(reader: LedgerReader): LedgerReader {
  return eachRead(reader, async (read) => {
    try {
      return await read();
    } catch (error) {
      throw toldIf(error, AWAY);
    }
  });
}
