/**
 * A log for lines that strangers can cause, as often as they like. Of each kind the first few in an hour are written, and then
 * the 16th, 32nd, 64th … of that hour. How many were left out stands on the next one that is written, and in a line of its own
 * when the hour is over or the log is closed.
 *
 * Of one kind are lines of one level, message and `why`; past 32 kinds in an hour `why` no longer counts, which others may word.
 */
import type { Log, LogFields } from '../protocol/log.js';

const ALL_OF_THE_FIRST = 8;
const MAX_KINDS = 32;
const HOUR_MS = 3_600_000;

/** Whether the `count`th of what goes on and on is told: the 1st, 2nd, 4th, 8th …. */
export const isToldByDoubling = (count: number): boolean => Number.isInteger(Math.log2(count));

type Level = keyof Log;

/** Lines of one kind since its hour began. */
interface Kind {
  readonly level: Level;
  readonly message: string;
  readonly why: LogFields[string];
  count: number;
  leftOut: number;
  readonly timer: NodeJS.Timeout;
}

export class LimitedLog implements Log {
  readonly #log: Log;
  readonly #kinds = new Map<string, Kind>();

  constructor(log: Log) {
    this.#log = log;
  }

  info(message: string, fields?: LogFields): void {
    this.#say('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#say('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#say('error', message, fields);
  }

  /** Says how much was left out that it did not say yet. */
  close(): void {
    for (const name of this.#kinds.keys()) this.#endHour(name);
  }

  #say(level: Level, message: string, fields: LogFields | undefined): void {
    const kind = this.#kindOf(level, message, fields?.['why']);
    kind.count += 1;
    if (kind.count > ALL_OF_THE_FIRST && !isToldByDoubling(kind.count)) {
      kind.leftOut += 1;
      return;
    }
    const { leftOut } = kind;
    kind.leftOut = 0;
    this.#log[level](message, leftOut > 0 ? { ...fields, leftOut } : fields);
  }

  #kindOf(level: Level, message: string, why: LogFields[string]): Kind {
    const name = JSON.stringify([level, message, why]);
    const known = this.#kinds.get(name);
    if (known !== undefined) return known;
    if (why !== undefined && this.#kinds.size >= MAX_KINDS) return this.#kindOf(level, message, undefined);
    const timer = setTimeout(() => this.#endHour(name), HOUR_MS).unref();
    const kind = { level, message, why, count: 0, leftOut: 0, timer };
    this.#kinds.set(name, kind);
    return kind;
  }

  #endHour(name: string): void {
    const kind = this.#kinds.get(name);
    if (kind === undefined) return;
    this.#kinds.delete(name);
    clearTimeout(kind.timer);
    const { level, message: of, why, leftOut } = kind;
    if (leftOut > 0)
      this.#log[level]('lines were left out', { of, ...(why !== undefined && { why }), leftOut });
  }
}
