/** `firebreak authority retain` and `status`: what has left the retention window, and how the deployment stands. */
import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_HORIZON_DAYS, type Authority } from '../../authority/authority.js';
import { isLeap, newestDayOf } from '../../authority/clock-trust.js';
import type { EndedDay } from '../../authority/retention-book.js';
import { sunsetDayOf } from '../config.js';
import { dayKeyFiles } from '../day-key-files.js';
import { giveOrder } from '../orders.js';
import { startAuthority } from '../parts/authority.js';
import { FirebreakError } from '../../protocol/errors.js';
import { dayOf } from '../../protocol/time.js';
import { dateOf, endedLines, keyDaysLine, planLines, sunsetLine } from '../present/show-retention.js';
import { planRetention, storedDays, type RetentionPlan } from '../retention-plan.js';
import { findRunning, notRunning } from '../run-files.js';
import { inFolder, withFolderOptions } from '../session.js';
import type { FolderOptions, Session } from '../session.js';
import { workedDayFile } from '../worked-day-file.js';

/** Shorter than whoever gave the order waits for its answer (orders.ts). */
const RECEIPT_WAIT_MS = 20_000;
const REMOVAL_WAIT_MS = 10_000;
const LOOK_EVERY_MS = 100;

export function addRetentionCommands(authority: Command): void {
  withFolderOptions(
    authority
      .command('retain')
      .description('end the days that left the retention window: destroy their keys, prune their payloads'),
  )
    .option('--dry-run', 'only say what would go')
    .option('--yes', 'the clock is right, although it leapt since the authority last worked')
    .action((options: RetainOptions) => retain(options));
  withFolderOptions(
    authority.command('status').description('tags, gateways, days with keys, days that ended, sunset'),
  ).action((options: FolderOptions) => status(options));
}

interface RetainOptions extends FolderOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

async function retain(options: RetainOptions): Promise<void> {
  await inFolder('authority', options, async (session) => {
    const plan = await planRetention(session);
    const leap = await leapOf(session);
    console.log(planLines(plan).join('\n'));
    if (leap !== undefined) console.log(`  ${leapLine(leap)}`);
    if (options.dryRun === true) return console.log('nothing was done: this was a dry run');
    if (!plan.isLedgerKnown) throw notRunning(session.folder, 'ledger');
    if (leap !== undefined) await believe(leap, session, options.yes);
    if (plan.days.length === 0) return;
    const ended = await endDays(session);
    console.log('done:');
    console.log(endedLines(plan.days, ended).join('\n'));
    console.log(await removalLine(session, plan));
  });
}

interface Leap {
  readonly newestDay: number;
  readonly today: number;
}

/** What the clock leapt over since the authority last worked; `undefined` when it did not. */
async function leapOf({ folder, clock }: Session): Promise<Leap | undefined> {
  const { workedDay, dayKeys } = folder.authority;
  const today = dayOf(clock.nowMs() / 1000);
  const known = { workedDay: workedDayFile(workedDay), dayKeys: dayKeyFiles(dayKeys) };
  const newestDay = await newestDayOf({ ...known, horizonDays: DEFAULT_HORIZON_DAYS }, today);
  return isLeap(newestDay, today) ? { newestDay, today } : undefined;
}

const leapLine = ({ newestDay, today }: Leap): string =>
  `the clock says ${dateOf(today)}, and the newest day known to be past is ${dateOf(newestDay)}: no day ends by it`;

/** A person says that the clock is right, or nothing ends: destroyed keys do not come back. Throws `day`. */
async function believe(leap: Leap, { folder }: Session, isSaid: boolean | undefined): Promise<void> {
  if (isSaid !== true)
    throw new FirebreakError(
      'day',
      `is it really ${dateOf(leap.today)}? Mend the clock, or say that it is right with --yes: destroyed keys do not come back`,
    );
  await workedDayFile(folder.authority.workedDay).write(leap.today);
  console.log('the clock is right, you say: days end by it from now on');
}

/** By the authority that runs on the folder, or by one that runs for as long as it takes. */
async function endDays(session: Session): Promise<readonly EndedDay[]> {
  const { folder, onClose } = session;
  if (await findRunning(folder, 'authority')) {
    const answer = await giveOrder(folder, { what: 'retain' }, session.signal);
    return readEnded(answer);
  }
  const ledger = await findRunning(folder, 'ledger');
  if (ledger === undefined) throw notRunning(folder, 'ledger');
  const { authority, close } = await startAuthority(
    { ...session, log: { ...session.log, info: () => {} } },
    ledger.mqtt,
  );
  onClose(close);
  return retained(authority);
}

/** The answer to an order to retain: the days that have ended, in JSON. */
export async function retainNow(authority: Authority): Promise<string> {
  return JSON.stringify(await retained(authority));
}

const endedDays = z.array(z.object({ day: z.int(), prunedBy: z.int().optional() }));

const readEnded = (answer: string): readonly EndedDay[] =>
  endedDays.parse(JSON.parse(answer)).map(({ day, prunedBy }) => ({ day, prunedBy }));

/** What the ledger has not answered in time is not lost: it is asked for until it has. */
async function retained(authority: Authority): Promise<readonly EndedDay[]> {
  try {
    return await authority.retain(AbortSignal.timeout(RECEIPT_WAIT_MS));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return (await authority.status()).ended;
  }
}

/** The ledger answers first and rewrites its files after; that is waited for a little. */
async function removalLine(session: Session, { days }: RetentionPlan): Promise<string> {
  const wanted = new Set(days.map(({ day }) => day));
  const deadline = performance.now() + REMOVAL_WAIT_MS;
  for (;;) {
    const stored = (await storedDays(session)) ?? [];
    const left = stored.filter(({ day, pruned }) => wanted.has(day) && pruned?.removed !== true).length;
    if (left === 0) return 'the ledger has removed the payloads from its files';
    if (performance.now() > deadline)
      return `the ledger hands these payloads out no more, and is still removing ${left} days from its files`;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function status(options: FolderOptions): Promise<void> {
  await inFolder('authority', options, async ({ folder, config, signal }) => {
    if (await findRunning(folder, 'authority'))
      return console.log(await giveOrder(folder, { what: 'status' }, signal));
    const days = await dayKeyFiles(folder.authority.dayKeys).list();
    console.log(
      ['the authority does not run', keyDaysLine(days), sunsetLine(sunsetDayOf(config))].join('\n'),
    );
  });
}
