/** Logs one can read: a line a fact on stderr, or JSON lines with FIREBREAK_LOG=json. */
import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { Log, LogFields } from '../protocol/log.js';
import { plain } from '../protocol/plain-text.js';

export function consoleLog(room: string, format: string | undefined): Log {
  const base = { base: { room }, timestamp: pino.stdTimeFunctions.isoTime };
  const logger =
    format === 'json'
      ? pino(base, pino.destination({ dest: 2, sync: true }))
      : pino(
          base,
          pretty({
            destination: 2,
            sync: true,
            colorize: process.stderr.isTTY,
            singleLine: true,
            ignore: 'room,pid,hostname',
            translateTime: 'SYS:HH:MM:ss',
            messageFormat: '{room}: {msg}',
          }),
        );
  return {
    info: (message, fields) => logger.info(inPlain(fields), message),
    warn: (message, fields) => logger.warn(inPlain(fields), message),
    error: (message, fields) => logger.error(inPlain(fields), message),
  };
}

/** Fields may hold what another party said. */
const inPlain = (fields: LogFields = {}): LogFields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? plain(value) : value]),
  );
