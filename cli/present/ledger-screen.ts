/** `firebreak ledger status`: is it well, what do readers see, and who of the witnesses does not cosign. One screen. */
import pc from 'picocolors';
import { z } from 'zod';
import type { LedgerStatus } from '../../ledger/ledger.js';
import { refusalOf } from '../../protocol/errors.js';
import { plain } from '../../protocol/plain-text.js';
import type { ReadStatus } from '../status-file.js';
import { duration, localTime } from '../times.js';

/** Two clocks may be apart by as much. */
const MAX_AHEAD_MS = 60_000;

const witness = z.object({
  name: z.string(),
  cosignedSize: z.number().optional(),
  cosignedAtSeconds: z.number().optional(),
  failure: z.string().optional(),
});

export const ledgerStatusSchema = z.object({
  origin: z.string(),
  size: z.number(),
  gateways: z.number(),
  pendingBatches: z.number(),
  /** Batches refused as a whole, by reason. */
  refused: z.record(z.string(), z.number()).default({}),
  daysToRemove: z.number().default(0),
  removalFailure: z.string().optional(),
  failure: z.string().optional(),
  publication: z.object({
    size: z.number(),
    quorum: z.string().optional(),
    failure: z.string().optional(),
    witnesses: z.array(witness),
  }),
});

type Status = z.infer<typeof ledgerStatusSchema>;

/** What of the status goes to the status file. */
export function ledgerStatusOf(status: LedgerStatus): Status {
  const refused = Object.fromEntries(
    [...status.refusedBatches].map(
      ([number, count]) => [refusalOf(number) ?? String(number), count] as const,
    ),
  );
  return ledgerStatusSchema.parse({ ...status, refused });
}

export function ledgerScreen({ isRunning, ageMs, status }: ReadStatus<Status>): string {
  const { origin, size, publication, gateways, pendingBatches } = status;
  return [
    `${pc.bold(plain(origin))}  ${isRunning ? verdict(status) : pc.red(`not running; last seen ${ago(ageMs)} ago`)}`,
    row('log', `${size} entries`),
    row('published', publishedLine(status)),
    row('batches', `${pendingBatches} under way`),
    row('refused', refusedInWords(status.refused)),
    row('gateways', `${gateways} known`),
    ...publication.witnesses.map((one) => row('witness', witnessLine(one))),
    ...removalRows(status),
  ].join('\n');
}

function verdict({ failure, publication, removalFailure, size }: Status): string {
  if (failure !== undefined) return pc.red(plain(failure));
  if (publication.failure !== undefined) return pc.red(plain(publication.failure));
  if (removalFailure !== undefined)
    return pc.yellow('taking reports; payloads of pruned days are not removed yet');
  if (publication.size < size && publication.witnesses.some((one) => one.failure !== undefined))
    return pc.yellow('taking reports; readers wait for witnesses');
  return pc.green('well');
}

/** Batches refused as a whole since the ledger was started, such as "busy: 3, format: 1". */
export const refusedInWords = (refused: Status['refused']): string =>
  Object.entries(refused)
    .map(([reason, count]) => `${plain(reason)}: ${count}`)
    .join(', ') || 'none';

function removalRows({ daysToRemove, removalFailure }: Status): string[] {
  if (daysToRemove === 0) return [];
  const days = daysToRemove === 1 ? 'payloads of a pruned day' : `payloads of ${daysToRemove} pruned days`;
  const why =
    removalFailure === undefined
      ? ''
      : `; ${pc.red(`it failed and is tried again: ${plain(removalFailure)}`)}`;
  return [row('removing', `${days}${why}`)];
}

function publishedLine({ size, publication: { size: published, quorum } }: Status): string {
  const missing = size - published;
  const waits = missing > 0 ? `, ${missing} waiting for witnesses` : '';
  return `${published} entries${waits} (${quorum === undefined ? 'no witnesses asked' : `must cosign: ${plain(quorum)}`})`;
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
      : `cosigned ${cosignedSize} entries ${cosignedWhen(cosignedAtSeconds)}`;
  return `${plain(name)} ${last}${failure === undefined ? '' : `; ${pc.red(plain(failure))}`}`;
}

/** By the clock of the witness. */
function cosignedWhen(atSeconds: number): string {
  const ageMs = Date.now() - atSeconds * 1000;
  if (ageMs > -MAX_AHEAD_MS) return `${ago(ageMs)} ago`;
  const isDate = !Number.isNaN(new Date(atSeconds * 1000).getTime());
  const when = isDate ? localTime(atSeconds, true) : `${atSeconds} s after 1970`;
  return pc.yellow(`at a time to come, ${when}: its clock or the one here is wrong`);
}

const ago = (ms: number): string => duration(Math.max(0, ms) / 1000);
const row = (name: string, text: string): string => `  ${pc.dim(name.padEnd(13))}${text}`;
