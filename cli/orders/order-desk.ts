/** The authority's side of orders (order-files.ts): each is begun at most once, whatever dies in between. */
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere } from '../files/is-there.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { writeAtomically } from '../files/atomic-file.js';
import { parseJson } from '../folder/config.js';
import type { DataFolder } from '../folder/folder.js';
import { orderFile, orderFiles, ordersThat } from './order-files.js';
import type { Order, OrderAnswer, OrderFiles } from './order-files.js';
import { ORDER_PATIENCE } from './orders.js';

/** Nobody waits for an answer as long as this, and nothing is left half written for as long. */
const KEPT_MS = 600_000;
/**
 * What an authority throws of an order before it does anything of it, and `permission` for what the ledger refused, with words
 * of what was done all the same. Anything else may come after a part is done: to retain, anything, as days end one by one.
 */
const REFUSALS: Readonly<Record<Order['what'], ReadonlySet<ErrorCode>>> = {
  notify: new Set(['not-found', 'permission', 'input', 'format', 'size', 'day', 'full', 'closed'] as const),
  revoke: new Set(['not-found', 'permission', 'full', 'closed'] as const),
  retain: new Set(),
  status: new Set(['permission', 'closed'] as const),
};

/**
 * One round over the orders that wait; each is answered, carried out or not. Only for the one authority that runs on the
 * folder (its registry is locked): an order that was begun and has no answer is one that an authority died over.
 *
 * Throws when an answer cannot be written; its order then counts as begun and no more.
 */
export async function takeOrders(
  folder: DataFolder,
  carryOut: (order: Order) => Promise<string>,
): Promise<void> {
  const dir = folder.authority.orders;
  const names = await readdir(dir).catch(() => []);
  for (const id of ordersThat('taken', names)) await answerBegun(orderFiles(dir, id));
  for (const id of ordersThat('waiting', names)) {
    const files = orderFiles(dir, id);
    if (!(await take(dir, files))) continue;
    await answer(files, await carryOutOne(files.taken, carryOut));
  }
  await forgetOld(dir, names);
}

/** It may have been carried out, so it is not carried out again. */
async function answerBegun(files: OrderFiles): Promise<void> {
  const isAnswered = await isThere(files.answer);
  if (isAnswered) return rm(files.taken, { force: true });
  await answer(files, { outcome: 'unknown', message: 'the authority ended while it was at it' });
}

/** False for an order that was taken back. On disk before anything is done, so that no crash makes it wait again. */
async function take(dir: string, { waiting, taken }: OrderFiles): Promise<boolean> {
  try {
    await rename(waiting, taken);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const handle = await open(dir, 'r');
  await handle.sync().finally(() => handle.close());
  return true;
}

async function answer({ answer: file, taken }: OrderFiles, said: OrderAnswer): Promise<void> {
  await writeAtomically(file, JSON.stringify(said), 0o600);
  await rm(taken, { force: true });
}

async function carryOutOne(taken: string, carryOut: (order: Order) => Promise<string>): Promise<OrderAnswer> {
  const parsed = orderFile.safeParse(await jsonOf(taken));
  if (!parsed.success) return refused('it is no order of this version');
  const { givenMs, order } = parsed.data;
  if (Math.abs(Date.now() - givenMs) > ORDER_PATIENCE.takenWithinMs)
    return refused('the order came too late, and nothing was done: give it again');
  try {
    return { outcome: 'done', message: await carryOut(order) };
  } catch (error) {
    const { message } = error as Error;
    const isRefusal = error instanceof FirebreakError && REFUSALS[order.what].has(error.code);
    return isRefusal ? refused(message) : { outcome: 'unknown', message };
  }
}

const refused = (message: string): OrderAnswer => ({ outcome: 'refused', message });

/** `undefined` for a file that cannot be read. */
async function jsonOf(file: string): Promise<unknown> {
  try {
    return parseJson(file, await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Answers that nobody came for, and what was left half written. */
async function forgetOld(dir: string, names: readonly string[]): Promise<void> {
  const live = new Set([...ordersThat('waiting', names), ...ordersThat('taken', names)]);
  for (const name of names.filter((one) => !live.has(one.slice(0, 36)) || one.endsWith('.tmp'))) {
    const file = join(dir, name);
    const info = await stat(file).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > KEPT_MS) await rm(file, { force: true });
  }
}
