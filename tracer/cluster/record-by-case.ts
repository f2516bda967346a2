/**
 * A look at a cluster in access records of the form that names one case each: an entry a case, as a backward trace that
 * reached everybody in the answer. The first entry stands for the look.
 */
import { FirebreakError } from '../../protocol/errors.js';
import type { AccessRecorder } from '../access.js';
import type { ClusterDesk } from './look-up.js';

/** Cases are recorded one after the other; when one is refused there is no answer, whatever is recorded already. */
export function recordByCase(access: AccessRecorder): ClusterDesk['record'] {
  return async (look, asked, reached) => {
    const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds } = asked;
    const rows = reached.map((tag) => ({
      ...{ person: String(tag), hop: 0, exposedAt: to, earliestAt: to, score: 0, path: [] },
    }));
    let first: { readonly index: number } | undefined;
    for (const tag of asked.cases) {
      const recorded = await access.record(look, {
        ...{ case: String(tag), direction: 'backward', hops, from, to, minSeconds, latentSeconds },
        ...(infectiousSeconds !== null && { infectiousSeconds }),
        reached: rows,
      });
      first ??= recorded;
    }
    if (first) return first;
    throw new FirebreakError('input', 'a look at a cluster names its cases');
  };
}
