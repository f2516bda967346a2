/** What every command on a data folder starts with and ends with. */
import type { Command } from 'commander';
import { readConfig } from './config.js';
import { openFolderClock } from '../days/folder-clock.js';
import type { ClockOptions } from '../days/folder-clock.js';
import { folderAt } from './folder.js';
import { consoleLog } from '../terminal/log.js';
import { TIME_FORMAT, positiveNumber, time } from '../terminal/options.js';
import { openTogether } from '../parts/context.js';
import type { OnClose, PartContext } from '../parts/context.js';
import type { LiveClock } from '../../host/clock-live.js';
import { untilDone } from '../terminal/shutdown.js';

export interface FolderOptions extends ClockOptions {
  readonly dataDir: string;
}

export interface Session extends PartContext {
  readonly clock: LiveClock;
  /** Registers what to close at the end, last first, whether the work succeeded or not. */
  readonly onClose: OnClose;
}

const MAX_CLOCK_RATE = 10_000;

interface ClockHelp {
  readonly start: string;
  readonly rate: string;
}

/** What the clock options do where a folder is made. */
export const SETS_CLOCK: ClockHelp = {
  start: `set the folder’s clock to this time ${TIME_FORMAT}`,
  rate: 'let the folder’s clock run x times as fast as the wall’s',
};
const ASSERTS_CLOCK: ClockHelp = {
  start: `refuse a folder whose clock was not set to this time when it was made ${TIME_FORMAT}`,
  rate: 'refuse a folder whose clock does not run x times as fast as the wall’s',
};

/** Adds --data-dir, --clock-start and --clock-rate, which every command on a folder takes. */
export function withFolderOptions(command: Command, clock = ASSERTS_CLOCK): Command {
  return command
    .requiredOption('--data-dir <dir>', 'the data folder of the deployment')
    .option('--clock-start <time>', clock.start, time('--clock-start'))
    .option('--clock-rate <x>', clock.rate, positiveNumber(MAX_CLOCK_RATE));
}

/** Runs `work` on the folder of the options; closes what it registered. */
export async function inFolder(
  room: string,
  options: FolderOptions,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  await untilDone(async (signal) => {
    const folder = folderAt(options.dataDir);
    const config = await readConfig(folder);
    const clock = await openFolderClock(folder, options);
    const log = consoleLog(room, process.env['FIREBREAK_LOG']);
    const { close } = await openTogether(log, async (onClose) => {
      await work({ folder, config, clock, log, signal, onClose });
      return {};
    });
    await close();
  });
}
