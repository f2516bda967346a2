/** A look at a cluster: found, recorded, answered, in this order; no entry, no answer. */
import { asTagNumber } from '../../protocol/brands.js';
import type { Asked, Look } from '../looks/access.js';
import type { ClusterAnswer } from './cluster-message.js';
import type { ClusterRequest, Trace } from './cluster-result.js';
import { findClusters, tagsInCluster } from './find-clusters.js';
import type { ClusterPresence } from './gateway-sources.js';

/** What a tracer lends to whoever looks for clusters. */
export interface ClusterDesk {
  readonly trace: Trace;
  readonly presence?: ClusterPresence;
  /** Everybody whom the walks reached and the gateways counted, and these tags, ascending and distinct. */
  readonly reachedWith: (named: readonly number[]) => Float64Array;
  readonly signal?: AbortSignal | undefined;
  /** The entry, once the ledger's receipt for it verified; `reached` is ascending and distinct. Throws when it did not come, and the reason of the signal. */
  record(look: Look, asked: Asked, reached: Float64Array): Promise<{ readonly index: number }>;
}

/** Throws what {@link findClusters} throws and the reason of the signal, unrecorded, and whatever kept the look from being recorded. */
export async function lookUpCluster(
  desk: ClusterDesk,
  request: ClusterRequest,
  look: Look,
): Promise<ClusterAnswer> {
  const result = await findClusters(desk.trace, desk.presence, request, desk.signal);
  const asked = askedIn(request, desk.presence !== undefined);
  const reached = desk.reachedWith(tagsInCluster(result));
  const { index } = await desk.record(look, asked, reached);
  return { result, accessIndex: index };
}

function askedIn(request: ClusterRequest, hasPresence: boolean): Asked {
  const { cases, hops, from, to, minSeconds, latentSeconds } = request;
  const weighsGateways = hasPresence && request.gateways !== false;
  return {
    question: 'cluster',
    cases: cases.map(({ tag }) => asTagNumber(Number(tag))),
    ...{ hops, from, to, minSeconds, latentSeconds },
    infectiousSeconds: request.infectiousSeconds ?? null,
    attenuation: request.attenuation ?? 'near',
    presence: request.presence === true || weighsGateways,
  };
}
