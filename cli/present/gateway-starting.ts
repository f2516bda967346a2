/** `firebreak gateway status` of a gateway that has not been on the air yet: what it waits for. */
import pc from 'picocolors';
import { z } from 'zod';
import { plain } from '../../protocol/plain-text.js';
import type { ReadStatus } from '../files/status-file.js';
import { silence } from './heard-of.js';

export const startingSchema = z.object({
  name: z.string(),
  isStarting: z.literal(true),
});
export type StartingStatus = z.infer<typeof startingSchema>;

/**
 * @param seen  Nothing of one that has its key and no status.
 * @param missing  Why there is no certificate of the authority to be read, where there is none.
 */
export function startingScreen(
  name: string,
  seen: Pick<ReadStatus<unknown>, 'isRunning' | 'ageMs'> | undefined,
  missing: string | undefined,
): string {
  const silent = seen === undefined ? pc.red('not running') : silence(seen);
  const waits = missing === undefined ? 'is starting: waits for the ledger or its broker' : WAITS;
  const certificate = missing === undefined ? 'is here' : plain(missing);
  const needs =
    missing === undefined ? '' : '; before it can serve tags it needs the authority’s certificate';
  return [
    `${pc.bold(plain(name))}  ${silent === undefined ? pc.yellow(waits) : `${silent}${needs}`}`,
    `  ${pc.dim('certificate'.padEnd(13))}${certificate}`,
  ].join('\n');
}

const WAITS = 'waits for the authority’s certificate';
