/** What retention has ended and will end, in lines for a person. Days and times are UTC, as the protocol counts them. */
import type { AuthorityStatus } from '../../authority/authority.js';
import type { EndedDay } from '../../authority/days/retention-book.js';
import type { PrunedPayload } from '../../protocol/tlog/ledger-reader.js';
import type { DayRecord } from '../../ledger/store/day-record.js';
import type { PrunedCount } from '../../ledger/verify/verify-pruned.js';
import { fromHex, toHex } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';
import { plain } from '../../protocol/plain-text.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import { callOf } from '../terminal/how-called.js';
import { count, counted } from './counts.js';
import { LEDGER_STATE } from './show-notices.js';
import type { EndingDay, RetentionPlan } from '../days/retention-plan.js';

/** "2026-03-02" of day 20514; the number itself where it is no date. */
export function dateOf(day: number): string {
  const date = new Date(day * DAY_SECONDS * 1000);
  return Number.isNaN(date.getTime()) ? `day ${day}` : date.toISOString().slice(0, 10);
}

const dateOfMs = (ms: number): string => dateOf(Math.floor(ms / 1000 / DAY_SECONDS));

export const prunedLine = ({ day, payloads, prunedAtMs, prunedBy }: PrunedCount): string =>
  `${counted(payloads, 'payload')} of ${dateOf(day)} pruned on ${dateOfMs(prunedAtMs)}, as entry ${prunedBy} says`;

export const prunedPayloadLine = ({ day, prunedAtMs, prunedBy }: PrunedPayload): string =>
  `  its payload, of ${dateOf(day)}, was pruned on ${dateOfMs(prunedAtMs)} by entry ${prunedBy}; the proof holds without it`;

export const prunedReportsLine = (reports: number): string =>
  `${counted(reports, 'report is', 'reports are')} of days that left the retention window: pruned, and no part of the answer`;

/** "12 payloads, 3.4 MB" */
const amountOf = (payloads: number, bytes: number): string =>
  `${counted(payloads, 'payload')}, ${bytes < 1e6 ? counted(bytes, 'byte') : `${(bytes / 1e6).toFixed(1)} MB`}`;

export function planLines({ oldest, retentionDays, days, unknown, unasked }: RetentionPlan): string[] {
  const isNothing = days.length + unknown.length === 0;
  const lines = [
    `the window is ${counted(retentionDays, 'day')}: what is older than ${dateOf(oldest)} goes, a day with its keys (3 each) and payloads`,
    ...days.map((day) => `  ${dayLine(day, unasked === undefined)}`),
    ...(isNothing ? ['  nothing: no older day has keys, or payloads that can be pruned'] : []),
  ];
  if (unknown.length > 0) {
    const named = unknown.map(dateOf).join(', ');
    lines.push(
      `  the log does not say yet that the keys of ${named} are destroyed: the authority tells it, of days it had keys for, and their payloads go then`,
    );
  }
  if (unasked) lines.push('  the ledger cannot be asked, so how much it stores of them is not known');
  return lines;
}

function dayLine({ day, hasKeys, payloads, payloadBytes }: EndingDay, isLedgerKnown: boolean): string {
  const keys = hasKeys ? '3 keys' : 'keys destroyed already';
  return `${dateOf(day)}  ${keys}${isLedgerKnown ? `; ${amountOf(payloads, payloadBytes)}` : ''}`;
}

/** How the days of a plan ended. */
export function endedLines({ days, unknown }: RetentionPlan, ended: readonly EndedDay[]): string[] {
  const lineOf = (day: number, otherwise: string): string => {
    const end = ended.find((one) => one.day === day);
    return `  ${dateOf(day)}  ${end === undefined ? otherwise : endLine(end)}`;
  };
  return [
    ...days.map(({ day }) => lineOf(day, 'not ended: see the log of the authority')),
    ...unknown.map((day) => lineOf(day, 'payloads stay: the authority knows of no keys of that day')),
  ];
}

const endLine = ({ prunedBy }: EndedDay): string =>
  prunedBy === undefined
    ? `keys destroyed; the ledger has not pruned its payloads yet; ${callOf('authority run')} goes on with it`
    : `keys destroyed; payloads pruned by entry ${prunedBy}`;

export interface Removal {
  /** Whether waiting longer tells nothing more. */
  readonly isSettled: boolean;
  readonly line: string;
}

/** What became of the payloads of days that ended, by what the ledger stores of each; `undefined` when it cannot be asked. */
export function removalOf(ended: readonly number[], stored: readonly DayRecord[] | undefined): Removal {
  if (stored === undefined)
    return { isSettled: true, line: 'the ledger cannot be asked now; it removes payloads while it runs' };
  const left = stored.filter(({ day, pruned }) => ended.includes(day) && pruned?.removed !== true);
  if (left.length === 0)
    return { isSettled: true, line: 'the ledger has removed the payloads from its files' };
  const handedOut = left.filter(({ payloads, pruned }) => payloads > 0 && pruned === undefined);
  if (handedOut.length > 0)
    return {
      isSettled: false,
      line: `the ledger still hands out the payloads of ${counted(handedOut.length, 'day')}: it has not pruned them yet`,
    };
  return {
    isSettled: false,
    line: `the ledger hands these payloads out no more, and is still removing those of ${counted(left.length, 'day')} from its files`,
  };
}

/** `today` is a day of deployment time. */
export function statusLines(status: AuthorityStatus, today: number): string[] {
  const { days, ended, sunsetDay, gateways, enrolledTags } = status;
  const unpruned = ended.filter(({ prunedBy }) => prunedBy === undefined).length;
  return [
    `${counted(enrolledTags, 'tag')} enrolled, ${gatewayCounts(gateways, today)}`,
    ...gatewayLines(gateways, today),
    keyDaysLine(days),
    `${counted(ended.length, 'day has ended', 'days have ended')}${unpruned > 0 ? `; the payloads of ${count(unpruned)} of them are not pruned yet` : ''}`,
    sunsetLine(sunsetDay),
  ];
}

function gatewayCounts(gateways: AuthorityStatus['gateways'], today: number): string {
  const unrevoked = gateways.filter(({ revokedFromMs }) => revokedFromMs === null);
  const past = unrevoked.filter(({ toDay }) => toDay < today).length;
  const revoked = gateways.length - unrevoked.length;
  return [
    `${counted(unrevoked.length - past, 'gateway')} certified`,
    ...(past > 0 ? [`${count(past)} whose certificate ended`] : []),
    ...(revoked > 0 ? [`${count(revoked)} revoked`] : []),
  ].join(', ');
}

/** By name; the ID is what a trace, a cluster and `authority revoke` name a gateway by. */
export function gatewayLines(gateways: AuthorityStatus['gateways'], today: number): string[] {
  const width = Math.max(...gateways.map(({ name }) => name.length));
  return gateways
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, publicKey, toDay, revokedFromMs, revocation = 'logged' }) => {
      const id = toHex(partyIdOf(fromHex(publicKey)));
      const certified = `${toDay < today ? 'certificate ended with' : 'certified through'} ${dateOf(toDay)}`;
      const revoked = (fromMs: number) => `revoked on ${dateOfMs(fromMs)}${LEDGER_STATE[revocation]}`;
      const state = revokedFromMs === null ? certified : revoked(revokedFromMs);
      return `  ${plain(name).padEnd(width)}  ${id}  ${state}`;
    });
}

export function keyDaysLine(days: readonly number[]): string {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return 'no day has keys';
  return `${counted(days.length, 'day has keys', 'days have keys')}, ${dateOf(first)} to ${dateOf(last)}`;
}

export const sunsetLine = (sunsetDay: number | undefined): string =>
  sunsetDay === undefined
    ? 'no last day of tracing is set (sunset in firebreak.json)'
    : `tracing ends with ${dateOf(sunsetDay - 1)}: no keys are made, and no tag is enrolled or renewed, for later days`;
