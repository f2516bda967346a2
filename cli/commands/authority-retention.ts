/** `firebreak authority retain`: what has left the retention window, and goes. */
import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_HORIZON_DAYS, type Authority } from '../../authority/authority.js';
import { isLeap, newestDayOf } from '../../authority/days/clock-trust.js';
import type { EndedDay } from '../../authority/days/retention-book.js';
import { dayKeyFiles } from '../days/day-key-files.js';
import { findLedger, ledgerElsewhere, noLedger } from '../folder/ledger-place.js';
import { giveOrder } from '../orders/orders.js';
import { startAuthority } from '../parts/authority.js';
import { pauseUntilStopped } from '../../host/clock-live.js';
import { withTimeLimit } from '../../host/time-limit.js';
import { FirebreakError } from '../../protocol/errors.js';
import { dayOf } from '../../protocol/time.js';
import { dateOf, endedLines, planLines, removalOf, type Removal } from '../present/show-retention.js';
import { cannotBeAsked, planRetention, storedDays, type RetentionPlan } from '../days/retention-plan.js';
import { findRunning } from '../files/run-files.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';
import { workedDayFile } from '../days/worked-day-file.js';

/** Shorter than whoever gave the order waits for its answer (orders/orders.ts). */
const RECEIPT_WAIT_MS = 20_000;
const REMOVAL_WAIT_MS = 10_000;
const LOOK_EVERY_MS = 100;
/** At a ledger on another machine. */
const LOOK_ELSEWHERE_EVERY_MS = 1_000;
const NOT_WAITED =
  'stopped before the ledger said that the payloads are removed; it removes them while it runs';

export function addRetainCommand(authority: Command): void {
  withFolderOptions(
    authority
      .command('retain')
      .description('end the days that left the retention window: destroy their keys, prune their payloads'),
  )
    .option('--dry-run', 'only say what would go')
    .option('--yes', 'the clock is right, although it leapt since the authority last worked')
    .action((options: RetainOptions) => retain(options));
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
    if (plan.unasked) throw plan.unasked;
    if (leap !== undefined) await believe(leap, session, options.yes);
    if (plan.days.length + plan.unknown.length === 0) return;
    const ended = await endDays(session);
    console.log('done:');
    console.log(endedLines(plan, ended).join('\n'));
    const gone = goneDays(plan, ended);
    if (gone.length > 0) console.log(await waitForRemoval(session, gone));
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
  const ledger = await findLedger(folder);
  if (ledger === undefined) throw noLedger(folder);
  const { authority, close } = await startAuthority(
    { ...session, log: { ...session.log, info: () => {} } },
    ledger.mqtt,
  );
  onClose(close);
  return retained(authority, session.signal);
}

/** The answer to an order to retain: the days that have ended, in JSON. An authority that is told to stop waits for no receipt. */
export async function retainNow(
  authority: Pick<Authority, 'retain' | 'status'>,
  signal: AbortSignal,
): Promise<string> {
  return JSON.stringify(await retained(authority, signal));
}

const endedDays = z.array(z.object({ day: z.int(), prunedBy: z.int().optional() }));

const readEnded = (answer: string): readonly EndedDay[] =>
  endedDays.parse(JSON.parse(answer)).map(({ day, prunedBy }) => ({ day, prunedBy }));

/** What the ledger has not answered in time is not lost: it is asked for until it has. */
async function retained(
  authority: Pick<Authority, 'retain' | 'status'>,
  signal: AbortSignal,
): Promise<readonly EndedDay[]> {
  try {
    return await withTimeLimit(RECEIPT_WAIT_MS, [signal], (limit) => authority.retain(limit));
  } catch (error) {
    if (!(error instanceof DOMException) && error !== signal.reason) throw error;
    return (await authority.status()).ended;
  }
}

/** Of the plan, the days whose payloads are to go. */
function goneDays({ days, unknown }: RetentionPlan, ended: readonly EndedDay[]): number[] {
  const hasEnded = (day: number): boolean => ended.some((one) => one.day === day);
  return [...days.map(({ day }) => day), ...unknown.filter(hasEnded)];
}

/** The ledger answers first and rewrites its files after; that is waited for a little. */
async function waitForRemoval(session: Session, ended: readonly number[]): Promise<string> {
  const everyMs = (await ledgerElsewhere(session.folder)) ? LOOK_ELSEWHERE_EVERY_MS : LOOK_EVERY_MS;
  const deadline = performance.now() + REMOVAL_WAIT_MS;
  for (;;) {
    const { isSettled, line } = await removalNow(session, ended);
    if (isSettled || performance.now() > deadline) return line;
    await pauseUntilStopped(everyMs, session.signal);
  }
}

/** What was done is done: neither a line that is down nor Ctrl-C makes it a failure. */
async function removalNow(session: Session, ended: readonly number[]): Promise<Removal> {
  try {
    return removalOf(ended, await storedDays(session));
  } catch (error) {
    if (session.signal.aborted) return { isSettled: true, line: NOT_WAITED };
    cannotBeAsked(error);
    return removalOf(ended, undefined);
  }
}
