/** `firebreak ledger clock`: whether the ledger believes its clock, and a person's word that it is right. */
import type { Command } from 'commander';
import type { ClockDoubt } from '../../ledger/append-clock.js';
import type { DataFolder } from '../folder.js';
import { clockDoubtLine, dateTime } from '../present/clock-doubt.js';
import { ledgerStatusSchema } from '../present/ledger-screen.js';
import { writeSaidClock } from '../said-clock-file.js';
import { inFolder, withFolderOptions } from '../session.js';
import type { FolderOptions, Session } from '../session.js';
import { readStatus } from '../status-file.js';

interface ClockOptions extends FolderOptions {
  readonly yes?: boolean;
}

export function addLedgerClockCommand(ledger: Command): void {
  withFolderOptions(ledger.command('clock').description('what the ledger dates entries by'))
    .option('--yes', 'the clock is right, although it leapt since the newest entry')
    .action((options: ClockOptions) => inFolder('ledger', options, (session) => tellClock(session, options)));
}

async function tellClock({ folder, clock }: Session, { yes }: ClockOptions): Promise<void> {
  const doubt = await doubtOf(folder);
  const nowMs = clock.nowMs();
  console.log(`the clock says ${dateTime(nowMs)}`);
  if (yes === true) {
    await writeSaidClock(folder.ledger.saidClock, nowMs);
    return console.log('the clock is right, you say: the ledger dates entries by it from now on');
  }
  if (doubt !== undefined) console.log(clockDoubtLine(doubt));
}

/** Of a ledger that runs; one that does not says it at its start. */
async function doubtOf(folder: DataFolder): Promise<ClockDoubt | undefined> {
  const { status } = folder.ledger;
  const read = await readStatus(folder, status, 'the ledger', ledgerStatusSchema).catch(() => undefined);
  return read?.isRunning === true ? read.status.clockDoubt : undefined;
}
