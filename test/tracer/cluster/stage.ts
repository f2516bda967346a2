/** A question about a cluster over a few contacts. */
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import type { ClusterRequest, ClusterSource } from '../../../tracer/cluster/cluster-result.js';
import { findClusters } from '../../../tracer/cluster/find-clusters.js';
import type { ClusterPresence } from '../../../tracer/cluster/gateway-sources.js';
import type { Contact } from '../../../tracer/contact.js';
import { trace } from '../../../tracer/looks/trace.js';
import { plainView } from '../../reference/views.js';

export const HOUR = 3600;
export const START = 20_700 * 86_400;
export const END = START + 100 * HOUR;

/** They were together from that hour on. */
export function met(x: number, y: number, hour: number, minutes = 30): Contact {
  const start = START + hour * HOUR;
  return {
    ...{ a: asTagNumber(Math.min(x, y)), b: asTagNumber(Math.max(x, y)), epoch: asEpoch(hour) },
    ...{ start, end: start + minutes * 60, bucketSeconds: [minutes * 60, 0, 0, 0] },
    ...{ attenuationDb: 50, mutual: true, partial: false, ledger: [hour] },
  };
}

export function ask(
  contacts: readonly Contact[],
  cases: ClusterRequest['cases'],
  changes: Partial<ClusterRequest> = {},
  presence?: ClusterPresence,
) {
  const { view, options } = plainView(contacts);
  const request = { cases, hops: 3, from: START, to: END, minSeconds: 900, latentSeconds: HOUR };
  return findClusters(async (asked) => trace(view, asked, options), presence, { ...request, ...changes });
}

export const cases = (...tags: readonly number[]) => tags.map((tag) => ({ tag: String(tag) }));
export const at = (hour: number): number => START + hour * HOUR;
export const named = (sources: readonly ClusterSource[]): string[] =>
  sources.map((source) => (source.kind === 'person' ? source.person : source.gateway));
