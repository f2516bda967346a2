/** `firebreak tag status`: is it well, what was heard, delivered, warned. One screen, for whoever wears it. */
import pc from 'picocolors';
import { z } from 'zod';
import { plain } from '../../protocol/plain-text.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import type { ReadStatus } from '../status-file.js';
import { duration, localTime } from '../times.js';

export const tagStatusSchema = z.object({
  isOnAir: z.boolean(),
  isClockLost: z.boolean(),
  isDiskFailing: z.boolean().default(false),
  timeMs: z.number(),
  heard: z.number(),
  logged: z.number(),
  delivered: z.number(),
  reports: z.number(),
  refused: z.number(),
  open: z.number(),
  waiting: z.number(),
  dropped: z.number(),
  spoilt: z.number().default(0),
  coveredThroughDay: z.number().optional(),
  lapsedDay: z.number().optional(),
  lastRefusal: z.string().optional(),
  warnings: z.array(z.object({ day: z.number(), number: z.number(), code: z.number() })),
  sessions: z.number(),
  failedSessions: z.number(),
});

type Status = z.infer<typeof tagStatusSchema>;

export function tagScreen(number: number, { isRunning, ageMs, status }: ReadStatus<Status>): string {
  return [
    `${pc.bold(`tag ${number}`)}  ${verdict(isRunning, ageMs, status)}`,
    row('warned', warned(status)),
    row('time here', localTime(status.timeMs / 1000, true)),
    row(
      'heard',
      `${status.heard} beacons, ${status.open} encounters under way, ${status.logged} noted${spoilt(status)}`,
    ),
    row(
      'delivered',
      `${status.delivered} encounters in ${status.reports} reports, ${status.waiting} waiting${lost(status)}`,
    ),
    row('gateways', `${status.sessions} sessions, ${status.failedSessions} broken off${refusal(status)}`),
    row('credentials', credentials(status)),
  ].join('\n');
}

function verdict(isRunning: boolean, ageMs: number, status: Status): string {
  if (!isRunning) return pc.red(`not running; last seen ${duration(ageMs / 1000)} ago`);
  if (status.isDiskFailing) return pc.red('its disk takes nothing: make room, or replace it');
  if (status.isClockLost)
    return pc.yellow('its clock is lost; the next gateway sets it, or its authority in two hours');
  if (!status.isOnAir) return pc.yellow('silent: it has no credentials for now');
  return pc.green('well');
}

function warned({ warnings }: Status): string {
  const [newest] = [...warnings].sort((a, b) => b.number - a.number);
  if (newest === undefined) return 'no warning';
  return pc.red(
    `yes: notice ${newest.number}, code ${newest.code}, of ${localTime(newest.day * DAY_SECONDS)}`,
  );
}

const lost = ({ dropped }: Status): string => (dropped > 0 ? `, ${dropped} lost` : ', none lost');
const spoilt = ({ spoilt: notes }: Status): string =>
  notes > 0 ? `; ${notes} notes were spoilt on disk` : '';
const refusal = ({ refused, lastRefusal }: Status): string =>
  refused > 0 ? `; ${refused} reports refused, last for ${plain(lastRefusal ?? 'no reason')}` : '';

function credentials({ coveredThroughDay, lapsedDay }: Status): string {
  if (coveredThroughDay !== undefined)
    return `until the end of ${localTime((coveredThroughDay + 1) * DAY_SECONDS)}`;
  if (lapsedDay === undefined) return 'none for today';
  const endedAt = localTime((lapsedDay + 1) * DAY_SECONDS);
  return `ended ${endedAt}: it needs the desk once, see docs/hardware.md`;
}

const row = (name: string, text: string): string => `  ${pc.dim(name.padEnd(13))}${text}`;
