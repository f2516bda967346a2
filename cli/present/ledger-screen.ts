/** `firebreak ledger status`: is it well, what do readers see, and who of the witnesses does not cosign. One screen. */
import pc from 'picocolors';
import { z } from 'zod';
import type { LedgerStatus } from '../../ledger/ledger.js';
import { refusalOf } from '../../protocol/errors.js';
import { plain } from '../../protocol/plain-text.js';
import type { ReadStatus } from '../files/status-file.js';
import { clockDoubtLine } from './clock-doubt.js';
import { duration, localTime } from '../terminal/times.js';
import { count, counted } from './counts.js';
import { isWell, silence, WELL } from './heard-of.js';

/** Two clocks may be apart by as much. */
const MAX_AHEAD_MS = 60_000;

const witness = z.object({
  name: z.string(),
  cosignedSize: z.number().optional(),
  cosignedAtSeconds: z.number().optional(),
  failure: z.string().optional(),
});

const externalBroker = z.object({
  url: z.string(),
  isConnected: z.boolean(),
  sinceMs: z.number().optional(),
  failure: z.string().optional(),
  receiptFailure: z.string().optional(),
});

export const ledgerStatusSchema = z.object({
  origin: z.string(),
  size: z.number(),
  gateways: z.number(),
  connectedGateways: z.number().optional(),
  pendingBatches: z.number(),
  /** Batches refused as a whole, by reason. */
  refused: z.record(z.string(), z.number()).default({}),
  daysToRemove: z.number().default(0),
  removalFailure: z.string().optional(),
  failure: z.string().optional(),
  checkFailure: z.string().optional(),
  clockDoubt: z.object({ clockMs: z.number(), newestMs: z.number() }).optional(),
  broker: externalBroker.optional(),
  publication: z.object({
    size: z.number(),
    quorum: z.string().optional(),
    failure: z.string().optional(),
    witnesses: z.array(witness),
  }),
});

type Status = z.infer<typeof ledgerStatusSchema>;

/** A broker of somebody else, through which the ledger hears its writers. */
export interface ExternalBrokerStatus {
  readonly url: string;
  readonly isConnected: boolean;
  /** Since when it is or is not, in wall ms. */
  readonly sinceMs: number;
  /** Why not. */
  readonly failure: string | undefined;
  /** Why receipts do not reach their writers. */
  readonly receiptFailure: string | undefined;
}

/** How the writers of a ledger reach it. */
export interface Hearing {
  /** How many gateways are connected to the ledger's own broker; one of somebody else does not say. */
  readonly connectedGateways?: number;
  readonly broker?: ExternalBrokerStatus;
}

/** What of the status goes to the status file. */
export function ledgerStatusOf(status: LedgerStatus, hearing: Hearing = {}): Status {
  const refused = Object.fromEntries(
    [...status.refusedBatches].map(
      ([number, count]) => [refusalOf(number) ?? String(number), count] as const,
    ),
  );
  return ledgerStatusSchema.parse({ ...status, ...hearing, refused });
}

export function ledgerScreen(read: ReadStatus<Status>): string {
  const { status } = read;
  const { origin, size, publication, pendingBatches } = status;
  return [
    `${pc.bold(plain(origin))}  ${silence(read) ?? verdict(status)}`,
    row('log', entries(size)),
    row('published', publishedLine(status)),
    ...brokerRows(status),
    row('batches', `${count(pendingBatches)} under way`),
    row('refused', refusedInWords(status.refused)),
    row('gateways', gatewaysLine(status)),
    ...publication.witnesses.map((one) => row('witness', witnessLine(one))),
    ...removalRows(status),
  ].join('\n');
}

export const isLedgerWell = (read: ReadStatus<Status>): boolean => isWell(read, verdict);

function verdict(status: Status): string {
  const { failure, clockDoubt, checkFailure, broker, publication, removalFailure, size } = status;
  if (failure !== undefined) return pc.red(plain(failure));
  if (clockDoubt !== undefined) return pc.red(clockDoubtLine(clockDoubt));
  if (checkFailure !== undefined)
    return pc.red(
      `no batch was checked since threads that check them died; they are started again: ${plain(checkFailure)}`,
    );
  if (broker?.isConnected === false)
    return pc.red('hears no writers: its broker is away, and is tried again');
  if (broker?.receiptFailure !== undefined) return pc.red('takes batches, and cannot hand over receipts');
  if (publication.failure !== undefined) return pc.red(plain(publication.failure));
  if (removalFailure !== undefined)
    return pc.yellow('taking reports; payloads of pruned days are not removed yet');
  if (publication.size < size && publication.witnesses.some((one) => one.failure !== undefined))
    return pc.yellow('taking reports; readers wait for witnesses');
  return WELL;
}

/** Batches refused as a whole since the ledger was started, such as "busy: 3, format: 1". */
export const refusedInWords = (refused: Status['refused']): string =>
  Object.entries(refused)
    .map(([reason, times]) => `${plain(reason)}: ${count(times)}`)
    .join(', ') || 'none';

function brokerRows({ broker }: Status): string[] {
  if (broker === undefined) return [];
  const { url, isConnected, sinceMs, failure = 'the reason is not known', receiptFailure } = broker;
  const why = isConnected ? receiptFailure : failure;
  const state = isConnected ? 'connected' : 'away';
  const since = sinceMs === undefined ? '' : `, ${state} for ${ago(Date.now() - sinceMs)}`;
  return [row('broker', `${plain(url)}${since}${why === undefined ? '' : `; ${pc.red(plain(why))}`}`)];
}

function gatewaysLine({ gateways, connectedGateways }: Status): string {
  const connected = connectedGateways === undefined ? '' : `, ${count(connectedGateways)} connected`;
  return `${count(gateways)} known${connected}`;
}

function removalRows({ daysToRemove, removalFailure }: Status): string[] {
  if (daysToRemove === 0) return [];
  const days =
    daysToRemove === 1 ? 'payloads of a pruned day' : `payloads of ${count(daysToRemove)} pruned days`;
  const why =
    removalFailure === undefined
      ? ''
      : `; ${pc.red(`it failed and is tried again: ${plain(removalFailure)}`)}`;
  return [row('removing', `${days}${why}`)];
}

function publishedLine({ size, publication: { size: published, quorum } }: Status): string {
  const missing = size - published;
  const waits = missing > 0 ? `, ${count(missing)} waiting for witnesses` : '';
  return `${entries(published)}${waits} (${quorum === undefined ? 'no witnesses asked' : `must cosign: ${plain(quorum)}`})`;
}

function witnessLine({
  name,
  cosignedSize,
  cosignedAtSeconds = 0,
  failure,
}: z.infer<typeof witness>): string {
  const last =
    cosignedSize === undefined
      ? 'has not cosigned since the ledger started'
      : `cosigned ${entries(cosignedSize)} ${cosignedWhen(cosignedAtSeconds)}`;
  return `${plain(name)} ${last}${failure === undefined ? '' : `; ${pc.red(plain(failure))}`}`;
}

/** By the clock of the witness. */
function cosignedWhen(atSeconds: number): string {
  const ageMs = Date.now() - atSeconds * 1000;
  if (ageMs > -MAX_AHEAD_MS) return `${ago(ageMs)} ago`;
  return pc.yellow(`at a time to come, ${localTime(atSeconds, true)}: its clock or the one here is wrong`);
}

const entries = (size: number): string => counted(size, 'entry', 'entries');
const ago = (ms: number): string => duration(Math.max(0, ms) / 1000);
const row = (name: string, text: string): string => `  ${pc.dim(name.padEnd(13))}${text}`;
