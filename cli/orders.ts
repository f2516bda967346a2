/**
 * Orders to a running authority from other commands on its folder: a private file each under authority/orders, answered
 * beside it. The authority's records are open in one process only; this is how the others reach them.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FirebreakError } from '../protocol/errors.js';
import { writeAtomically } from './atomic-file.js';
import { parseJson } from './config.js';
import type { DataFolder } from './folder.js';

const order = z.discriminatedUnion('what', [
  z.strictObject({
    what: z.literal('notify'),
    day: z.int().min(0),
    code: z.int().min(0).max(255),
    tags: z.array(z.int().min(0)).min(1).max(4096),
  }),
  z.strictObject({ what: z.literal('retain') }),
  z.strictObject({ what: z.literal('status') }),
  z.strictObject({ what: z.literal('revoke'), gatewayId: z.string().regex(/^[0-9a-f]{32}$/) }),
]);
export type Order = z.infer<typeof order>;

const answer = z.strictObject({ ok: z.boolean(), message: z.string() });

const ANSWER_WAIT_MS = 30_000;
const LOOK_EVERY_MS = 100;
const ORDER_FILE = /^[0-9a-f-]{36}\.json$/;

/** Leaves an order and waits for the answer. Throws `timeout` when no authority takes it, `input` with its refusal. */
export async function giveOrder(folder: DataFolder, given: Order): Promise<string> {
  await mkdir(folder.authority.orders, { recursive: true, mode: 0o700 });
  const file = join(folder.authority.orders, `${randomUUID()}.json`);
  const answerFile = `${file}.answer`;
  await writeAtomically(file, JSON.stringify(given), 0o600);
  const deadline = Date.now() + ANSWER_WAIT_MS;
  while (Date.now() < deadline) {
    const text = await readFile(answerFile, 'utf8').catch(() => undefined);
    if (text !== undefined) {
      await rm(answerFile, { force: true });
      const { ok, message } = answer.parse(parseJson(answerFile, text));
      if (ok) return message;
      throw new FirebreakError('input', message);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  await rm(file, { force: true });
  throw new FirebreakError(
    'timeout',
    `no authority answers on ${folder.dir}: start it with firebreak authority run`,
  );
}

/** One round over the orders that wait; each is answered, carried out or not. */
export async function takeOrders(
  folder: DataFolder,
  carryOut: (given: Order) => Promise<string>,
): Promise<void> {
  const names = await readdir(folder.authority.orders).catch(() => []);
  for (const name of names.filter((candidate) => ORDER_FILE.test(candidate))) {
    const file = join(folder.authority.orders, name);
    const result = await carryOutOne(file, carryOut);
    await rm(file, { force: true });
    await writeAtomically(`${file}.answer`, JSON.stringify(result), 0o600);
  }
}

async function carryOutOne(file: string, carryOut: (given: Order) => Promise<string>) {
  try {
    const given = order.parse(parseJson(file, await readFile(file, 'utf8')));
    return { ok: true, message: await carryOut(given) };
  } catch (error) {
    return { ok: false, message: (error as Error).message };
  }
}
