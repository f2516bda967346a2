/** Asking a tracer over HTTP, the other end of api/serve.ts. Every wait ends. */
import { z } from 'zod';
import { withTimeLimit } from '../../host/time-limit.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { doubtsAnswer } from './doubts.js';
import type { DoubtsAnswer } from './doubts.js';
import { healthAnswer } from './messages.js';
import type { HealthAnswer } from './messages.js';
import { MAY_BE_RECORDED } from '../looks/nobody-found.js';
import { answerSchema } from '../looks/trace-message.js';
import type { LookUp, LookUpAnswer } from '../looks/trace-message.js';

const LIMIT_MS = 60_000;
const LIMITS = { limitMs: LIMIT_MS, whenLate: 'try again' };
const OF_A_TRACE = { limitMs: LIMIT_MS, whenLate: 'ask for fewer hops or a shorter window' };
const OK = 200;
const NO_ROUTE = 404;
/** A newer tracer may refuse with a code that this program does not know. */
const refusal = z.object({ code: z.string(), message: z.string() });
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

/**
 * Throws what the tracer refuses with, `unreachable`, or `format` for an answer that is none; `timeout`, and `closed` when the
 * signal ends the wait, before either of which the tracer may have recorded the look.
 */
export async function askTracer(
  url: string,
  token: string,
  question: LookUp,
  signal?: AbortSignal,
): Promise<LookUpAnswer> {
  return answerIn(answerSchema, await ask(url, token, '/v1/trace', question, { ...OF_A_TRACE, signal }), url);
}

/** How it is, well or not. Throws as {@link askTracer}. */
export async function askHealth(url: string, token: string): Promise<HealthAnswer> {
  const { answer } = await ask(url, token, '/v1/health', undefined, LIMITS);
  const parsed = healthAnswer.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw refusal.safeParse(answer).success ? refusalIn(answer, url) : stranger(url);
}

/** What does not add up. Throws as {@link askTracer}; `format` for a tracer of an earlier version too. */
export async function askDoubts(url: string, token: string): Promise<DoubtsAnswer> {
  const answered = await ask(url, token, '/v1/doubts', undefined, LIMITS);
  if (answered.status === NO_ROUTE)
    throw new FirebreakError(
      'format',
      `the tracer at ${url} lists no doubts: start it anew with this version`,
    );
  return answerIn(doubtsAnswer, answered, url);
}

export interface AskLimits {
  /** Wall time. */
  readonly limitMs: number;
  /** What whoever asked may do when it is over. */
  readonly whenLate: string;
  readonly signal?: AbortSignal | undefined;
}

/** What came, whatever its status. */
export interface Answered {
  readonly status: number;
  /** JSON. */
  readonly answer: unknown;
}

/**
 * Posts the question, or gets what is at the path where there is none. Throws `unreachable`, for what is no JSON too, `timeout`,
 * and `closed` when the signal ends the wait: both with word that the look may be recorded where a question was posted.
 */
export async function ask(
  url: string,
  token: string,
  path: string,
  question: object | undefined,
  { limitMs, whenLate, signal }: AskLimits,
): Promise<Answered> {
  const fetched = async (limit: AbortSignal): Promise<Answered> => {
    const response = await fetch(new URL(path, url), {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(question && { method: 'POST', body: JSON.stringify(question) }),
      signal: limit,
    });
    return { status: response.status, answer: await response.json() };
  };
  try {
    return await withTimeLimit(limitMs, [signal], fetched);
  } catch (cause) {
    if (signal?.aborted) throw stoppedAsking(url);
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    const mayStand = question === undefined ? '' : `; ${MAY_BE_RECORDED}`;
    throw isLate
      ? new FirebreakError('timeout', `the tracer at ${url} takes too long; ${whenLate}${mayStand}`, {
          cause,
        })
      : new FirebreakError('unreachable', `the tracer at ${url} does not answer`, { cause });
  }
}

/** Throws what the tracer refused with, `closed` for a code that is not for whoever asks, `format` for an answer that is none. */
export function answerIn<Answer>(
  schema: z.ZodType<Answer>,
  { status, answer }: Answered,
  url: string,
): Answer {
  if (status !== OK) throw refusalIn(answer, url);
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw stranger(url);
}

const stoppedAsking = (url: string): FirebreakError =>
  new FirebreakError('closed', `stopped before the tracer at ${url} answered; ${MAY_BE_RECORDED}`);

const stranger = (url: string): FirebreakError =>
  new FirebreakError('format', `what answers at ${url} is not a tracer of this version`);

function refusalIn(answer: unknown, url: string): FirebreakError {
  const refused = refusal.safeParse(answer);
  const code = HANDED_ON.find((known) => refused.success && known === refused.data.code) ?? 'closed';
  const why = refused.success ? refused.data.message : `the tracer at ${url} refused the question`;
  return new FirebreakError(code, why);
}
