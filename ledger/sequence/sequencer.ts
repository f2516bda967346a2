/**
 * Group commit. Batches that come in while a commit is in flight wait and form the next one; there is no timer. One
 * commit signs one checkpoint, and all its batches are answered after it is synced.
 *
 * When the store fails, nobody knows whether the commit is stored. The sequencer then stops for good: everything
 * waiting is rejected unanswered, its writers send it again, and a ledger opened anew on the folder answers them.
 *
 * While the clock is doubted (append-clock.ts) every batch is refused as busy, unrecorded, and comes again.
 */
import { signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { asError, FirebreakError, type Refusal } from '../../protocol/errors.js';
import type { Outcome } from '../../protocol/mqtt/ledger-receipt.js';
import type { NoteSigner } from '../../protocol/tlog/note.js';
import type { TileEdge } from '../../protocol/tlog/tile-edge.js';
import type { WriterDirectory } from '../admission/writer.js';
import type { AppendClock } from './append-clock.js';
import type { CheckedBatch } from './checked-batch.js';
import { commitOf, refusedOutcomes, type Grown } from './commit.js';
import { payloadsToLookUp, sequence, type Answer } from './sequence.js';
import type { DayRegister } from '../store/day-record.js';
import type { LogState, Store } from '../store/store.js';

/** Entries in one commit: bounds its memory and how long the first batch in it waits. */
const MAX_COMMIT_ENTRIES = 4096;
const MAX_COMMIT_BYTES = 16 * 1024 * 1024;

export interface SequencerDeps {
  readonly store: Store;
  /** Where the log's tree ends; the sequencer is the only one to append to it. */
  readonly edge: TileEdge;
  readonly directory: WriterDirectory;
  readonly days: DayRegister;
  readonly retentionDays: number;
  /** Its name is the log's origin. */
  readonly logSigner: NoteSigner;
  readonly clock: AppendClock;
}

/** What a receipt says about a batch. */
export interface Settled {
  readonly outcomes: readonly Outcome[];
  readonly checkpoint: string;
  /** Why the batch was refused as a whole: nothing of it is recorded. */
  readonly refusal?: Refusal;
}

interface Waiting {
  readonly batch: CheckedBatch;
  readonly bytes: number;
  readonly resolve: (settled: Settled) => void;
  readonly reject: (error: FirebreakError) => void;
}

export class Sequencer {
  readonly #deps: SequencerDeps;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #failure: FirebreakError | undefined;
  #commits = 0;
  #tellFailure: (failure: FirebreakError) => void = () => undefined;
  /** Resolves with why the sequencer stopped, if ever. */
  readonly failed: Promise<FirebreakError>;

  constructor(deps: SequencerDeps) {
    this.#deps = deps;
    this.failed = new Promise((resolve) => (this.#tellFailure = resolve));
  }

  /** Commits since the ledger was opened. */
  get commits(): number {
    return this.#commits;
  }

  /** Why the sequencer stopped. */
  get failure(): FirebreakError | undefined {
    return this.#failure;
  }

  /**
   * Resolves when the batch is stored and synced, or was before. Rejects when the store failed. The caller
   * bounds how many wait.
   */
  submit(batch: CheckedBatch): Promise<Settled> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const bytes = batch.items.reduce((sum, { payload }) => sum + payload.length, 0);
      this.#queue.push({ batch, bytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is in flight any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 && this.#failure === undefined) {
      const group = this.#takeGroup();
      try {
        const settled = await this.#commit(group.map(({ batch }) => batch));
        settled.forEach((one, i) => group[i]?.resolve(one));
      } catch (error) {
        this.#fail(error, group);
      }
    }
    this.#running = undefined;
  }

  #takeGroup(): Waiting[] {
    let entries = 0;
    let bytes = 0;
    const over = this.#queue.findIndex((waiting, i) => {
      entries += waiting.batch.items.length;
      bytes += waiting.bytes;
      return i > 0 && (entries > MAX_COMMIT_ENTRIES || bytes > MAX_COMMIT_BYTES);
    });
    return this.#queue.splice(0, over === -1 ? this.#queue.length : over);
  }

  #fail(cause: unknown, group: readonly Waiting[]): void {
    const why = asError(cause).message;
    const code = cause instanceof FirebreakError && cause.code === 'full' ? 'full' : 'closed';
    const failure = new FirebreakError(code, `the ledger stopped, its store failed: ${why}`, { cause });
    this.#failure = failure;
    this.#tellFailure(failure);
    for (const { reject } of [...group, ...this.#queue.splice(0)]) reject(failure);
  }

  async #commit(batches: readonly CheckedBatch[]): Promise<Settled[]> {
    const { store, directory, days, retentionDays, clock } = this.#deps;
    const rules = {
      days: { find: (day: number) => days.find(day), retentionDays },
      gateways: {
        find: (id: Uint8Array) => directory.gateway(id),
        isConfigured: (id: Uint8Array) => directory.isConfigured(id),
      },
    };
    const state = store.state();
    const nowMs = clock.timeAfter(state);
    if (nowMs === undefined) return batches.map(({ items }) => this.#busy(items.length));
    const answered = (await store.lookup({ batches, payloads: [] })).batches;
    const payloads = payloadsToLookUp(batches, answered);
    const found = { batches: answered, payloads: (await store.lookup({ batches: [], payloads })).payloads };
    const sequenced = sequence({ state, batches, payloads, found, nowMs, rules });
    if (sequenced.answered.length > 0) {
      const grown = this.#grow(state, sequenced.leaves);
      await store.commit(commitOf({ state, sequenced, grown, nowMs }));
      this.#commits += 1;
      for (const record of sequenced.gateways) directory.keep(record);
      for (const record of sequenced.days) days.keep(record);
    }
    return sequenced.answers.map((answer, i) => this.#settle(answer, batches[i]?.items.length ?? 0));
  }

  #grow({ size, root, checkpoint }: LogState, leaves: readonly Uint8Array[]): Grown {
    if (leaves.length === 0) return { size, root, checkpoint, tiles: [] };
    const { edge } = this.#deps;
    for (const leaf of leaves) edge.append(leaf);
    const grown = { size: edge.size, root: edge.root() };
    return { ...grown, checkpoint: this.#sign(grown), tiles: edge.takeChanged(1) };
  }

  #busy(itemCount: number): Settled {
    const { checkpoint } = this.#deps.store.state();
    return { outcomes: refusedOutcomes('busy', itemCount), checkpoint, refusal: 'busy' };
  }

  #settle(answer: Answer, itemCount: number): Settled {
    const { checkpoint, size } = this.#deps.store.state();
    if (answer.kind === 'refused') {
      const { refusal } = answer;
      return { outcomes: refusedOutcomes(refusal, itemCount), checkpoint, refusal };
    }
    if (answer.kind === 'new') return { outcomes: answer.outcomes, checkpoint };
    const { record } = answer;
    return { outcomes: record.outcomes, checkpoint: record.size === size ? checkpoint : this.#sign(record) };
  }

  /** Ed25519 is deterministic: an earlier checkpoint signed again is the same text, so a receipt can be given again. */
  #sign({ size, root }: Pick<LogState, 'size' | 'root'>): string {
    return signCheckpoint({ origin: this.#deps.logSigner.name, size, root }, this.#deps.logSigner);
  }
}
