/**
 * Follows a ledger: reads what a new checkpoint adds, verifies chain and root against all that was verified before, and
 * only then hands entries on. A fork or a rollback is refused with `consistency`, and nothing of it is used.
 *
 * Two passes over the pages of new entries, so that a long log is never held: the first verifies and keeps one
 * hash a page (32 bytes for 256 entries), the second reads each page again, holds it against its hash, and
 * hands it on. What is verified and not handed on yet, because a read failed or the caller stopped, is handed
 * on by the next call.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { confirmLog, extendLog, newLog, sizeOf } from '../../protocol/tlog/log-verifier.js';
import type { ExtendedLog, VerifiedLog } from '../../protocol/tlog/log-verifier.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { openWitnessedCheckpoint, type WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../../protocol/tlog/tile.js';
import { AskerError, telling, toldIf } from '../asker-error.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { LoggedEntry } from './payloads.js';

export interface FollowerDeps {
  readonly reader: LedgerReader;
  readonly verifier: NoteVerifier;
  /** Who must have cosigned a checkpoint before anything under it is used. */
  readonly policy?: WitnessPolicy;
  readonly checkpoints: CheckpointStore;
  /** What an earlier life verified and handed on; from the beginning of the log when absent. */
  readonly start?: VerifiedLog;
  /** Told in the first pass, after every so many pages: it may take long before the first page is handed on. */
  readonly onVerified?: () => Promise<void>;
  /** Pages; 64 by default. */
  readonly verifiedEvery?: number;
  /** Given verified entries, page by page, in order; a page it throws for comes again. */
  readonly onPage: (entries: readonly LoggedEntry[], signal?: AbortSignal) => Promise<void>;
  /** Told after each page: {@link Follower.position} has moved. */
  readonly onTaken?: () => Promise<void>;
}

export interface CatchUp {
  readonly checkpoint: Checkpoint;
  /** The same as it was read: a signed note. */
  readonly note: string;
  /** Entries handed on. */
  readonly added: number;
}

export type Progress = (done: number, size: number) => void;

const VERIFIED_EVERY = 64;

/** Whoever asks is told of a log that does not add up: there is no answer from it. */
const LOG_CODES: readonly ErrorCode[] = ['consistency', 'chain', 'signature', 'foreign', 'witness'];

/** The new part of an entry bundle, as it was verified. */
interface Page {
  readonly bundle: number;
  readonly width: number;
  /** Index of its first new entry. */
  readonly from: number;
  readonly sha256: Uint8Array;
}

export class Follower {
  readonly #deps: FollowerDeps;
  #log: VerifiedLog;
  /** As far as entries were handed on. */
  #position: VerifiedLog;
  /** Verified, not handed on yet; oldest first. */
  #unread: Page[] = [];
  /** What an earlier run verified; to be met again on the way. */
  #milestone: Checkpoint | undefined;
  #started = false;
  /** The note saved last. */
  #kept: string | undefined;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
    this.#log = deps.start ?? newLog();
    this.#position = this.#log;
  }

  /** The log as far as its entries were handed on. */
  get position(): VerifiedLog {
    return this.#position;
  }

  /** Entries verified. */
  get size(): number {
    return sizeOf(this.#log);
  }

  /**
   * Reads up to the current checkpoint. One call at a time. `onProgress` is told how many entries were handed
   * on, of how many there are: as soon as the checkpoint is read, and with each page. Throws `consistency`,
   * `chain`, `signature`, `foreign`, `witness` for a checkpoint that too few cosigned, or what the reader
   * throws.
   */
  async catchUp(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    await this.#start();
    const note = await this.#deps.reader.checkpoint();
    const { verifier, policy } = this.#deps;
    const checkpoint = telling(LOG_CODES, () => openWitnessedCheckpoint(note, verifier, policy));
    this.#requireForward(checkpoint);
    const onRead = (): void => onProgress?.(sizeOf(this.#position), checkpoint.size);
    onRead();
    await this.#verify(checkpoint, onRead, signal).catch((error: unknown) => {
      throw toldIf(error, LOG_CODES);
    });
    await this.#keep(note);
    return { checkpoint, note, added: await this.#handOn(onProgress, signal) };
  }

  async #start(): Promise<void> {
    if (this.#started) return;
    const saved = await this.#deps.checkpoints.load();
    this.#milestone = saved === undefined ? undefined : openCheckpoint(saved, this.#deps.verifier);
    this.#started = true;
  }

  #requireForward(checkpoint: Checkpoint): void {
    const known = Math.max(this.size, this.#milestone?.size ?? 0);
    if (checkpoint.size >= known) return;
    throw new AskerError(
      'consistency',
      `the ledger shows ${checkpoint.size} entries, and ${known} were seen before: it was rolled back`,
    );
  }

  async #keep(note: string): Promise<void> {
    if (note === this.#kept) return;
    await this.#deps.checkpoints.save(note).catch((cause: unknown) => {
      throw new FirebreakError('closed', 'the tracer cannot keep how far it has read', { cause });
    });
    this.#kept = note;
  }

  /** First pass. Nothing of it is kept unless the whole of it gives the root of the checkpoint. */
  async #verify(checkpoint: Checkpoint, onRead: () => void, signal: AbortSignal | undefined): Promise<void> {
    const { onVerified, verifiedEvery = VERIFIED_EVERY } = this.#deps;
    const pages: Page[] = [];
    let log: VerifiedLog | ExtendedLog = this.#log;
    while (sizeOf(log) < checkpoint.size) {
      signal?.throwIfAborted();
      const from = sizeOf(log);
      const bundle = Math.floor(from / TILE_WIDTH);
      const width = tileWidthAt(0, bundle, checkpoint.size);
      const bytes = await this.#deps.reader.entryBundle(bundle, width);
      log = this.#extend(log, newEntriesOf(bytes, width, from));
      pages.push({ bundle, width, from, sha256: sha256(bytes).slice() }); // a view of many would keep all of them
      onRead();
      if (pages.length % verifiedEvery === 0) await onVerified?.();
    }
    this.#log = confirmLog(log, checkpoint);
    this.#milestone = undefined; // met on the way, since the log is as long now
    for (const page of pages) this.#unread.push(page);
  }

  /** Past the milestone only by way of its root. */
  #extend(log: VerifiedLog | ExtendedLog, entries: readonly Uint8Array[]): ExtendedLog {
    const milestone = this.#milestone;
    const ahead = (milestone?.size ?? -1) - sizeOf(log);
    if (milestone === undefined || ahead < 0 || ahead > entries.length) return extendLog(log, entries).log;
    const before = extendLog(log, entries.slice(0, ahead)).log;
    return extendLog(confirmLog(before, milestone), entries.slice(ahead)).log;
  }

  /** Second pass. */
  async #handOn(onProgress: Progress | undefined, signal: AbortSignal | undefined): Promise<number> {
    let added = 0;
    for (let page = this.#unread[0]; page !== undefined; page = this.#unread[0]) {
      signal?.throwIfAborted();
      const { entries, bytes } = await this.#readAgain(page);
      await this.#deps.onPage(entries, signal);
      this.#unread.shift();
      // Part of what a checkpoint confirmed, and so confirmed.
      this.#position = { ...extendLog(this.#position, bytes).log, confirmed: true };
      added += entries.length;
      await this.#deps.onTaken?.();
      onProgress?.(page.from + entries.length, this.size);
    }
    return added;
  }

  async #readAgain({ bundle, width, from, sha256: verified }: Page) {
    const read = await this.#deps.reader.entryBundle(bundle, width);
    if (!equalBytes(sha256(read), verified)) {
      throw new AskerError(
        'consistency',
        `the ledger shows other entries from ${from} on than those it committed to`,
      );
    }
    const bytes = newEntriesOf(read, width, from);
    const entries: LoggedEntry[] = bytes.map((entry, place) => ({
      ...decodeEntry(entry),
      index: from + place,
    }));
    return { entries, bytes };
  }
}

/** The rest of a bundle; `from` may lie inside it. */
const newEntriesOf = (bundle: Uint8Array, width: number, from: number): Uint8Array[] =>
  entriesOf(bundle, width).slice(from % TILE_WIDTH);
