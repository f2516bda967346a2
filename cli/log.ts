/** Logs one can read: a line a fact on stderr, or JSON lines with FIREBREAK_LOG=json. */
import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { Log } from '../protocol/log.js';

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
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  };
}
