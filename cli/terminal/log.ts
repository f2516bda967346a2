/** Logs one can read: a line a fact on stderr, or JSON lines with FIREBREAK_LOG=json. */
import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Log, LogFields } from '../../protocol/log.js';
import { plain } from '../../protocol/plain-text.js';
import { stderrLines } from './stderr-lines.js';

/** What cannot be written stops nobody; how many lines that were stands behind the next one that is. */
export function consoleLog(room: string, format: string | undefined): Log {
  const lines = stderrLines();
  const inFormat = format === 'json' ? (line: string) => line : prettyFormat();
  let isWritten = true;
  const base = { base: { room }, timestamp: pino.stdTimeFunctions.isoTime };
  const logger = pino(base, { write: (line: string) => void (isWritten = lines.write(inFormat(line))) });
  const say = (level: keyof Log, message: string, fields: LogFields | undefined): void => {
    logger[level](inPlain(fields), message);
    const lost = isWritten ? lines.takeLost() : 0;
    if (lost > 0) logger.warn({ lines: lost }, 'lines of this log could not be written and are left out');
  };
  return {
    info: (message, fields) => say('info', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    error: (message, fields) => say('error', message, fields),
  };
}

const prettyFormat = () =>
  prettyFactory({
    colorize: process.stderr.isTTY,
    singleLine: true,
    ignore: 'room,pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
    messageFormat: '{room}: {msg}',
  });

/** Fields may hold what another party said. */
const inPlain = (fields: LogFields = {}): LogFields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? plain(value) : value]),
  );
