/** Times as people type and read them. */
import { usage } from './exit.js';

const DATE_AND_TIME = /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** Whether it is a day of the calendar, such as "2026-03-02". */
export function isDate(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00Z`) : NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text); // 30 February would be 2 March
}

/**
 * Unix seconds from digits or an ISO date ("2023-11-15", "2023-11-15T08:00", "…Z", "…+01:00"). A bare date is local midnight.
 * Throws `usage` for a day that does not exist, and for one without its dashes ("20231115"), which would be a time of 1970.
 */
export function parseTime(text: string, option: string): number {
  if (/^(19|20)\d{6}$/.test(text)) throw withoutDashes(text, option);
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const [, date = ''] = DATE_AND_TIME.exec(text) ?? [];
  if (isDate(date)) {
    const ms = Date.parse(text.includes(':') ? text.replace(' ', 'T') : `${text}T00:00`);
    if (!Number.isNaN(ms)) return Math.floor(ms / 1000);
  }
  throw usage(
    `${option} must be unix seconds or an ISO date such as 2026-03-02 or 2026-03-02T08:30, not “${text}”`,
  );
}

function withoutDashes(text: string, option: string): Error {
  const date = text.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
  return usage(
    `${option}: ${text} would be a time of 1970; for a day, write ${isDate(date) ? date : '2026-03-02'}`,
  );
}

const DAY_AND_TIME: Intl.DateTimeFormatOptions = {
  weekday: 'short',
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
};
const withZone = new Intl.DateTimeFormat('en-GB', { ...DAY_AND_TIME, timeZoneName: 'short' });
const withoutZone = new Intl.DateTimeFormat('en-GB', DAY_AND_TIME);
const clockOnly = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const dayOnly = new Intl.DateTimeFormat('en-CA');

/** "Wed, 15 Nov 2023, 09:13" in the reader's zone; `zone` adds its name. Of a number that is no time the number itself. */
export function localTime(unixSeconds: number, zone = false): string {
  if (Number.isNaN(new Date(unixSeconds * 1000).getTime())) return `${unixSeconds} s after 1970`;
  return (zone ? withZone : withoutZone).format(unixSeconds * 1000);
}

/** "Wed, 15 Nov 2023, 09:13–09:41", with both days where it spans midnight, and the minute once where it begins and ends in it. */
export function localSpan(start: number, end: number): string {
  const sameDay = dayOnly.format(start * 1000) === dayOnly.format(end * 1000);
  const until = sameDay ? clockOnly.format(end * 1000) : localTime(end);
  return localTime(start) === localTime(end) ? localTime(start) : `${localTime(start)}–${until}`;
}

/** The zone times are shown in, e.g. "Europe/Paris". */
export const localZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** "2023-11-15T08:13:20Z": every party reads the same. Of a number that is no time the number itself. */
export function utc(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  return Number.isNaN(date.getTime()) ? `${unixSeconds} s` : date.toISOString().replace('.000Z', 'Z');
}

/** "20 min", "1 h 05 min", "40 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
