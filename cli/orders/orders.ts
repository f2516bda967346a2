/**
 * Orders to a running authority from other commands on its folder: a private file each under authority/orders, answered
 * beside it (order-files.ts). The authority's records are open in one process only; this is how the others reach them.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, unlink } from 'node:fs/promises';
import { pauseUntilStopped } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';
import { writeAtomically } from '../files/atomic-file.js';
import { parseJson } from '../folder/config.js';
import type { DataFolder } from '../folder/folder.js';
import { callOf } from '../terminal/how-called.js';
import { orderAnswer, orderFile, orderFiles } from './order-files.js';
import type { Order, OrderAnswer } from './order-files.js';

export interface OrderPatience {
  /** An order that no authority has begun with by then is taken back, wall ms. */
  readonly takenWithinMs: number;
  /** One that was begun is waited for as long again as this, wall ms. */
  readonly answeredWithinMs: number;
}

/** An authority may first have to end days for others, at 20 s each. */
export const ORDER_PATIENCE: OrderPatience = { takenWithinMs: 30_000, answeredWithinMs: 60_000 };
const LOOK_EVERY_MS = 100;

/**
 * Leaves an order and waits for the answer. When the signal aborts, or no authority begins with it, it is taken back.
 *
 * Throws `timeout` or `closed` for one that was taken back: nothing was done. Throws `input` with the authority's refusal:
 * nothing was done either, unless it says what. Throws `unconfirmed` when the authority began with it and nobody can say
 * how it ended.
 */
export async function giveOrder(
  folder: DataFolder,
  order: Order,
  signal: AbortSignal,
  { takenWithinMs, answeredWithinMs }: OrderPatience = ORDER_PATIENCE,
): Promise<string> {
  const dir = folder.authority.orders;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const files = orderFiles(dir, randomUUID());
  const given = JSON.stringify(orderFile.parse({ givenMs: Date.now(), order }));
  await writeAtomically(files.waiting, given, 0o600).catch((error: unknown) => {
    // It is in place for the authority; a power cut that undid it would end this wait as well.
    if (!(error instanceof FirebreakError && error.code === 'unconfirmed')) throw error;
  });
  const first = await waitForAnswer(files.answer, takenWithinMs, signal);
  if (first) return outcomeOf(first, order);
  if (await takeBack(files.waiting)) throw takenBack(folder, signal);
  const late = await waitForAnswer(files.answer, answeredWithinMs, signal);
  return outcomeOf(late ?? { outcome: 'unknown', message: 'the authority has not said how it ended' }, order);
}

/** Looks at least once. */
async function waitForAnswer(
  file: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<OrderAnswer | undefined> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) {
      await rm(file, { force: true });
      return orderAnswer.parse(parseJson(file, text));
    }
    if (signal.aborted || performance.now() >= deadline) return undefined;
    await pauseUntilStopped(LOOK_EVERY_MS, signal);
  }
}

/** Tells whether it was still there: the authority takes an order by renaming it. */
function takeBack(waiting: string): Promise<boolean> {
  return unlink(waiting).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw new FirebreakError(
        'unconfirmed',
        `${waiting} cannot be taken back: remove it (${error.message})`,
      );
    },
  );
}

function takenBack({ dir }: DataFolder, { aborted }: AbortSignal): FirebreakError {
  const end = 'the order is taken back, and nothing was done';
  return aborted
    ? new FirebreakError('closed', `stopped: ${end}`)
    : new FirebreakError(
        'timeout',
        `no authority takes orders on ${dir}: ${end}. See whether ${callOf('authority run')} is at work there`,
      );
}

function outcomeOf({ outcome, message }: OrderAnswer, { what }: Order): string {
  if (outcome === 'done') return message;
  if (outcome === 'refused') throw new FirebreakError('input', message);
  const next =
    what === 'notify'
      ? `See the last notice in ${callOf('authority status')} before you give it again: people would be warned twice`
      : 'Giving it again does no harm';
  throw new FirebreakError(
    'unconfirmed',
    `the order was begun, and may have been carried out: ${message}. ${next}`,
  );
}
