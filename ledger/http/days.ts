/**
 * What a ledger stores and has pruned, day by day, over its HTTP (docs/ledger-http.md):
 *
 *     GET /days    needs the token; JSON {"days": [{"day", "payloads", "payloadBytes", "destroyedBy" or null,
 *                  "pruned": {"by", "atMs", "removed"} or null}, …]}, ascending by day of the reports
 */
import { z } from 'zod';
import { withTimeLimit } from '../../host/time-limit.js';
import { asUnixMs } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import { boundedBody } from './bounded-body.js';
import type { DayRecord } from '../store/day-record.js';

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

/**
 * Throws `unreachable` for no answer, part of one, or the word of a proxy that there is none; `permission`,
 * `size` for an answer over 8 MiB, `format` for one that is none of a ledger; and the reason of the signal.
 */
export async function askDays(
  url: string,
  token: string,
  signal?: AbortSignal,
): Promise<readonly DayRecord[]> {
  const { status, body } = await fetchDays(url, token, signal);
  if (status === 401)
    throw new FirebreakError('permission', `the ledger at ${url} does not accept this token`);
  if (status >= 500)
    throw new FirebreakError('unreachable', `the ledger at ${url} answered with status ${status}`);
  const parsed = daysAnswer.safeParse(jsonOf(body));
  if (status !== 200 || !parsed.success)
    throw new FirebreakError('format', `what answers at ${url} is not a ledger of this version`);
  return parsed.data.days.map(({ destroyedBy, pruned, ...record }) => ({
    ...record,
    destroyedBy: destroyedBy ?? undefined,
    pruned: pruned ?? undefined,
  }));
}

async function fetchDays(
  url: string,
  token: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  const ask = async (limit: AbortSignal) => {
    const answer = await fetch(`${url.replace(/\/+$/, '')}/days`, {
      headers: { authorization: `Bearer ${token}` },
      signal: limit,
      redirect: 'error',
    });
    const body = await boundedBody(answer, MAX_DAYS_BYTES, `what answers at ${url}`);
    return { status: answer.status, body };
  };
  try {
    return await withTimeLimit(TIMEOUT_MS, [signal], ask);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof FirebreakError) throw cause;
    throw new FirebreakError('unreachable', `the ledger at ${url} does not answer`, { cause });
  }
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}
