/** `firebreak tag status`: is it well, what was heard, delivered, warned. One screen, for whoever wears it. */
import pc from 'picocolors';
import { z } from 'zod';
import { plain } from '../../protocol/plain-text.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import type { ReadStatus } from '../files/status-file.js';
import { localTime } from '../terminal/times.js';
import { count, counted } from './counts.js';
import { isWell, silence, WELL } from './heard-of.js';

export const tagStatusSchema = z.object({
  isOnAir: z.boolean(),
  isClockLost: z.boolean(),
  isDiskFailing: z.boolean().default(false),
  radioTrouble: z.string().optional(),
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
  resumesDay: z.number().optional(),
  lapsedDay: z.number().optional(),
  lastRefusal: z.string().optional(),
  warnings: z.array(z.object({ day: z.number(), number: z.number(), code: z.number() })),
  sessions: z.number(),
  failedSessions: z.number(),
  /** What it stopped for, unless it was told to. */
  endedWhy: z.string().optional(),
});

type Status = z.infer<typeof tagStatusSchema>;

export function tagScreen(number: number, read: ReadStatus<Status>): string {
  const { status } = read;
  const silent = silence(read);
  return [
    `${pc.bold(`tag ${number}`)}  ${silent === undefined ? '' : `${silent}; then: `}${verdict(status)}`,
    row('warned', warned(status)),
    row('time here', localTime(status.timeMs / 1000, true)),
    row(
      'heard',
      `${counted(status.heard, 'beacon')}, ${counted(status.open, 'encounter')} under way, ${count(status.logged)} noted${spoilt(status)}`,
    ),
    row(
      'delivered',
      `${counted(status.delivered, 'encounter')} in ${counted(status.reports, 'report')}, ${count(status.waiting)} waiting${lost(status)}`,
    ),
    row(
      'gateways',
      `${counted(status.sessions, 'session')}, ${count(status.failedSessions)} broken off${refusal(status)}`,
    ),
    row('credentials', credentials(status)),
  ].join('\n');
}

export const isTagWell = (read: ReadStatus<Status>): boolean => isWell(read, verdict);

function verdict(status: Status): string {
  if (status.endedWhy !== undefined) return pc.red(plain(status.endedWhy));
  if (status.isDiskFailing) return pc.red('its disk takes nothing: make room, or replace it');
  if (status.radioTrouble !== undefined)
    return pc.red(`not wholly on the air: ${plain(status.radioTrouble)}`);
  if (status.isClockLost)
    return pc.yellow('its clock is lost; the next gateway sets it, or its authority in two hours');
  if (!status.isOnAir && status.coveredThroughDay !== undefined)
    return pc.yellow(
      'silent: its clock was set back, and it sends nothing twice; it goes on when that time is past',
    );
  if (!status.isOnAir) return pc.yellow('silent: it has no credentials for now');
  return WELL;
}

function warned({ warnings }: Status): string {
  const [newest, ...older] = [...warnings].sort((a, b) => b.number - a.number);
  if (newest === undefined) return 'no warning';
  const before = older.length > 0 ? `; ${older.length} before it` : '';
  return pc.red(
    `yes, on ${utcDay(newest.day)} (UTC day): ${WARNED} (notice ${newest.number}, code ${newest.code}${before})`,
  );
}

const WARNED = 'you may have been near someone who fell ill. Ask your health authority what to do';
/** "Mon, 02 Mar 2026" */
const utcDay = (day: number): string => new Date(day * DAY_SECONDS * 1000).toUTCString().slice(0, 16);

const lost = ({ dropped }: Status): string => (dropped > 0 ? `, ${count(dropped)} lost` : ', none lost');
const spoilt = ({ spoilt: notes }: Status): string =>
  notes > 0 ? `; ${counted(notes, 'note')} spoilt on disk` : '';
/** A report that a gateway had no time for is refused, and taken later: refusals are counted, not reports. */
function refusal({ refused, lastRefusal }: Status): string {
  if (refused === 0) return '';
  return `; refused ${counted(refused, 'time')}, ${lastRefusal === undefined ? 'taken since' : `last for ${plain(lastRefusal)}`}`;
}

function credentials({ coveredThroughDay, resumesDay, lapsedDay }: Status): string {
  if (coveredThroughDay !== undefined) return `until ${localTime((coveredThroughDay + 1) * DAY_SECONDS)}`;
  if (resumesDay !== undefined)
    return `none for today; on the air again on ${localTime(resumesDay * DAY_SECONDS)}`;
  if (lapsedDay === undefined) return 'none for today';
  const endedAt = localTime((lapsedDay + 1) * DAY_SECONDS);
  return `ended ${endedAt}: it needs the desk once, see docs/hardware.md`;
}

const row = (name: string, text: string): string => `  ${pc.dim(name.padEnd(13))}${text}`;
