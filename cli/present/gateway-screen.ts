/** `firebreak gateway status`: is it well, what was heard, what was delivered. One screen. */
import pc from 'picocolors';
import { z } from 'zod';
import { plain } from '../../protocol/plain-text.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import type { ReadStatus } from '../status-file.js';
import { duration, localTime } from '../times.js';

export const gatewayStatusSchema = z.object({
  name: z.string(),
  clockMs: z.number(),
  gateway: z.object({
    gatewayId: z.string(),
    trouble: z.string().optional(),
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
    hasNotice: z.boolean(),
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

export function gatewayScreen({ isRunning, ageMs, status }: ReadStatus<Status>): string {
  const { gateway, courier } = status;
  const refusals = Object.entries(gateway.reportsRefused).map(
    ([reason, count]) => `${count} ${plain(reason)}`,
  );
  return [
    `${pc.bold(plain(status.name))}  ${verdict(isRunning, ageMs, status)}`,
    row(
      'time here',
      `${localTime(status.clockMs / 1000, true)}, up since ${localTime(gateway.upSinceMs / 1000)}`,
    ),
    row(
      'air',
      `${gateway.beaconsHeard} beacons heard, ${gateway.tagsInReach} tags in reach, ${gateway.presenceReported} presence records${lostWords(gateway)}`,
    ),
    row(
      'sessions',
      `${gateway.sessions} (${gateway.openSessions} open, ${gateway.turnedAway} turned away, ${gateway.broken} broken off, ${gateway.timedOut} timed out)`,
    ),
    row(
      'reports',
      `${gateway.reportsAccepted} accepted, ${refusals.length > 0 ? `refused ${refusals.join(', ')}` : 'none refused'}`,
    ),
    row('ledger', ledgerLine(status)),
    row(
      'last receipt',
      courier.lastReceiptWallMs === undefined
        ? 'none yet'
        : `${ago(Date.now() - courier.lastReceiptWallMs)} ago`,
    ),
    row('certificate', `holds until the end of ${localTime((gateway.certificateToDay + 1) * DAY_SECONDS)}`),
    row('day keys', `${gateway.statementDays.length} held`),
    row('notices', gateway.hasNotice ? 'one on offer to tags' : 'none'),
    row('id', plain(gateway.gatewayId)),
  ].join('\n');
}

function verdict(isRunning: boolean, ageMs: number, { gateway, courier }: Status): string {
  if (!isRunning) return pc.red(`not running; last seen ${ago(ageMs)} ago`);
  const offline = courier.online ? '' : '; the ledger cannot be reached';
  if (gateway.trouble !== undefined) return pc.red(`serves no tag: ${plain(gateway.trouble)}${offline}`);
  if (!courier.online) return pc.yellow('serving tags; the ledger cannot be reached, reports wait on disk');
  return pc.green('well');
}

/** Forgeries, most likely: no antenna hears so many tags. */
const lostWords = ({ presenceLost }: Status['gateway']): string =>
  presenceLost > 0 ? ` (${presenceLost} lost: more at once than it can hold)` : '';

function ledgerLine({ clockMs, courier }: Status): string {
  const waits =
    courier.oldestUnsentMs === undefined ? '' : `, the oldest for ${ago(clockMs - courier.oldestUnsentMs)}`;
  const parked =
    courier.parked > 0 ? ` (${courier.parked} until the ledger takes this gateway's certificate)` : '';
  const aside = courier.keptAside > 0 ? ` (${courier.keptAside} kept on disk as evidence)` : '';
  return `${courier.delivered} delivered and receipted, ${courier.refused} refused${aside}, ${courier.depth} waiting${parked}${waits}`;
}

const ago = (ms: number): string => duration(Math.max(0, ms) / 1000);
const row = (name: string, text: string): string => `  ${pc.dim(name.padEnd(13))}${text}`;
