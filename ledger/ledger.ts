/**
 * The ledger: takes signed batches, orders what they hold into a log that only grows, and answers each with a signed
 * receipt once it is stored and synced (protocol.md §9, §10). How batches arrive is for the brokers to know.
 */
import { asTreeSize } from '../protocol/brands.js';
import { signCheckpoint } from '../protocol/checkpoint.js';
import type { Clock } from '../protocol/clock.js';
import type { Signer } from '../protocol/ed25519.js';
import { FirebreakError } from '../protocol/errors.js';
import { partyIdOf } from '../protocol/keys.js';
import type { LedgerReader } from '../protocol/ledger-reader.js';
import { signLedgerReceipt } from '../protocol/ledger-receipt.js';
import { emptyRoot } from '../protocol/merkle.js';
import type { NoteSigner } from '../protocol/note.js';
import { busyBatch } from './admission/batch.js';
import { WriterDirectory, type ConfiguredWriter } from './admission/writer.js';
import type { CheckedBatch, RefusedBatch } from './checked-batch.js';
import { refusedOutcomes } from './commit.js';
import { readerOfStore } from './reader-level.js';
import { Sequencer, type Settled } from './sequencer.js';
import { readEdge } from './start.js';
import { openStoreLevel, type StoreTuning } from './store-recovery.js';
import type { Counters, Store } from './store.js';
import { inlineChecker, type BatchChecker } from './verify-inline.js';

export interface LedgerDeps {
  /** The ledger's folder; made when it is not there. */
  readonly dir: string;
  /** Signs checkpoints; its name is the log's origin. */
  readonly logSigner: NoteSigner;
  /** Signs receipts; another key than the log's (protocol.md §9). */
  readonly receiptSigner: Signer;
  readonly issuerPublicKey: Uint8Array;
  /** Everyone but the gateways, whom the issuer names in the log. */
  readonly writers: readonly ConfiguredWriter[];
  readonly retentionDays: number;
  readonly clock: Clock;
  /** Batches taken in and not yet answered, at most; more are refused as busy. */
  readonly maxPendingBatches?: number;
  readonly maxPendingBytes?: number;
  readonly storeTuning?: StoreTuning;
}

export interface LedgerStatus {
  readonly origin: string;
  readonly size: number;
  readonly lastAppendedMs: number;
  readonly counters: Counters;
  readonly gateways: number;
  /** Taken in and not yet answered. */
  readonly pendingBatches: number;
  readonly pendingBytes: number;
  /** Since the ledger was opened. */
  readonly commits: number;
  readonly refusedBusy: number;
  /** Why the ledger takes nothing any more; a person has to look at the disk and start it again. */
  readonly failure: string | undefined;
}

export interface Ledger {
  /**
   * The signed receipt for a batch, once everything it names is synced. The same batch gets the same receipt again.
   *
   * `from` is the writer the bytes came from, where the way they came proves it: a batch that cannot be read is then
   * refused in a receipt, and without it throws `format` or `size`. Throws `closed` when the ledger is or its store
   * failed, `full` when its disk is; nothing is known of the batch then, and it is to be sent again.
   */
  submit(batchBytes: Uint8Array, from?: Uint8Array): Promise<Uint8Array>;
  /** Whether the holder of this key may write at all. */
  knows(publicKey: Uint8Array): boolean;
  /** A reader of this ledger's store. It ends with the ledger. */
  reader(): LedgerReader;
  status(): LedgerStatus;
  /** Resolves with why the ledger takes nothing any more, if its store ever fails. Nothing else is left then but to close it. */
  readonly failed: Promise<FirebreakError>;
  /** Answers what was taken in, then closes the store. */
  close(): Promise<void>;
}

const MAX_PENDING_BATCHES = 4096;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

interface Parts {
  readonly store: Store;
  readonly directory: WriterDirectory;
  readonly checker: BatchChecker;
  readonly sequencer: Sequencer;
}

class OpenLedger implements Ledger {
  readonly #deps: LedgerDeps;
  readonly #parts: Parts;
  readonly #pending = new Set<Promise<unknown>>();
  #pendingBytes = 0;
  #refusedBusy = 0;
  #closing: Promise<void> | undefined;

  constructor(deps: LedgerDeps, parts: Parts) {
    this.#deps = deps;
    this.#parts = parts;
  }

  get failed(): Promise<FirebreakError> {
    return this.#parts.sequencer.failed;
  }

  async submit(batchBytes: Uint8Array, from?: Uint8Array): Promise<Uint8Array> {
    if (this.#closing !== undefined) throw new FirebreakError('closed', 'the ledger is closed');
    if (this.#isFull(batchBytes.length)) {
      this.#refusedBusy += 1;
      return this.#refuse(busyBatch(batchBytes, from));
    }
    const answer = this.#answer(batchBytes, from);
    this.#pending.add(answer);
    this.#pendingBytes += batchBytes.length;
    try {
      return await answer;
    } finally {
      this.#pending.delete(answer);
      this.#pendingBytes -= batchBytes.length;
    }
  }

  knows(publicKey: Uint8Array): boolean {
    return this.#parts.directory.find(partyIdOf(publicKey)) !== undefined;
  }

  reader(): LedgerReader {
    return readerOfStore(this.#parts.store);
  }

  status(): LedgerStatus {
    const { store, directory, sequencer } = this.#parts;
    const { size, lastAppendedMs, counters } = store.state();
    return {
      origin: this.#deps.logSigner.name,
      size,
      lastAppendedMs,
      counters,
      gateways: directory.gatewayCount,
      pendingBatches: this.#pending.size,
      pendingBytes: this.#pendingBytes,
      commits: sequencer.commits,
      refusedBusy: this.#refusedBusy,
      failure: sequencer.failure?.message,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    await this.#parts.sequencer.idle();
    await this.#parts.store.close();
  }

  #isFull(bytes: number): boolean {
    const { maxPendingBatches = MAX_PENDING_BATCHES, maxPendingBytes = MAX_PENDING_BYTES } = this.#deps;
    return this.#pending.size >= maxPendingBatches || this.#pendingBytes + bytes > maxPendingBytes;
  }

  async #answer(bytes: Uint8Array, from: Uint8Array | undefined): Promise<Uint8Array> {
    const checked = await this.#parts.checker.check(bytes, from);
    if ('refusal' in checked) return this.#refuse(checked);
    return this.#receipt(checked, await this.#parts.sequencer.submit(checked));
  }

  #refuse(batch: RefusedBatch): Uint8Array {
    const { checkpoint } = this.#parts.store.state();
    return this.#receipt(batch, { outcomes: refusedOutcomes(batch.refusal, batch.itemCount), checkpoint });
  }

  #receipt({ writerId, seq, batchHash: hash }: CheckedBatch | RefusedBatch, settled: Settled): Uint8Array {
    return signLedgerReceipt({ writerId, seq, batchHash: hash, ...settled }, this.#deps.receiptSigner);
  }
}

function firstCheckpoint(logSigner: NoteSigner): string {
  return signCheckpoint({ origin: logSigner.name, size: asTreeSize(0), root: emptyRoot() }, logSigner);
}

async function partsOf(store: Store, deps: LedgerDeps): Promise<Parts> {
  const { logSigner, issuerPublicKey, retentionDays, clock, writers } = deps;
  const directory = new WriterDirectory(writers, await store.gateways());
  const edge = await readEdge(store, logSigner);
  return {
    store,
    directory,
    checker: inlineChecker({ directory, issuerPublicKey, retentionDays }),
    sequencer: new Sequencer({ store, edge, directory, logSigner, clock }),
  };
}

/**
 * Opens the ledger in `deps.dir`, a new one in an empty folder. Reads no more than the last commit and the tree's edge.
 *
 * Throws `locked` when another ledger runs on the folder, `foreign` when it is another log's or another version's,
 * `damaged` with what is, `permission`.
 */
export async function openLedger(deps: LedgerDeps): Promise<Ledger> {
  const { dir, logSigner, storeTuning: tuning } = deps;
  const identity = { origin: logSigner.name, logPublicKey: logSigner.publicKey };
  const store = await openStoreLevel({
    dir,
    identity,
    firstCheckpoint: () => firstCheckpoint(logSigner),
    tuning,
  });
  try {
    return new OpenLedger(deps, await partsOf(store, deps));
  } catch (error) {
    await store.close();
    throw error;
  }
}
