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

/** Throws what the tracer refuses with, `unreachable`, `timeout`, or `format` for an answer that is none. */
export async function askTracer(url: string, token: string, question: LookUp): Promise<LookUpAnswer> {
  const { isOk, answer } = await ask(url, token, '/v1/trace', question);
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

const stranger = (url: string): FirebreakError =>
  new FirebreakError('format', `what answers at ${url} is not a tracer of this version`);

async function ask(url: string, token: string, path: string, question?: LookUp) {
  try {
    const response = await fetch(new URL(path, url), {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(question && { method: 'POST', body: JSON.stringify(question) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer: unknown = await response.json();
    return { isOk: response.ok, answer };
  } catch (cause) {
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
