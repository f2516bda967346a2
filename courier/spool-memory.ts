/** A spool for tests and rehearsals: it forgets with its process. */
import { FirebreakError } from '../protocol/errors.js';
import { SpoolIndex } from './spool-index.js';
import type { BatchPlan } from './spool-index.js';
import { DEFAULT_SPOOL_LIMITS } from './spool.js';
import type { OutboundEntry, RefusedEntry, Spool, SpooledBatch, SpoolLimits } from './spool.js';

export function memorySpool(limits: SpoolLimits = DEFAULT_SPOOL_LIMITS): Spool {
  return new MemorySpool(limits);
}

class MemorySpool implements Spool {
  readonly #index: SpoolIndex;
  readonly #kept = new Map<number, OutboundEntry>();
  readonly #refused = new Map<number, RefusedEntry>();

  constructor(limits: SpoolLimits) {
    this.#index = new SpoolIndex(limits, { nextId: 0, nextSeq: 1 });
  }

  async append(entries: readonly OutboundEntry[]): Promise<readonly number[]> {
    this.#index.requireRoom(entries, { entries: 0, bytes: 0 });
    return entries.map((entry) => {
      const id = this.#index.nextId;
      this.#index.addEntry(id, entry);
      this.#kept.set(id, entry);
      return id;
    });
  }

  form: Spool['form'] = async (limits) => this.#add(this.#index.planBatch(limits));
  recall: Spool['recall'] = async (limits) => this.#add(this.#index.planRecall(limits));
  formed: Spool['formed'] = async () => this.#index.batches().map((plan) => this.#batchOf(plan));

  async renumber(seq: number, step = 1): Promise<SpooledBatch> {
    const plan = this.#index.planRenumber(seq, step);
    this.#index.renumber(seq, plan);
    return this.#batchOf(plan);
  }

  settle: Spool['settle'] = async (seq, fates) => {
    const ids = this.#index.idsOf(seq);
    if (ids === undefined) return 0;
    for (const { id, reason } of fates.refused) this.#refused.set(id, { reason, entry: this.#entry(id) });
    this.#index.settle(seq, fates);
    for (const id of ids) if (!this.#index.has(id)) this.#kept.delete(id);
    const surplus = this.#index.surplusRefused(0);
    for (const id of surplus) this.#refused.delete(id);
    this.#index.dropRefused(surplus);
    return surplus.length;
  };

  dropRefused: Spool['dropRefused'] = async () => {
    this.#index.dropRefused([...this.#refused.keys()]);
    this.#refused.clear();
  };

  refusedByReason: Spool['refusedByReason'] = () => this.#index.refusedByReason();
  depth: Spool['depth'] = () => this.#index.depth();
  close: Spool['close'] = async () => {};

  async *refused(): AsyncGenerator<RefusedEntry> {
    const byId = [...this.#refused].sort(([x], [y]) => x - y);
    for (const [, entry] of byId) yield entry;
  }

  #add(plan: BatchPlan | undefined): SpooledBatch | undefined {
    if (plan) this.#index.addBatch(plan);
    return plan && this.#batchOf(plan);
  }

  #batchOf({ seq, ids }: BatchPlan): SpooledBatch {
    return { seq, ids, entries: ids.map((id) => this.#entry(id)) };
  }

  #entry(id: number): OutboundEntry {
    const entry = this.#kept.get(id);
    if (entry === undefined) throw new FirebreakError('damaged', 'the spool lost an entry');
    return entry;
  }
}
