/** Asking a running tracer about a cluster: POST /v1/cluster, bearer token. Every wait ends. */
import { z } from 'zod';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { stoppedAsking } from '../http-client.js';
import { clusterAnswerSchema } from './cluster-message.js';
import type { ClusterAnswer, ClusterLookUp } from './cluster-message.js';

const TIMEOUT_MS = 120_000;
const HANDED_ON: readonly ErrorCode[] = ['input', 'permission', 'timeout', 'full', 'size'];
const refusal = z.object({ code: z.string(), message: z.string() });

/**
 * Throws what the tracer refuses with, `unreachable`, `timeout`, or `format` for an answer that is none, as of a tracer that
 * knows no clusters; `closed` when the signal ends the wait, which the tracer may have recorded the look before.
 */
export async function askCluster(
  url: string,
  token: string,
  question: ClusterLookUp,
  signal?: AbortSignal,
): Promise<ClusterAnswer> {
  const { status, answer } = await post(url, token, question, signal).catch((cause: unknown) => {
    if (signal?.aborted) throw stoppedAsking(url);
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    throw isLate
      ? new FirebreakError('timeout', `the tracer at ${url} takes too long; ask for fewer hops or cases`, {
          cause,
        })
      : new FirebreakError('unreachable', `the tracer at ${url} does not answer`, { cause });
  });
  if (status === 404)
    throw new FirebreakError(
      'format',
      `the tracer at ${url} knows no clusters: start it anew with this version`,
    );
  if (status !== 200) throw refusalIn(answer, url);
  const parsed = clusterAnswerSchema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new FirebreakError('format', `what answers at ${url} is not a tracer of this version`);
}

async function post(url: string, token: string, question: ClusterLookUp, signal?: AbortSignal) {
  const late = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(new URL('/v1/cluster', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(question),
    signal: signal ? AbortSignal.any([signal, late]) : late,
  });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

function refusalIn(answer: unknown, url: string): FirebreakError {
  const refused = refusal.safeParse(answer);
  const code = HANDED_ON.find((known) => refused.success && known === refused.data.code) ?? 'closed';
  const why = refused.success ? refused.data.message : `the tracer at ${url} refused the question`;
  return new FirebreakError(code, why);
}
