/** From what was sequenced to one commit: records, counters and the next state. Pure. */
import { refusalNumber, type Refusal } from '../../protocol/errors.js';
import type { TreeSize, UnixMs } from '../../protocol/brands.js';
import type { TileBytes } from '../../protocol/tlog/tile-edge.js';
import type { AnsweredBatch, Sequenced } from './sequence.js';
import type { BatchRecord, Commit, Counters, LogState } from '../store/store.js';

function added(counts: ReadonlyMap<number, number>, keys: Iterable<number>): ReadonlyMap<number, number> {
  const result = new Map(counts);
  for (const key of keys) result.set(key, (result.get(key) ?? 0) + 1);
  return result;
}

function countersAfter(counters: Counters, { answered, entries, duplicates }: Sequenced): Counters {
  const refused = answered.flatMap(({ outcomes }) =>
    outcomes.map(({ reason }) => reason).filter((reason) => reason > 0),
  );
  return {
    batches: counters.batches + answered.length,
    duplicates: counters.duplicates + duplicates,
    entriesByType: added(
      counters.entriesByType,
      entries.map(({ type }) => type),
    ),
    refusalsByNumber: added(counters.refusalsByNumber, refused),
  };
}

/** The tree as it stands with the new entries, and the checkpoint over it. */
export interface Grown {
  readonly size: TreeSize;
  readonly root: Uint8Array;
  readonly checkpoint: string;
  readonly tiles: readonly TileBytes[];
}

export interface CommitInput {
  readonly state: LogState;
  readonly sequenced: Sequenced;
  readonly grown: Grown;
  readonly nowMs: UnixMs;
}

export function commitOf({ state, sequenced, grown, nowMs }: CommitInput): Commit {
  const { size, root, checkpoint, tiles } = grown;
  const recordOf = ({ batch: { writerId, seq, batchHash }, outcomes }: AnsweredBatch): BatchRecord => {
    return { writerId, seq, batchHash, outcomes, size, root };
  };
  return {
    firstIndex: state.size,
    entries: sequenced.entries,
    tiles,
    batches: sequenced.answered.map(recordOf),
    gateways: sequenced.gateways,
    days: sequenced.days,
    state: {
      size,
      root,
      checkpoint,
      previousLeaf: sequenced.leaves.at(-1) ?? state.previousLeaf,
      lastAppendedMs: sequenced.entries.length > 0 ? nowMs : state.lastAppendedMs,
      counters: countersAfter(state.counters, sequenced),
    },
  };
}

/** The same refusal for every item of a batch. */
export function refusedOutcomes(
  refusal: Refusal,
  itemCount: number,
): { readonly reason: number; readonly index: null }[] {
  return Array.from({ length: itemCount }, () => ({ reason: refusalNumber(refusal), index: null }));
}
