/** `firebreak authority status`: how the deployment stands, by the authority that runs or as the last one left it. */
import type { Command } from 'commander';
import { z } from 'zod';
import { pauseUntilStopped } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';
import { dayKeyFiles } from '../days/day-key-files.js';
import { findRunning } from '../files/run-files.js';
import { keepStatus, readStatus } from '../files/status-file.js';
import type { ReadStatus } from '../files/status-file.js';
import { sunsetDayOf } from '../folder/config.js';
import type { DataFolder } from '../folder/folder.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';
import { giveOrder } from '../orders/orders.js';
import { keyDaysLine, sunsetLine } from '../present/show-retention.js';
import { neverSeenLines, stoppedLines } from '../present/stopped-authority.js';
import { requireWell, STATUS_EXIT_CODES } from '../terminal/exit.js';
import { statusNow } from './authority-orders.js';
import type { OrderCarriers } from './authority-orders.js';

const LOOK_EVERY_MS = 1_000;
/** A look counts all tags: looks take at most one part in so many of the time. */
const PARTS_OF_TIME = 20;

const statusSchema = z.object({ lines: z.array(z.string()) });

export function addAuthorityStatusCommand(authority: Command): void {
  withFolderOptions(
    authority
      .command('status')
      .description(
        `is it well, tags, gateways, days with keys, days that ended, the last notice; of one that does not run, as it was last; ${STATUS_EXIT_CODES}`,
      ),
  ).action((options: FolderOptions) => status(options));
}

/**
 * Keeps on disk what the status says, for when the authority does not run, until the signal aborts. What fails to be looked up
 * leaves what was known before: whoever asks the authority is told why.
 */
export async function keepAuthorityStatus(
  { folder, signal, onClose }: Pick<Session, 'folder' | 'signal' | 'onClose'>,
  carriers: OrderCarriers,
): Promise<void> {
  let lines: readonly string[] = await statusNow(carriers);
  const look = async (): Promise<void> => void (lines = await statusNow(carriers).catch(() => lines));
  const end = await keepStatus(folder.authority.status, () => ({ lines }));
  onClose(() => look().then(end));
  while (!signal.aborted) {
    const begunMs = performance.now();
    await look();
    const tookMs = performance.now() - begunMs;
    await pauseUntilStopped(Math.max(LOOK_EVERY_MS, PARTS_OF_TIME * tookMs), signal);
  }
}

async function status(options: FolderOptions): Promise<void> {
  await inFolder('authority', options, async ({ folder, config, signal }) => {
    if (await findRunning(folder, 'authority')) {
      const said = await giveOrder(folder, { what: 'status' }, signal);
      console.log(said);
      return requireWell(said.startsWith('well'));
    }
    const seen = await lastSeen(folder);
    const keyDays = keyDaysLine(await dayKeyFiles(folder.authority.dayKeys).list());
    const lines =
      seen === undefined
        ? neverSeenLines(keyDays, sunsetLine(sunsetDayOf(config)))
        : stoppedLines(seen.status.lines, seen.ageMs, keyDays);
    console.log(lines.join('\n'));
    requireWell(false);
  });
}

/** `undefined` where none has run, or of an earlier version only. */
const lastSeen = (folder: DataFolder): Promise<ReadStatus<z.infer<typeof statusSchema>> | undefined> =>
  readStatus(folder, folder.authority.status, 'the authority', statusSchema).catch((error: unknown) => {
    if (error instanceof FirebreakError && error.code === 'not-found') return undefined;
    throw error;
  });
