/** `firebreak ledger clock`: whether the ledger believes its clock, and a person's word that it is right. */
import type { Command } from 'commander';
import { FirebreakError } from '../../protocol/errors.js';
import type { DataFolder } from '../folder/folder.js';
import { requireAskedHere } from '../folder/ledger-place.js';
import { clockDoubtLine, dateTime } from '../present/clock-doubt.js';
import { ledgerStatusSchema } from '../present/ledger-screen.js';
import { writeSaidClock } from '../days/said-clock-file.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';
import { readStatus } from '../files/status-file.js';

interface ClockOptions extends FolderOptions {
  readonly yes?: boolean;
}

export function addLedgerClockCommand(ledger: Command): void {
  withFolderOptions(ledger.command('clock').description('what the ledger dates entries by'))
    .option('--yes', 'the clock is right, although it leapt since the newest entry')
    .action((options: ClockOptions) => inFolder('ledger', options, (session) => tellClock(session, options)));
}

async function tellClock({ folder, clock }: Session, { yes }: ClockOptions): Promise<void> {
  await requireAskedHere(folder);
  const nowMs = clock.nowMs();
  console.log(`the clock says ${dateTime(nowMs)}`);
  if (yes === true) {
    await writeSaidClock(folder.ledger.saidClock, nowMs);
    return console.log('the clock is right, you say: the ledger dates entries by it from now on');
  }
  console.log(await wordOfLedger(folder));
}

/** Throws `permission` or `damaged` where what a ledger last said of itself cannot be read. */
async function wordOfLedger(folder: DataFolder): Promise<string> {
  const { status } = folder.ledger;
  const read = await readStatus(folder, status, 'the ledger', ledgerStatusSchema).catch(nothingOfNone);
  if (read?.isRunning !== true)
    return 'the ledger does not run: it says at its start whether it believes this clock';
  const { clockDoubt } = read.status;
  return clockDoubt === undefined ? 'the ledger dates entries by it' : clockDoubtLine(clockDoubt);
}

function nothingOfNone(error: unknown): undefined {
  if (!(error instanceof FirebreakError) || error.code !== 'not-found') throw error;
}
