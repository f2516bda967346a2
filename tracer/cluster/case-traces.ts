/** The backward traces of all cases, and what they say of each pair of cases. */
import { FirebreakError } from '../../protocol/errors.js';
import type { ReachedPerson, TraceRequest } from '../trace-result.js';
import type { ClusterCase, ClusterRequest, Trace } from './cluster-result.js';

export interface TracedCase extends ClusterCase {
  /** It was infected by then. */
  readonly due: number;
  /** Who may have infected it, by person; empty for a case that met nobody in time. */
  readonly sources: ReadonlyMap<string, ReachedPerson>;
}

/** In the order of the request. Throws what the trace throws, but for `not-found`: who met nobody has no source. */
export function traceCases(trace: Trace, request: ClusterRequest): readonly TracedCase[] {
  return request.cases.map((one) => {
    const due = Math.min(request.to, (one.onset ?? Infinity) - (request.incubationSeconds ?? 0));
    const rows = due < request.from ? [] : rowsOf(trace, backwardFrom(request, one.tag, due));
    return { ...one, due, sources: new Map(rows.map((row) => [row.person, row])) };
  });
}

/** The rows of a trace; none where its case is in no contact. */
export function rowsOf(trace: Trace, request: TraceRequest): readonly ReachedPerson[] {
  try {
    return trace(request).reached;
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'not-found') return [];
    throw error;
  }
}

/** What a cluster's walks have in common; what the request leaves open is left open. */
export function settingsOf(request: ClusterRequest) {
  const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds, attenuation, presence } = request;
  return {
    ...{ hops, from, to, minSeconds, latentSeconds },
    ...(infectiousSeconds !== undefined && { infectiousSeconds }),
    ...(attenuation !== undefined && { attenuation }),
    ...(presence !== undefined && { presence }),
  };
}

function backwardFrom(request: ClusterRequest, tag: string, due: number): TraceRequest {
  return { ...settingsOf(request), case: tag, direction: 'backward', to: due };
}

/**
 * Whether one case may stand in for the source of another: it fell ill earlier. Where an onset is missing, when a walk leads
 * from it to the other and none leads back.
 */
export function mayHaveInfected(earlier: TracedCase, later: TracedCase): boolean {
  if (!later.sources.has(earlier.tag)) return false;
  if (earlier.onset !== undefined && later.onset !== undefined) return earlier.onset < later.onset;
  return !earlier.sources.has(later.tag);
}
