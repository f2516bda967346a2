/** `firebreak ledger status`: is it well, what do readers see, and who of the witnesses does not cosign. One screen. */
import pc from 'picocolors';
import { z } from 'zod';
import type { LedgerStatus } from '../../ledger/ledger.js';
import type { ReadStatus } from '../status-file.js';
import { duration } from '../times.js';

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
  refusedBusy: z.number(),
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
  return ledgerStatusSchema.parse(status);
}

export function ledgerScreen({ isRunning, ageMs, status }: ReadStatus<Status>): string {
  const { origin, size, publication, gateways, pendingBatches, refusedBusy } = status;
  const busy = refusedBusy > 0 ? `, ${refusedBusy} refused as busy` : '';
  return [
    `${pc.bold(origin)}  ${isRunning ? verdict(status) : pc.red(`not running; last seen ${ago(ageMs)} ago`)}`,
    row('log', `${size} entries`),
    row('published', publishedLine(status)),
    row('batches', `${pendingBatches} under way${busy}`),
    row('gateways', `${gateways} known`),
    ...publication.witnesses.map((one) => row('witness', witnessLine(one))),
  ].join('\n');
}

function verdict({ failure, publication, size }: Status): string {
  if (failure !== undefined) return pc.red(failure);
  if (publication.failure !== undefined) return pc.red(publication.failure);
  if (publication.size < size && publication.witnesses.some((one) => one.failure !== undefined))
    return pc.yellow('taking reports; readers wait for witnesses');
  return pc.green('well');
}

function publishedLine({ size, publication: { size: published, quorum } }: Status): string {
  const missing = size - published;
  const waits = missing > 0 ? `, ${missing} waiting for witnesses` : '';
  return `${published} entries${waits} (${quorum === undefined ? 'no witnesses asked' : `must cosign: ${quorum}`})`;
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
      : `cosigned ${cosignedSize} entries ${ago(Date.now() - cosignedAtSeconds * 1000)} ago`;
  return `${name} ${last}${failure === undefined ? '' : `; ${pc.red(failure)}`}`;
}

const ago = (ms: number): string => duration(Math.max(0, ms) / 1000);
const row = (name: string, text: string): string => `  ${pc.dim(name.padEnd(13))}${text}`;
