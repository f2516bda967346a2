/** Why no walk leads to some of the cases: each is found out about in another way. */
import type { TracedCase } from './case-traces.js';
import type { ClusterRequest, ClusterResult } from './cluster-result.js';
import type { ClusterPresence } from './gateway-sources.js';

type Unreached = Pick<ClusterResult, 'unreached' | 'unknown' | 'onlySeen' | 'beforeWindow'>;

/** In the order of the cases. `presence`: of the gateways that were weighed. */
export function unreachedIn(
  cases: readonly TracedCase[],
  { from }: ClusterRequest,
  presence: ClusterPresence | undefined,
): Unreached {
  const metNobody = cases.filter(({ isUnknown }) => isUnknown);
  const seen = new Set(metNobody.filter(({ tag }) => presence !== undefined && isSeen(tag, presence)));
  return {
    unreached: tagsOf(cases.filter(({ sources }) => sources.size === 0)),
    unknown: tagsOf(metNobody.filter((one) => !seen.has(one))),
    onlySeen: tagsOf([...seen]),
    beforeWindow: tagsOf(cases.filter(({ due }) => due < from)),
  };
}

function isSeen(tag: string, { view, personOf }: ClusterPresence): boolean {
  const person = personOf(Number(tag));
  return person !== undefined && view.staysOf(person).length > 0;
}

const tagsOf = (cases: readonly TracedCase[]): string[] => cases.map(({ tag }) => tag);
