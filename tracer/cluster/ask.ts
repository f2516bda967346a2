/** Asking a running tracer about a cluster: POST /v1/cluster, bearer token. */
import { FirebreakError } from '../../protocol/errors.js';
import { answerIn, ask } from '../api/client.js';
import { clusterAnswerSchema } from './cluster-message.js';
import type { ClusterAnswer, ClusterLookUp } from './cluster-message.js';

const LIMITS = { limitMs: 120_000, whenLate: 'ask for fewer hops or cases' };
const NO_ROUTE = 404;

/** Throws as askTracer does; `format` for a tracer that knows no clusters too. */
export async function askCluster(
  url: string,
  token: string,
  question: ClusterLookUp,
  signal?: AbortSignal,
): Promise<ClusterAnswer> {
  const answered = await ask(url, token, '/v1/cluster', question, { ...LIMITS, signal });
  if (answered.status === NO_ROUTE)
    throw new FirebreakError(
      'format',
      `the tracer at ${url} knows no clusters: start it anew with this version`,
    );
  return answerIn(clusterAnswerSchema, answered, url);
}
