/** `firebreak gateway status`: is it well, what was heard, what was delivered. One screen. */
import pc from 'picocolors';
import { z } from 'zod';
import { plain } from '../../protocol/plain-text.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import type { ReadStatus } from '../files/status-file.js';
import { callOf } from '../terminal/how-called.js';
import { duration, localTime } from '../terminal/times.js';
import { count, counted } from './counts.js';
import { reasonsInWords, unreachable, waitedMs, waitingWords } from './delivery-words.js';
import { isWell, silence, WELL } from './heard-of.js';

/** Longer than a ledger that is well lets anything wait. */
const LONG_MS = 10 * 60_000;

/** What is optional or has a default, an earlier version did not write. */
export const gatewayStatusSchema = z.object({
  name: z.string(),
  clockMs: z.number(),
  whyCertificateUnread: z.string().optional(),
  gateway: z.object({
    gatewayId: z.string(),
    trouble: z.string().optional(),
    radioTrouble: z.string().optional(),
    whyNotKept: z.string().optional(),
    openSessions: z.number(),
    sessions: z.number(),
    turnedAway: z.number(),
    timedOut: z.number(),
    broken: z.number(),
    upSinceMs: z.number(),
    reportsAccepted: z.number(),
    reportsRefused: z.record(z.string(), z.number()),
    beaconsHeard: z.number(),
    tagsInReach: z.number(),
    presenceReported: z.number(),
    presenceLost: z.number(),
    presenceTooOld: z.number().default(0),
    certificateToDay: z.number(),
    isRevoked: z.boolean().default(false),
    statementDays: z.array(z.number()),
    sunsetDay: z.number().optional(),
    notices: z.number().default(0),
  }),
  courier: z.object({
    online: z.boolean(),
    offlineWhy: z.string().optional(),
    depth: z.number(),
    oldestUnsentMs: z.number().optional(),
    delivered: z.number(),
    refused: z.number(),
    parked: z.number(),
    keptAside: z.number(),
    keptAsideReasons: z.record(z.string(), z.number()).default({}),
    lastReceiptMs: z.number().optional(),
    /** Of an earlier version, by the wall clock. */
    lastReceiptWallMs: z.number().optional(),
    lastIndex: z.number().optional(),
  }),
});

type Status = z.infer<typeof gatewayStatusSchema>;

export function gatewayScreen(read: ReadStatus<Status>): string {
  const { status } = read;
  const { gateway } = status;
  const silent = silence(read);
  const then = silent === undefined ? '' : ' then';
  const refusals = reasonsInWords(gateway.reportsRefused);
  return [
    `${pc.bold(plain(status.name))}  ${silent === undefined ? '' : `${silent}; then: `}${verdict(status)}`,
    row(
      'time here',
      `${localTime(status.clockMs / 1000, true)}${then}, up since ${localTime(gateway.upSinceMs / 1000)}`,
    ),
    row(
      'air',
      `${counted(gateway.beaconsHeard, 'beacon')} heard, ${counted(gateway.tagsInReach, 'tag')} in reach${then}, ${counted(gateway.presenceReported, 'presence record')}${lostWords(gateway)}`,
    ),
    row(
      'sessions',
      `${count(gateway.sessions)} (${count(gateway.openSessions)} open${then}, ${count(gateway.turnedAway)} turned away, ${count(gateway.broken)} broken off, ${count(gateway.timedOut)} timed out)`,
    ),
    row(
      'reports',
      `${count(gateway.reportsAccepted)} accepted from tags since it started, ${refusals === '' ? 'none refused' : `refused: ${refusals}`}`,
    ),
    row('ledger', ledgerLine(status, then)),
    row('last receipt', lastReceiptLine(status, silent === undefined)),
    row('certificate', certificateLine(gateway)),
    row('day keys', dayKeysLine(status)),
    row('notices', gateway.notices > 0 ? `${gateway.notices} on offer to tags${then}` : 'none'),
    row('id', plain(gateway.gatewayId)),
  ].join('\n');
}

export const isGatewayWell = (read: ReadStatus<Status>): boolean => isWell(read, verdict);

function verdict(status: Status): string {
  const { gateway } = status;
  const { whyCertificateUnread: unread } = status;
  const troubles = [ledgerTrouble(status), unread && plain(unread)].filter((words) => words !== undefined);
  const besides = troubles.map((words) => `; ${words}`).join('');
  if (gateway.trouble !== undefined) {
    const why = `${plain(gateway.trouble)}${besides}`;
    return hasEnded(status)
      ? pc.yellow(`serves no tag, as planned: ${why}`)
      : pc.red(`serves no tag: ${why}`);
  }
  if (gateway.radioTrouble !== undefined)
    return pc.red(`not wholly on the air: ${plain(gateway.radioTrouble)}${besides}`);
  if (gateway.whyNotKept !== undefined)
    return pc.red(
      `could not keep the last report, its tag comes again: ${plain(gateway.whyNotKept)}${besides}`,
    );
  const ending = endingSoon(status);
  if (ending !== undefined) return pc.yellow(`serves tags until ${ending}${besides}`);
  if (troubles.length > 0) return pc.yellow(`serving tags${besides}`);
  return WELL;
}

/** Why what tags bring does not get into the ledger, and what to do; undefined when it does, or is about to. */
function ledgerTrouble(status: Status): string | undefined {
  const { clockMs, gateway, courier } = status;
  const { online, depth, parked, keptAside } = courier;
  if (!online) return `${unreachable(courier)}, reports wait on disk`;
  if (parked > 0) {
    const wait = `${reports(parked)} ${parked === 1 ? 'waits' : 'wait'}`;
    return gateway.isRevoked
      ? `${wait} for another try: those taken after it was revoked the ledger refuses again, and then they are kept aside; ${AFTER_REVOKED}`
      : `${wait} until the ledger has the certificate of this gateway: see that the authority runs and reaches the ledger`;
  }
  if (depth > 0 && waitedMs(courier, clockMs) > LONG_MS) {
    const isTaking = sinceReceiptMs(status) < LONG_MS;
    const waiting = waitingWords(reports(depth), courier, clockMs);
    return isTaking
      ? `the ledger is behind: ${waiting}`
      : `the ledger takes nothing: ${waiting}; ${callOf('ledger status')} says how it is`;
  }
  if (keptAside === 0) return undefined;
  const reasons = reasonsInWords(courier.keptAsideReasons);
  const refused = `the ledger refused ${reports(keptAside)} for good${reasons && ` (${reasons})`}`;
  if (gateway.isRevoked && (courier.keptAsideReasons['certificate'] ?? 0) > 0)
    return `${refused}, most likely taken after it was revoked: they stay on disk; once stopped, ${callOf('gateway refused')} lists them; ${AFTER_REVOKED}`;
  return `${refused}: see that the clock here is right, and tell whoever runs the ledger; once stopped, ${callOf('gateway refused')} lists them`;
}

const AFTER_REVOKED = 'README.md, “After it was revoked”, says how to go on';

/** When and why no tag will be served, and what to do about it; undefined while that is far off. */
function endingSoon(status: Status): string | undefined {
  const { name, gateway } = status;
  const keysEnd = keysEndOf(status);
  const sunset = sunsetOf(gateway);
  if (sunset <= endOf(gateway) && keysEnd <= sunset && leftSeconds(status, sunset) < DAY_SECONDS)
    return `${localTime(sunset)}, when this deployment ends, as firebreak.json has it`;
  if (keysEnd > 0 && keysEnd < Math.min(endOf(gateway), sunset) && leftSeconds(status, keysEnd) < DAY_SECONDS)
    return `${localTime(keysEnd)}, when its day keys end: the authority publishes them while it runs and the broker can be reached`;
  // The authority renews it as its last two days begin (orders/gateway-desk.ts).
  if (endOf(gateway) < sunset && leftSeconds(status, endOf(gateway)) <= 2 * DAY_SECONDS)
    return `${localTime(endOf(gateway))}, when its certificate ends: the authority renews it while it runs; from an authority on another machine bring gateways/${plain(name)}/certificate`;
  return undefined;
}

const leftSeconds = ({ clockMs }: Status, end: number): number => end - clockMs / 1000;

/** No room: forgeries, most likely, since no antenna hears so many tags. */
function lostWords({ presenceLost, presenceTooOld }: Status['gateway']): string {
  const lost = [
    ...(presenceLost > 0 ? [`${count(presenceLost)} lost: more at once than it can hold`] : []),
    ...(presenceTooOld > 0 ? [`${count(presenceTooOld)} too old when the gateway could report again`] : []),
  ];
  return lost.length > 0 ? ` (${lost.join('; ')})` : '';
}

/** Unix s. */
const endOf = ({ certificateToDay }: Status['gateway']): number => (certificateToDay + 1) * DAY_SECONDS;

/** Unix s: when the last day with keys ends, by plan. */
const sunsetOf = ({ sunsetDay = Infinity }: Status['gateway']): number => sunsetDay * DAY_SECONDS;

/** By plan; a sunset that the authority has moved to a later day is not believed. */
const hasEnded = (status: Status): boolean =>
  !status.gateway.isRevoked && status.clockMs / 1000 >= sunsetOf(status.gateway) && keysEndOf(status) === 0;

/** Unix s: the end of the last day from today on without a gap; 0 when today has no keys. */
function keysEndOf({ clockMs, gateway }: Status): number {
  const held = new Set(gateway.statementDays);
  const today = dayOf(clockMs / 1000);
  let day = today;
  while (held.has(day)) day += 1;
  return day > today ? day * DAY_SECONDS : 0;
}

/** 0 is for none that holds today. */
function certificateLine(gateway: Status['gateway']): string {
  if (gateway.isRevoked) return 'revoked by the authority';
  return gateway.certificateToDay > 0 ? `holds until ${localTime(endOf(gateway))}` : 'none that holds today';
}

function dayKeysLine(status: Status): string {
  const end = keysEndOf(status);
  return `${status.gateway.statementDays.length} held, ${end > 0 ? `until ${localTime(end)}` : 'none for today'}`;
}

function ledgerLine({ clockMs, gateway, courier }: Status, then: string): string {
  const waits =
    courier.oldestUnsentMs === undefined
      ? ''
      : `, the oldest for ${ago(clockMs - courier.oldestUnsentMs)}${then}`;
  const why = gateway.isRevoked
    ? 'of them refused until now'
    : 'until the ledger takes this gateway’s certificate';
  const parked = courier.parked > 0 ? ` (${count(courier.parked)} ${why})` : '';
  return `${count(courier.delivered)} delivered and receipted since it started, ${refusedWords(courier)}, ${count(courier.depth)} waiting${parked}${waits}`;
}

/** Those kept on disk outlive a start, and of more than it keeps the newest stay (courier/spool.ts). */
function refusedWords({ refused, keptAside, keptAsideReasons }: Status['courier']): string {
  const all = `${count(Math.max(refused, keptAside))} refused`;
  if (keptAside === 0) return all;
  const reasons = reasonsInWords(keptAsideReasons);
  const kept = refused > keptAside ? `the newest ${count(keptAside)} kept on disk` : 'kept on disk';
  return `${all} (${reasons && `${reasons}; `}${kept})`;
}

/** When it came, where the status is not of now: "ago" would be that long before what it says. */
function lastReceiptLine(status: Status, isOfNow: boolean): string {
  const { lastReceiptMs, lastIndex } = status.courier;
  const sinceMs = sinceReceiptMs(status);
  if (sinceMs === Infinity) return 'none yet';
  const isAgo = isOfNow || lastReceiptMs === undefined;
  const when = isAgo ? `${ago(sinceMs)} ago` : localTime(lastReceiptMs / 1000);
  return lastIndex === undefined ? when : `${when}, entry ${count(lastIndex)}`;
}

/** Deployment ms from the newest receipt to the status; Infinity when there was none. */
function sinceReceiptMs({ clockMs, courier: { lastReceiptMs, lastReceiptWallMs } }: Status): number {
  if (lastReceiptMs !== undefined) return clockMs - lastReceiptMs;
  return lastReceiptWallMs === undefined ? Infinity : Date.now() - lastReceiptWallMs;
}

const reports = (number: number): string => counted(number, 'report');
const ago = (ms: number): string => duration(Math.max(0, ms) / 1000);
const row = (name: string, text: string): string => `  ${pc.dim(name.padEnd(13))}${text}`;
