/**
 * The ledger: takes signed batches, orders what they hold into a log that only grows, and answers each with a signed
 * receipt once it is stored and synced (protocol.md §9, §10). How batches arrive is for the brokers to know.
 */
import { asTreeSize } from '../protocol/brands.js';
import { signCheckpoint } from '../protocol/tlog/checkpoint.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { FirebreakError, refusalNumber, type Refusal } from '../protocol/errors.js';
import { partyIdOf } from '../protocol/keys.js';
import type { LedgerReader } from '../protocol/tlog/ledger-reader.js';
import { signLedgerReceipt } from '../protocol/mqtt/ledger-receipt.js';
import { silentLog } from '../protocol/log.js';
import { emptyRoot } from '../protocol/tlog/merkle.js';
import type { NoteSigner } from '../protocol/tlog/note.js';
import type { ClockDoubt } from './sequence/append-clock.js';
import type { CheckedBatch, RefusedBatch } from './sequence/checked-batch.js';
import { refusedOutcomes } from './sequence/commit.js';
import type { DayRecord } from './store/day-record.js';
import { readerOfStore } from './readers/reader-level.js';
import { Intake } from './intake/intake.js';
import { openParts, type LedgerParts, type PartsDeps } from './parts.js';
import type { Settled } from './sequence/sequencer.js';
import { openStoreLevel, type StoreTuning } from './store/store-open.js';
import type { Counters } from './store/store.js';
import type { PublicationStatus } from './witnesses/publication-contract.js';

export interface LedgerDeps extends PartsDeps {
  /** Signs receipts; another key than the log's (protocol.md §9). */
  readonly receiptSigner: Signer;
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
  /** Batches refused as a whole since the ledger was opened, busy ones too, by refusal number. */
  readonly refusedBatches: ReadonlyMap<number, number>;
  /** Days that are pruned while their bytes may still be in the store's files; 0 when all is done. */
  readonly daysToRemove: number;
  /** Why removing them failed last; reads are refused all the same. */
  readonly removalFailure: string | undefined;
  /** Why the ledger takes nothing any more; a person has to look at the disk and start it again. */
  readonly failure: string | undefined;
  /**
   * What the last of the threads that check batches died of, when none is left; until one, started anew, has
   * checked a batch.
   */
  readonly checkFailure: string | undefined;
  /** The clock is not believed, and all is refused as busy until it is mended or a person says that it is right. */
  readonly clockDoubt: ClockDoubt | undefined;
  /** What readers see, and who of the witnesses does not cosign. */
  readonly publication: PublicationStatus;
}

export interface Ledger {
  /**
   * The signed receipt for a batch, once everything it names is synced. The same batch gets the same receipt again.
   *
   * `from` is the writer the bytes came from, where the way they came proves it: a batch that cannot be read is then
   * refused in a receipt, and without it throws `format` or `size`. Throws `closed` when the ledger is or its store
   * failed, `full` when its disk is; nothing is known of the batch then, and it is to be sent again. The bytes may not
   * change until it is answered.
   */
  submit(batchBytes: Uint8Array, from?: Uint8Array): Promise<Uint8Array>;
  /** Whether the holder of this key may write at all. */
  knows(publicKey: Uint8Array): boolean;
  /** A reader of what this ledger published. It ends with the ledger. */
  reader(): LedgerReader;
  status(): LedgerStatus;
  /** What is stored and pruned, by day of the reports, ascending. */
  days(): readonly DayRecord[];
  /**
   * Resolves with why the ledger takes nothing any more, if its store ever fails. Nothing else is left then
   * but to close it.
   */
  readonly failed: Promise<FirebreakError>;
  /** Answers what was taken in, then closes the store. */
  close(): Promise<void>;
}

const MAX_PENDING_BATCHES = 4096;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** Of one writer: several times what a courier has under way. */
const MAX_WRITER_BATCHES = 256;
const MAX_WRITER_BYTES = 16 * 1024 * 1024;

class OpenLedger implements Ledger {
  readonly #deps: LedgerDeps;
  readonly #parts: LedgerParts;
  readonly #intake: Intake;
  readonly #refused = new Map<number, number>();
  #closing: Promise<void> | undefined;

  constructor(deps: LedgerDeps, parts: LedgerParts) {
    this.#deps = deps;
    this.#parts = parts;
    const { maxPendingBatches: batches = MAX_PENDING_BATCHES, maxPendingBytes: bytes = MAX_PENDING_BYTES } =
      deps;
    this.#intake = new Intake({
      checker: parts.checker,
      answer: (batch) => this.#answer(batch),
      limits: { batches, bytes, batchesPerWriter: MAX_WRITER_BATCHES, bytesPerWriter: MAX_WRITER_BYTES },
    });
  }

  get failed(): Promise<FirebreakError> {
    return this.#parts.sequencer.failed;
  }

  async submit(batchBytes: Uint8Array, from?: Uint8Array): Promise<Uint8Array> {
    if (this.#closing !== undefined) throw new FirebreakError('closed', 'the ledger is closed');
    return this.#intake.submit(batchBytes, from);
  }

  knows(publicKey: Uint8Array): boolean {
    return this.#parts.directory.find(partyIdOf(publicKey)) !== undefined;
  }

  reader(): LedgerReader {
    const { store, publication } = this.#parts;
    return readerOfStore(store, () => publication.head());
  }

  status(): LedgerStatus {
    const { store, directory, appendClock, sequencer, days, remover, publication, checker } = this.#parts;
    const { size, lastAppendedMs, counters } = store.state();
    return {
      origin: this.#deps.logSigner.name,
      size,
      lastAppendedMs,
      counters,
      gateways: directory.gatewayCount,
      pendingBatches: this.#intake.batches,
      pendingBytes: this.#intake.bytes,
      commits: sequencer.commits,
      refusedBusy: this.#refused.get(refusalNumber('busy')) ?? 0,
      refusedBatches: new Map(this.#refused),
      daysToRemove: days.toRemove,
      removalFailure: remover.failure,
      failure: sequencer.failure?.message,
      checkFailure: checker.failure,
      clockDoubt: appendClock.doubt(store.state()),
      publication: publication.status(),
    };
  }

  days(): readonly DayRecord[] {
    return this.#parts.days.list();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const removerClosed = this.#parts.remover.close();
    await this.#intake.idle();
    await this.#parts.sequencer.idle();
    await this.#parts.publication.close();
    await this.#parts.checker.close();
    await removerClosed;
    await this.#parts.store.close();
  }

  async #answer(batch: CheckedBatch | RefusedBatch): Promise<Uint8Array> {
    if ('refusal' in batch) return this.#refuse(batch);
    const settled = await this.#parts.sequencer.submit(batch);
    this.#parts.publication.committed();
    this.#parts.remover.wake();
    if (settled.refusal !== undefined) this.#count(settled.refusal);
    return this.#receipt(batch, settled);
  }

  #refuse(batch: RefusedBatch): Uint8Array {
    this.#count(batch.refusal);
    const { checkpoint } = this.#parts.store.state();
    return this.#receipt(batch, { outcomes: refusedOutcomes(batch.refusal, batch.itemCount), checkpoint });
  }

  #count(refusal: Refusal): void {
    const number = refusalNumber(refusal);
    this.#refused.set(number, (this.#refused.get(number) ?? 0) + 1);
  }

  #receipt(batch: CheckedBatch | RefusedBatch, { outcomes, checkpoint }: Settled): Uint8Array {
    const { writerId, seq, batchHash } = batch;
    return signLedgerReceipt({ writerId, seq, batchHash, outcomes, checkpoint }, this.#deps.receiptSigner);
  }
}

function firstCheckpoint(logSigner: NoteSigner): string {
  return signCheckpoint({ origin: logSigner.name, size: asTreeSize(0), root: emptyRoot() }, logSigner);
}

/**
 * Opens the ledger in `deps.dir`, a new one in an empty folder. Reads not the log, but the journal, which it replays, the
 * filters of the payload index, the entries that are not in that yet (some hundred thousand), and the tree's edge.
 *
 * Throws `locked` when the folder is open elsewhere, `foreign` when it is another log's or another version's, or the
 * policy is, `input` for a policy whose witnesses have no URL, `damaged` with what is, `permission`.
 */
export async function openLedger(deps: LedgerDeps): Promise<Ledger> {
  const { dir, logSigner, storeTuning: tuning, log = silentLog } = deps;
  const identity = { origin: logSigner.name, logPublicKey: logSigner.publicKey };
  const store = await openStoreLevel({
    dir,
    identity,
    firstCheckpoint: () => firstCheckpoint(logSigner),
    tuning,
    log,
  });
  try {
    const parts = await openParts(store, deps);
    parts.remover.wake();
    return new OpenLedger(deps, parts);
  } catch (error) {
    await store.close().catch(() => undefined);
    throw error;
  }
}
