/** Whether a tracer is well, from what it says of itself. Pure. */
import type { TracerApi } from './contract.js';
import type { HealthAnswer } from './messages.js';

/** A ledger that is away is asked again within half a minute (follow/follow.ts). */
const LEDGER_SILENT_MS = 90_000;
/** What fails for longer does not pass by itself, or not soon: answers lack what came since. */
const NOT_READ_ON_MS = 90_000;
/** As many entries as come within a second of a full ledger: behind them, answers lack what is known. */
const FAR_BEHIND = 10_000;

export type MemoryUse = Pick<NodeJS.MemoryUsage, 'rss' | 'heapUsed' | 'arrayBuffers'>;

/** `memory` in bytes; `nowMs` of the wall clock. */
export function healthOf(
  api: Pick<TracerApi, 'standing' | 'figures'>,
  memory: MemoryUse,
  nowMs: number,
): HealthAnswer {
  const { followsSinceMs, ledgerSeenMs, grewMs, behind, readOnMs, failure } = api.standing();
  const { entries, contacts, people, warnings, ...figures } = api.figures();
  const problems: string[] = [];
  const silentMs = nowMs - (ledgerSeenMs ?? followsSinceMs);
  if (silentMs > LEDGER_SILENT_MS)
    problems.push(`the ledger has not answered for ${Math.floor(silentMs / 1000)} seconds`);
  const unreadMs = nowMs - (readOnMs ?? followsSinceMs);
  if (failure !== undefined && unreadMs > NOT_READ_ON_MS)
    problems.push(`nothing new was taken in for ${Math.floor(unreadMs / 1000)} seconds: ${failure}`);
  if (behind > FAR_BEHIND) problems.push(`${behind} entries of the ledger are not taken in yet`);
  return {
    well: problems.length === 0,
    problems,
    warnings: [...warnings],
    followsSince: Math.floor(followsSinceMs / 1000),
    ledgerSeenAt: ledgerSeenMs === undefined ? null : Math.floor(ledgerSeenMs / 1000),
    grewAt: grewMs === undefined ? null : Math.floor(grewMs / 1000),
    readOnAt: readOnMs === undefined ? null : Math.floor(readOnMs / 1000),
    failure: failure ?? null,
    ...{ entries, behind, contacts, people },
    ...{ clones: figures.clones, reportGaps: figures.reportGaps },
    forgedRecords: figures.forgedRecords.tag + figures.forgedRecords.gateway,
    refusedPresenceReports: sumOf(figures.presenceReports.refused),
    memoryBytes: { resident: memory.rss, heap: memory.heapUsed, buffers: memory.arrayBuffers },
  };
}

const sumOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);
