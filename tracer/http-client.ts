/** The other end of http.ts. Every wait ends. */
import { z } from 'zod';
import { FirebreakError } from '../protocol/errors.js';
import type { ErrorCode } from '../protocol/errors.js';
import type { LookUp, LookUpAnswer } from './trace-message.js';

const TIMEOUT_MS = 60_000;
const HANDED_ON: readonly ErrorCode[] = ['not-found', 'input', 'permission', 'timeout', 'full'];
const refusal = z.object({ code: z.string(), message: z.string() });

/** Throws what the tracer refuses with, `unreachable`, or `timeout`. */
export async function askTracer(url: string, token: string, question: LookUp): Promise<LookUpAnswer> {
  const response = await fetch(new URL('/trace', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(question),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new FirebreakError('unreachable', `the tracer at ${url} does not answer`, { cause });
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer as LookUpAnswer;
  const refused = refusal.safeParse(answer);
  const code = HANDED_ON.find((known) => refused.success && known === refused.data.code) ?? 'closed';
  throw new FirebreakError(
    code,
    refused.success ? refused.data.message : `the tracer at ${url} refused the question`,
  );
}
