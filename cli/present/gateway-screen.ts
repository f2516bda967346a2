/** `firebreak gateway status`: is it well, what was heard, what was delivered. One screen. */
import pc from 'picocolors';
import { z } from 'zod';
import { plain } from '../../protocol/plain-text.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import type { ReadStatus } from '../files/status-file.js';
import { duration, localTime } from '../terminal/times.js';
import { count, counted } from './counts.js';
import { silence } from './heard-of.js';

export const gatewayStatusSchema = z.object({
  name: z.string(),
  clockMs: z.number(),
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
    certificateToDay: z.number(),
    statementDays: z.array(z.number()),
    notices: z.number().default(0),
  }),
  courier: z.object({
    online: z.boolean(),
    depth: z.number(),
    oldestUnsentMs: z.number().optional(),
    delivered: z.number(),
    refused: z.number(),
    parked: z.number(),
    keptAside: z.number(),
    lastReceiptWallMs: z.number().optional(),
  }),
});

type Status = z.infer<typeof gatewayStatusSchema>;

export function gatewayScreen(read: ReadStatus<Status>): string {
  const { status } = read;
  const { gateway, courier } = status;
  const silent = silence(read);
  const then = silent === undefined ? '' : ' then';
  const refusals = Object.entries(gateway.reportsRefused).map(
    ([reason, times]) => `${count(times)} ${plain(reason)}`,
  );
  return [
    `${pc.bold(plain(status.name))}  ${silent ?? verdict(status)}`,
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
      `${count(gateway.reportsAccepted)} accepted, ${refusals.length > 0 ? `refused ${refusals.join(', ')}` : 'none refused'}`,
    ),
    row('ledger', ledgerLine(status)),
    row(
      'last receipt',
      courier.lastReceiptWallMs === undefined
        ? 'none yet'
        : `${ago(Date.now() - courier.lastReceiptWallMs)} ago`,
    ),
    row('certificate', certificateLine(gateway)),
    row('day keys', `${gateway.statementDays.length} held`),
    row('notices', gateway.notices > 0 ? `${gateway.notices} on offer to tags${then}` : 'none'),
    row('id', plain(gateway.gatewayId)),
  ].join('\n');
}

function verdict(status: Status): string {
  const { gateway, courier } = status;
  const offline = courier.online ? '' : '; the ledger cannot be reached';
  if (gateway.trouble !== undefined) return pc.red(`serves no tag: ${plain(gateway.trouble)}${offline}`);
  if (gateway.radioTrouble !== undefined)
    return pc.red(`not wholly on the air: ${plain(gateway.radioTrouble)}${offline}`);
  if (gateway.whyNotKept !== undefined)
    return pc.red(
      `could not keep the last report, its tag comes again: ${plain(gateway.whyNotKept)}${offline}`,
    );
  if (endsSoon(status)) {
    const end = localTime(endOf(gateway));
    return pc.yellow(
      `serves tags until ${end}, when its certificate ends: the authority renews it while it runs; from an authority on another machine bring gateways/${plain(status.name)}/certificate${offline}`,
    );
  }
  if (!courier.online) return pc.yellow('serving tags; the ledger cannot be reached, reports wait on disk');
  return pc.green('well');
}

/** Forgeries, most likely: no antenna hears so many tags. */
const lostWords = ({ presenceLost }: Status['gateway']): string =>
  presenceLost > 0 ? ` (${count(presenceLost)} lost: more at once than it can hold)` : '';

/** Unix s. */
const endOf = ({ certificateToDay }: Status['gateway']): number => (certificateToDay + 1) * DAY_SECONDS;

/** In its last two days; the authority renews it as they begin (orders/gateway-desk.ts). */
const endsSoon = ({ clockMs, gateway }: Status): boolean =>
  endOf(gateway) - clockMs / 1000 <= 2 * DAY_SECONDS;

/** 0 is for none that holds today. */
const certificateLine = (gateway: Status['gateway']): string =>
  gateway.certificateToDay > 0 ? `holds until ${localTime(endOf(gateway))}` : 'none that holds today';

function ledgerLine({ clockMs, courier }: Status): string {
  const waits =
    courier.oldestUnsentMs === undefined ? '' : `, the oldest for ${ago(clockMs - courier.oldestUnsentMs)}`;
  const parked =
    courier.parked > 0 ? ` (${count(courier.parked)} until the ledger takes this gateway's certificate)` : '';
  const aside = courier.keptAside > 0 ? ` (${count(courier.keptAside)} kept on disk as evidence)` : '';
  return `${count(courier.delivered)} delivered and receipted, ${count(courier.refused)} refused${aside}, ${count(courier.depth)} waiting${parked}${waits}`;
}

const ago = (ms: number): string => duration(Math.max(0, ms) / 1000);
const row = (name: string, text: string): string => `  ${pc.dim(name.padEnd(13))}${text}`;
