/** How a command ends: {@link EXIT_CODES}. One place turns an error into words and a number. */
import { CommanderError } from 'commander';
import pc from 'picocolors';
import { systemWords } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { plain } from '../../protocol/plain-text.js';

const SHOWN_HELP = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version']);

/** A call that was spelled wrongly: exit code 2. */
export const usage = (message: string) => new FirebreakError('usage', message);

export const EXIT_CODES = '0 done, 1 failed, 2 used wrongly, 130 interrupted';
const INTERRUPTED = 130;

/** The command was asked to stop, and did, before it was done. */
export class StoppedError extends FirebreakError {
  constructor(message = 'stopped before it was done', options?: ErrorOptions) {
    super('closed', message, options);
  }
}

/** What a status ends with where its first line is not `well`: all is said by then, and the exit code is 1. */
export class NotWellError extends FirebreakError {
  constructor() {
    super('closed', 'not well');
  }
}

/** Throws {@link NotWellError}. */
export function requireWell(isWell: boolean): void {
  if (!isWell) throw new NotWellError();
}

/** For every command that is a status. */
export const STATUS_EXIT_CODES = 'exit code: 0 when the first line says well, 1 when it says anything else';

/** For a process that has nothing to finish. */
export function endInterrupted(): never {
  console.error(describeError(new StoppedError(), false));
  process.exit(INTERRUPTED);
}

const OF_STOPPING: readonly ErrorCode[] = ['closed', 'unconfirmed'];

/** What work that was asked to stop threw, as a {@link StoppedError} where that is why. */
export function asStopped(error: unknown, { reason }: AbortSignal): unknown {
  const isStopped = reason instanceof StoppedError && error instanceof FirebreakError;
  if (!isStopped || error instanceof StoppedError || !OF_STOPPING.includes(error.code)) return error;
  return new StoppedError(error.message, { cause: error });
}

export function exitCodeOf(error: unknown): 0 | 1 | 2 | typeof INTERRUPTED {
  if (error instanceof StoppedError) return INTERRUPTED;
  if (error instanceof CommanderError) {
    const isAsked = SHOWN_HELP.has(error.code) && error.exitCode === 0; // help that nobody asked for tells what is missing
    return isAsked ? 0 : 2;
  }
  return error instanceof FirebreakError && error.code === 'usage' ? 2 : 1;
}

/** What to print for an error; empty where commander, or a status, has already spoken. The stack is shown with FIREBREAK_DEBUG=1. */
export function describeError(error: unknown, debug: boolean): string {
  if (error instanceof CommanderError || error instanceof NotWellError) return '';
  if (!(error instanceof Error)) return `firebreak: ${shown(String(error))}`;
  const words = error instanceof FirebreakError ? undefined : systemWords(error);
  const message = words === undefined ? error.message : `${words} (${error.message})`;
  const lines = [`${pc.red('firebreak:')} ${shown(message)}`];
  if (debug)
    lines.push(
      shown(error.stack ?? ''),
      ...(error.cause instanceof Error ? [`caused by: ${shown(error.cause.message)}`] : []),
    );
  else if (!(error instanceof FirebreakError) && words === undefined)
    lines.push('  (unexpected; run again with FIREBREAK_DEBUG=1 for details)');
  return lines.join('\n');
}

/** What another party answered may stand in a message; lines after its first are indented, so that none passes for ours. */
const shown = (message: string): string => message.split('\n').map(plain).join('\n  ');
