/** A spool for tests and rehearsals: it forgets with its process. */
import { SpoolIndex } from './spool-index.js';
import type { BatchSpan } from './spool-index.js';
import { DEFAULT_SPOOL_LIMITS } from './spool.js';
import type { OutboundEntry, Spool, SpooledBatch, SpoolLimits } from './spool.js';

export function memorySpool(limits: SpoolLimits = DEFAULT_SPOOL_LIMITS): Spool {
  const index = new SpoolIndex(limits, { nextId: 0, nextSeq: 1 });
  const kept = new Map<number, OutboundEntry>();
  const batchOf = ({ seq, firstId, count }: BatchSpan): SpooledBatch => ({
    seq,
    firstId,
    entries: Array.from({ length: count }, (_, k) => kept.get(firstId + k)).filter(
      (entry) => entry !== undefined,
    ),
  });
  return {
    async append(entries) {
      index.requireRoom(entries, { entries: 0, bytes: 0 });
      return entries.map((entry) => {
        const id = index.nextId;
        index.addEntry(id, entry);
        kept.set(id, entry);
        return id;
      });
    },
    async form(batchLimits) {
      const span = index.planBatch(batchLimits);
      if (span) index.addBatch(span);
      return span && batchOf(span);
    },
    formed: async () => index.batches().map(batchOf),
    async remove(seq) {
      const span = index.removeBatch(seq);
      for (let k = 0; k < (span?.count ?? 0); k++) kept.delete((span?.firstId ?? 0) + k);
    },
    depth: () => index.depth(),
    close: async () => {},
  };
}
