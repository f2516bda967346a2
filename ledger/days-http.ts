/**
 * What a ledger stores and has pruned, day by day, over its HTTP (docs/ledger-http.md):
 *
 *     GET /days    needs the token; JSON {"days": [{"day", "payloads", "payloadBytes", "destroyedBy" or null,
 *                  "pruned": {"by", "atMs", "removed"} or null}, …]}, ascending by day of the reports
 */
import { z } from 'zod';
import { asUnixMs } from '../protocol/brands.js';
import { FirebreakError } from '../protocol/errors.js';
import { boundedBody } from './bounded-body.js';
import type { DayRecord } from './store/day-record.js';

const TIMEOUT_MS = 10_000;
/** More than a century of days. */
const MAX_DAYS_BYTES = 8 * 1024 * 1024;
const count = z.int().min(0);
const daysAnswer = z.object({
  days: z.array(
    z.object({
      day: count,
      payloads: count,
      payloadBytes: count,
      destroyedBy: count.nullable(),
      pruned: z.object({ by: count, atMs: count.transform(asUnixMs), removed: z.boolean() }).nullable(),
    }),
  ),
});

export function encodeDays(days: readonly DayRecord[]): Uint8Array {
  const plain = days.map((record) => ({
    ...record,
    destroyedBy: record.destroyedBy ?? null,
    pruned: record.pruned ?? null,
  }));
  return Buffer.from(`${JSON.stringify({ days: plain })}\n`);
}

/** Throws `unreachable`, `permission`, `size` for an answer over 8 MiB, or `format` for one that is none. */
export async function askDays(url: string, token: string): Promise<readonly DayRecord[]> {
  const answer = await fetch(`${url.replace(/\/+$/, '')}/days`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: 'error',
  }).catch((cause: unknown) => {
    throw new FirebreakError('unreachable', `the ledger at ${url} does not answer`, { cause });
  });
  if (answer.status === 401)
    throw new FirebreakError('permission', `the ledger at ${url} does not accept this token`);
  const parsed = daysAnswer.safeParse(await jsonOf(answer, url));
  if (!answer.ok || !parsed.success)
    throw new FirebreakError('format', `what answers at ${url} is not a ledger of this version`);
  return parsed.data.days.map(({ destroyedBy, pruned, ...record }) => ({
    ...record,
    destroyedBy: destroyedBy ?? undefined,
    pruned: pruned ?? undefined,
  }));
}

/** `undefined` when it is none, or is cut off. Throws `size`. */
async function jsonOf(answer: Response, url: string): Promise<unknown> {
  try {
    const body = await boundedBody(answer, MAX_DAYS_BYTES, `what answers at ${url}`);
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch (error) {
    if (error instanceof FirebreakError) throw error;
    return undefined;
  }
}
