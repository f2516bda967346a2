/** Whether a tracer is well, from what it says of itself. Pure. */
import type { TracerApi } from './contract.js';
import type { HealthAnswer } from './messages.js';

/** A ledger that is away is asked again within half a minute (follow.ts). */
const LEDGER_SILENT_MS = 90_000;
/** As many entries as come within a second of a full ledger: behind them, answers lack what is known. */
const FAR_BEHIND = 10_000;

export type MemoryUse = Pick<NodeJS.MemoryUsage, 'rss' | 'heapUsed' | 'arrayBuffers'>;

/** `memory` in bytes; `nowMs` of the wall clock. */
export function healthOf(
  api: Pick<TracerApi, 'standing' | 'figures'>,
  memory: MemoryUse,
  nowMs: number,
): HealthAnswer {
  const { followsSinceMs, ledgerSeenMs, behind } = api.standing();
  const { entries, contacts, people } = api.figures();
  const problems: string[] = [];
  const silentMs = nowMs - (ledgerSeenMs ?? followsSinceMs);
  if (silentMs > LEDGER_SILENT_MS)
    problems.push(`the ledger has not answered for ${Math.floor(silentMs / 1000)} seconds`);
  if (behind > FAR_BEHIND) problems.push(`${behind} entries of the ledger are not taken in yet`);
  return {
    well: problems.length === 0,
    problems,
    followsSince: Math.floor(followsSinceMs / 1000),
    ledgerSeenAt: ledgerSeenMs === undefined ? null : Math.floor(ledgerSeenMs / 1000),
    ...{ entries, behind, contacts, people },
    memoryBytes: { resident: memory.rss, heap: memory.heapUsed, buffers: memory.arrayBuffers },
  };
}
