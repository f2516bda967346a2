/**
 * A spool on disk, in a level folder of the writer's own (rows: spool-rows.ts).
 *
 * Appends that come while one is being synced wait, and are synced together: no timer, one sync for many. The
 * index is the truth while the spool is open. The ids of a failed write are given again, so that whatever of it
 * did reach the disk is written over. The number of a batch whose write failed may be passed over, when a batch
 * is renumbered by a step: the next change of batches deletes what may be there under it.
 */
import { FirebreakError } from '../protocol/errors.js';
import { openSpoolDisk } from './spool-disk.js';
import type { Operation, SpoolDisk } from './spool-disk.js';
import { sizeOf, SpoolIndex } from './spool-index.js';
import type { BatchPlan } from './spool-index.js';
import {
  decodeBatchRow,
  decodeEntryRow,
  decodeNumbers,
  decodeRefusedRow,
  encodeBatchRow,
  encodeEntryRow,
  encodeNumbers,
  encodeRefusedRow,
  formatOf,
  keyOf,
  NUMBERS_KEY,
  PARKED,
  ROW,
} from './spool-rows.js';
import { DEFAULT_SPOOL_LIMITS } from './spool.js';
import type { Fates, OutboundEntry, RefusedEntry, Spool, SpooledBatch, SpoolLimits } from './spool.js';

/** An append that is not written yet. */
interface Waiting {
  readonly entries: readonly OutboundEntry[];
  resolve(ids: readonly number[]): void;
  reject(error: unknown): void;
}

/** How a batch ends: what the index and the disk are to be told. */
interface Ending {
  readonly fates: Fates;
  readonly operations: readonly Operation[];
}

/**
 * Throws `locked` when another process has the folder open, `foreign` for another writer's, `permission`,
 * `damaged`.
 */
export async function openLevelSpool(
  dir: string,
  writerId: Uint8Array,
  limits: SpoolLimits = DEFAULT_SPOOL_LIMITS,
): Promise<Spool> {
  const disk = await openSpoolDisk(dir, formatOf(writerId));
  try {
    return new LevelSpool(disk, await readIndex(disk, limits));
  } catch (error) {
    await disk.close();
    if (error instanceof FirebreakError && error.code === 'damaged') throw error;
    throw new FirebreakError('damaged', `the spool in ${dir} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
}

class LevelSpool implements Spool {
  readonly #disk: SpoolDisk;
  readonly #index: SpoolIndex;
  #waiting: Waiting[] = [];
  #waitingSize = { entries: 0, bytes: 0 };
  #flushing: Promise<void> | undefined;
  /** Ends with the last change to batches; they are made one after another, since each gives or frees a number. */
  #lastInTurn: Promise<unknown> = Promise.resolve();
  /**
   * Of batches whose ending failed: it may have reached the disk all the same, so that their entries cannot
   * be read again.
   */
  readonly #endings = new Map<number, Ending>();
  /** Of batches whose write failed: rows that name entries of other batches may be there under them. */
  readonly #notGiven = new Set<number>();

  constructor(disk: SpoolDisk, index: SpoolIndex) {
    this.#disk = disk;
    this.#index = index;
  }

  append(entries: readonly OutboundEntry[]): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.#index.requireRoom(entries, this.#waitingSize);
      this.#waiting.push({ entries, resolve, reject });
      this.#countWaiting(entries, 1);
      this.#flushing ??= this.#flush();
    });
  }

  form: Spool['form'] = (limits) => this.#inTurn(() => this.#make(this.#index.planBatch(limits)));

  recall: Spool['recall'] = (limits) =>
    this.#inTurn(() => {
      const plan = this.#index.planRecall(limits);
      return this.#make(plan, plan?.ids.map((id) => del(keyOf(ROW.parked, id))) ?? []);
    });

  renumber(seq: number, step = 1): Promise<SpooledBatch> {
    return this.#inTurn(async () => {
      const plan = this.#index.planRenumber(seq, step);
      const batch = await this.#read(plan);
      await this.#writeBatch(plan, [del(keyOf(ROW.batch, seq))]);
      this.#index.renumber(seq, plan);
      return batch;
    });
  }

  async formed(): Promise<readonly SpooledBatch[]> {
    const batches: SpooledBatch[] = [];
    for (const plan of this.#index.batches()) batches.push(await this.#read(plan));
    return batches;
  }

  settle(seq: number, fates: Fates): Promise<number> {
    return this.#inTurn(async () => {
      const ids = this.#index.idsOf(seq);
      if (ids === undefined) return 0;
      const ending = this.#endings.get(seq) ?? (await this.#endingOf({ seq, ids }, fates));
      this.#endings.set(seq, ending);
      const surplus = this.#index.surplusRefused(ending.fates.refused.length);
      const dropped = surplus.map((id) => del(keyOf(ROW.refused, id)));
      // Not synced: undone by a crash, it is done again for the next receipt.
      await this.#changeBatches([...ending.operations, ...dropped], false);
      this.#endings.delete(seq);
      this.#index.settle(seq, ending.fates);
      this.#index.dropRefused(surplus);
      return surplus.length;
    });
  }

  async *refused(): AsyncGenerator<RefusedEntry> {
    for await (const [id, value] of this.#disk.rows(ROW.refused))
      if (this.#index.hasRefused(id)) yield decodeRefusedRow(value);
  }

  dropRefused(): Promise<void> {
    return this.#inTurn(async () => {
      const ids = this.#index.refusedIds();
      await this.#disk.write(ids.map((id) => del(keyOf(ROW.refused, id))));
      this.#index.dropRefused(ids);
    });
  }

  refusedByReason: Spool['refusedByReason'] = () => this.#index.refusedByReason();

  depth: Spool['depth'] = () => this.#index.depth();

  async close(): Promise<void> {
    await this.#flushing;
    await this.#lastInTurn;
    await this.#disk.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#lastInTurn.then(work);
    this.#lastInTurn = mine.catch(() => undefined);
    return mine;
  }

  async #make(plan: BatchPlan | undefined, beside: Operation[] = []): Promise<SpooledBatch | undefined> {
    if (plan === undefined) return undefined;
    const batch = await this.#read(plan);
    await this.#writeBatch(plan, beside);
    this.#index.addBatch(plan);
    return batch;
  }

  /** Writes the batch and, in the same write, `beside`. */
  async #writeBatch({ seq, ids }: BatchPlan, beside: Operation[]): Promise<void> {
    const numbers = encodeNumbers({ nextId: this.#index.nextId, nextSeq: seq + 1 });
    this.#notGiven.add(seq);
    await this.#changeBatches([
      ...beside,
      put(keyOf(ROW.batch, seq), encodeBatchRow(ids)),
      put(NUMBERS_KEY, numbers),
    ]);
  }

  /** Deletes first what failed writes may have left: what is put under the same key after that stays. */
  async #changeBatches(operations: Operation[], sync = true): Promise<void> {
    const leftOver = [...this.#notGiven].map((seq) => del(keyOf(ROW.batch, seq)));
    await this.#disk.write([...leftOver, ...operations], sync);
    this.#notGiven.clear();
  }

  async #endingOf({ seq, ids }: BatchPlan, fates: Fates): Promise<Ending> {
    const { parked, refused } = fates;
    const kept = new Set(parked);
    const gone = ids.filter((id) => !kept.has(id));
    const entries = await this.#readEntries(refused.map(({ id }) => id));
    const aside = refused.flatMap(({ id, reason }, k) => {
      const entry = entries[k];
      return entry === undefined ? [] : [put(keyOf(ROW.refused, id), encodeRefusedRow({ reason, entry }))];
    });
    const operations = [
      del(keyOf(ROW.batch, seq)),
      ...parked.map((id) => put(keyOf(ROW.parked, id), PARKED)),
      ...aside,
      ...gone.map((id) => del(keyOf(ROW.entry, id))),
    ];
    return { fates, operations };
  }

  async #read({ seq, ids }: BatchPlan): Promise<SpooledBatch> {
    return { seq, ids, entries: await this.#readEntries(ids) };
  }

  async #readEntries(ids: readonly number[]): Promise<OutboundEntry[]> {
    if (ids.length === 0) return [];
    return (await this.#disk.read(ids.map((id) => keyOf(ROW.entry, id)))).map(decodeEntryRow);
  }

  #countWaiting(of: readonly OutboundEntry[], sign: 1 | -1): void {
    const { entries, bytes } = sizeOf(of);
    this.#waitingSize.entries += sign * entries;
    this.#waitingSize.bytes += sign * bytes;
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      await this.#commit(group);
    }
    this.#flushing = undefined; // here, not in a later microtask: an append in between would wait for ever
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    let nextId = this.#index.nextId;
    const placed = group.map((waiting) => ({
      waiting,
      rows: waiting.entries.map((entry) => ({ id: nextId++, entry })),
    }));
    const rows = placed.flatMap(({ rows: ofCall }) => ofCall);
    try {
      await this.#disk.write(rows.map(({ id, entry }) => put(keyOf(ROW.entry, id), encodeEntryRow(entry))));
    } catch (error) {
      for (const { waiting } of placed) waiting.reject(error);
      return;
    } finally {
      for (const { waiting } of placed) this.#countWaiting(waiting.entries, -1);
    }
    for (const { id, entry } of rows) this.#index.addEntry(id, entry);
    for (const { waiting, rows: ofCall } of placed) waiting.resolve(ofCall.map(({ id }) => id));
  }
}

const put = (key: Uint8Array, value: Uint8Array): Operation => ({ type: 'put', key, value });
const del = (key: Uint8Array): Operation => ({ type: 'del', key });

/** Throws `damaged` when the rows do not fit together. */
async function readIndex(disk: SpoolDisk, limits: SpoolLimits): Promise<SpoolIndex> {
  const numbers = await disk.get(NUMBERS_KEY);
  const start = numbers === undefined ? { nextId: 0, nextSeq: 1 } : decodeNumbers(numbers);
  const index = new SpoolIndex(limits, start);
  for await (const [id, value] of disk.rows(ROW.entry)) index.addEntry(id, decodeEntryRow(value));
  for await (const [id] of disk.rows(ROW.parked)) {
    requireEntries(disk, index, [id]);
    index.park(id);
  }
  for await (const [seq, value] of disk.rows(ROW.batch)) {
    const ids = decodeBatchRow(value);
    requireEntries(disk, index, ids);
    index.addBatch({ seq, ids });
  }
  for await (const [id, value] of disk.rows(ROW.refused))
    index.addRefused(id, decodeRefusedRow(value).reason);
  return index;
}

function requireEntries(disk: SpoolDisk, index: SpoolIndex, ids: readonly number[]): void {
  if (ids.every((id) => index.has(id))) return;
  throw new FirebreakError('damaged', `the spool in ${disk.dir} names entries that it does not hold`);
}
