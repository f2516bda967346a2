/** Asking a tracer over HTTP, the other end of api/serve.ts. Every wait ends. */
import { z } from 'zod';
import { FirebreakError } from '../protocol/errors.js';
import type { ErrorCode } from '../protocol/errors.js';
import { healthAnswer } from './api/messages.js';
import type { HealthAnswer } from './api/messages.js';
import { answerSchema } from './trace-message.js';
import type { LookUp, LookUpAnswer } from './trace-message.js';

const TIMEOUT_MS = 60_000;
const HANDED_ON: readonly ErrorCode[] = [
  'not-found',
  'input',
  'permission',
  'timeout',
  'full',
  'size',
  'sealing',
  'damaged',
];
const refusal = z.object({ code: z.string(), message: z.string() });

/**
 * Throws what the tracer refuses with, `unreachable`, `timeout`, or `format` for an answer that is none; `closed` when the
 * signal ends the wait, which the tracer may have recorded the look before.
 */
export async function askTracer(
  url: string,
  token: string,
  question: LookUp,
  signal?: AbortSignal,
): Promise<LookUpAnswer> {
  const { isOk, answer } = await ask(url, token, '/v1/trace', { question, signal });
  if (!isOk) throw refusalIn(answer, url);
  const parsed = answerSchema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw stranger(url);
}

/** How it is, well or not. Throws as {@link askTracer}. */
export async function askHealth(url: string, token: string): Promise<HealthAnswer> {
  const { answer } = await ask(url, token, '/v1/health');
  const parsed = healthAnswer.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw refusal.safeParse(answer).success ? refusalIn(answer, url) : stranger(url);
}

/** Ends a wait for a tracer that has the question. */
export const stoppedAsking = (url: string): FirebreakError =>
  new FirebreakError(
    'closed',
    `stopped before the tracer at ${url} answered: the look may have been recorded all the same`,
  );

const stranger = (url: string): FirebreakError =>
  new FirebreakError('format', `what answers at ${url} is not a tracer of this version`);

interface Asked {
  readonly question?: LookUp;
  readonly signal?: AbortSignal | undefined;
}

async function ask(url: string, token: string, path: string, { question, signal }: Asked = {}) {
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(new URL(path, url), {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(question && { method: 'POST', body: JSON.stringify(question) }),
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    const answer: unknown = await response.json();
    return { isOk: response.ok, answer };
  } catch (cause) {
    if (signal?.aborted) throw stoppedAsking(url);
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    throw isLate
      ? new FirebreakError('timeout', `the tracer at ${url} takes too long; try again`, { cause })
      : new FirebreakError('unreachable', `the tracer at ${url} does not answer`, { cause });
  }
}

function refusalIn(answer: unknown, url: string): FirebreakError {
  const refused = refusal.safeParse(answer);
  const code = HANDED_ON.find((known) => refused.success && known === refused.data.code) ?? 'closed';
  const why = refused.success ? refused.data.message : `the tracer at ${url} refused the question`;
  return new FirebreakError(code, why);
}
