/**
 * The ledger's store: a journal, in which a commit becomes durable with one synced write, and behind it a level
 * database, in which it comes to rest (store-keys.ts). Beside them the head file says how far the log had come.
 */
import { asBuffer, concat } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { FoundPayload } from '../../protocol/tlog/ledger-reader.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../../protocol/tlog/tile.js';
import type { DayRecord } from './day-record.js';
import { decodeGatewayRecord, type GatewayRecord } from './gateway-record.js';
import type { HeadFile } from './head-file.js';
import type { Journal } from './journal.js';
import type { Row } from './journal-frames.js';
import type { PayloadFiles } from './payload-files.js';
import type { PayloadIndex } from './payload-index.js';
import { oneAfterTheOther } from './one-after-the-other.js';
import { readPayloads } from './read-payloads.js';
import { rowsOf } from './store-commit-rows.js';
import {
  batchKey,
  batchRange,
  GATEWAY_RANGE,
  indexOfKey,
  segmentKey,
  STATE_KEY,
  tileKey,
} from './store-keys.js';
import { storeError, type Database } from './database.js';
import { readDays, removePayloads } from './store-pruning.js';
import { decodeBatchRow } from './store-rows.js';
import { entryCount, bundleOfSegments } from './store-segments.js';
import { encodeStateRow } from './store-state.js';
import type { BatchRecord, Commit, Found, LogState, Lookup, Store } from './store.js';
import type { WriteBehind } from './write-behind.js';

/** What an opened store is made of; all of it is the store's to close. */
export interface StoreParts {
  readonly dir: string;
  readonly db: Database;
  readonly journal: Journal;
  readonly behind: WriteBehind;
  readonly files: PayloadFiles;
  readonly index: PayloadIndex;
  readonly head: HeadFile;
  readonly state: LogState;
  readonly commit: number;
}

export class StoreLevel implements Store {
  readonly #parts: StoreParts;
  #state: LogState;
  /** Number of the last commit, counted since the log began. */
  #commitNumber: number;
  /** The last commit that is synced in the database. */
  #settled: number;
  /** Ends with the last {@link #settle} under way. */
  #settling: Promise<void> | undefined;
  /** Ends with the last of what runs {@link #alone}. */
  #lastAlone: Promise<void> = Promise.resolve();
  /** `indexedTo` of the payload index when a state row was written last, or the store was opened. */
  #storedIndexedTo: number;
  /** A commit failed: its frame may be in the journal, and the head file may speak of it. */
  #hasFailed = false;
  /** Highest sequence number of each writer that was asked for: a higher one is new without a look. */
  readonly #lastSeq = new Map<string, number>();

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#state = parts.state;
    this.#commitNumber = parts.commit;
    this.#settled = parts.commit;
    this.#storedIndexedTo = parts.index.indexedTo;
  }

  state(): LogState {
    return this.#state;
  }

  async gateways(): Promise<readonly GatewayRecord[]> {
    const rows = await this.#read((db) => db.values(GATEWAY_RANGE).all());
    return rows.map(decodeGatewayRecord);
  }

  async lookup({ batches, payloads }: Lookup): Promise<Found> {
    const { index } = this.#parts;
    const found: (BatchRecord | undefined)[] = [];
    for (const { writerId, seq } of batches) found.push(await this.#findBatch(writerId, seq));
    return { batches: found, payloads: await this.#guard(() => index.find(payloads)) };
  }

  async commit(commit: Commit): Promise<void> {
    const { journal, behind, head, files } = this.#parts;
    await this.#alone(async () => {
      this.#hasFailed = true;
      const rows = rowsOf(commit, (day, length) => files.reserve(day, length));
      await this.#makeRoom(commit.entries.length);
      const number = this.#commitNumber + 1;
      rows.push(this.#stateRow(commit.state, number));
      const written = journal.append({ commit: number, settled: this.#settled, rows });
      this.#indexPayloads(commit);
      await written;
      head.write({ commit: number, checkpoint: commit.state.checkpoint });
      behind.add(rows, commit.entries.length);
      this.#commitNumber = number;
      this.#keepState(commit);
      this.#hasFailed = false;
    });
  }

  /** The first segment is most often all of it, and one read costs less than going over a range. */
  async bundle(index: number, width: number): Promise<Uint8Array> {
    const firstIndex = index * TILE_WIDTH;
    const key = segmentKey(firstIndex);
    const value: Uint8Array | undefined = await this.#read((db) => db.get(key));
    const first = value === undefined ? [] : [{ firstIndex, value }];
    if (value !== undefined && entryCount(value) >= width) return bundleOfSegments(firstIndex, width, first);
    const rest = { gt: key, lt: segmentKey(firstIndex + width) };
    const rows = await this.#read((db) => db.iterator(rest).all());
    const further = rows.map(([at, segment]) => ({ firstIndex: indexOfKey(at), value: segment }));
    return bundleOfSegments(firstIndex, width, [...first, ...further]);
  }

  async tile(level: number, index: number): Promise<Uint8Array> {
    const width = tileWidthAt(level, index, this.#state.size);
    if (width === 0) return new Uint8Array(0);
    if (level === 0 && width < TILE_WIDTH) {
      return concat(...entriesOf(await this.bundle(index, width), width).map(leafHash));
    }
    const row = await this.#read((db) => db.get(tileKey(level, index)));
    if (row !== undefined) return row;
    throw new FirebreakError(
      'damaged',
      `tile ${level}/${index} is missing from the store in ${this.#parts.dir}`,
    );
  }

  async payloads(hashes: readonly Uint8Array[]): Promise<readonly FoundPayload[]> {
    return this.#read(async (db) => {
      const { files, index } = this.#parts;
      return readPayloads({ db, files }, hashes, await index.find(hashes));
    });
  }

  days(): Promise<readonly DayRecord[]> {
    return this.#read(readDays);
  }

  async removePayloads(day: number, signal?: AbortSignal): Promise<DayRecord> {
    const { files } = this.#parts;
    const wipeJournal = (): Promise<void> => this.#alone(() => this.#wipeJournal());
    return this.#read((db) => removePayloads({ db, files, wipeJournal }, day, signal));
  }

  /** Leaves everything synced in the database and the journal empty; after a failure, the journal as it is. */
  async close(): Promise<void> {
    const { db, journal, behind, head, files } = this.#parts;
    await this.#guard(() =>
      oneAfterTheOther([
        () => this.#comeToRest(),
        () => behind.stop(),
        () => files.close(),
        () => db.close(),
        () => journal.close(),
        () => head.close(),
      ]),
    );
  }

  async #comeToRest(): Promise<void> {
    const { journal, behind, index } = this.#parts;
    await this.#lastAlone;
    await this.#settling;
    await index.idle();
    if (this.#hasFailed) return;
    // So that the next start would notice the loss of the last part.
    if (index.indexedTo > this.#storedIndexedTo)
      behind.add([this.#stateRow(this.#state, this.#commitNumber)]);
    await behind.settle();
    journal.clear();
  }

  #stateRow(state: LogState, commit: number): Row {
    const { indexedTo } = this.#parts.index;
    this.#storedIndexedTo = indexedTo;
    return { key: STATE_KEY, value: encodeStateRow({ state, commit, indexedTo }) };
  }

  /** Waits where something is full: the table of new payloads, the rows on their way to the database, the journal. */
  async #makeRoom(entries: number): Promise<void> {
    const { journal, behind, index } = this.#parts;
    behind.throwIfFailed();
    await index.room(entries);
    if (behind.isFull) await behind.applied();
    if (!journal.isFull) return;
    if (journal.isBlocked(this.#settled)) await (this.#settling ?? this.#startSettling());
    behind.throwIfFailed();
    journal.turn();
    void this.#startSettling();
  }

  /**
   * Syncs the database while commits go on: by the time the other journal file is full, this one may be written over.
   * Resolves once that, and all begun before it, is over. Never rejects: what failed is told to the next commit.
   */
  #startSettling(): Promise<void> {
    const settling = Promise.all([this.#settling, this.#settle()]).then(() => {
      if (this.#settling === settling) this.#settling = undefined;
    });
    this.#settling = settling;
    return settling;
  }

  async #settle(): Promise<void> {
    const commit = this.#commitNumber;
    try {
      await this.#parts.behind.settle();
      this.#settled = Math.max(this.#settled, commit);
    } catch {
      // `behind` keeps the failure, and throws it at the next commit
    }
  }

  /**
   * Runs while the disk writes. Whoever asks for such a payload meanwhile finds nothing at the place the
   * index names.
   */
  #indexPayloads({ entries, firstIndex }: Commit): void {
    const { index } = this.#parts;
    entries.forEach(({ type, payloadSha256, retentionDay: day, firstOfPayload }, i) => {
      if (firstOfPayload) index.add(payloadSha256, { type, index: firstIndex + i, day });
    });
  }

  #keepState({ batches, state }: Commit): void {
    for (const { writerId, seq } of batches) {
      const name = nameOf(writerId);
      this.#lastSeq.set(name, Math.max(seq, this.#lastSeq.get(name) ?? -1));
    }
    this.#state = state;
  }

  async #findBatch(writerId: Uint8Array, seq: number): Promise<BatchRecord | undefined> {
    const name = nameOf(writerId);
    const last = this.#lastSeq.get(name) ?? (await this.#readLastSeq(writerId));
    this.#lastSeq.set(name, last);
    if (seq > last) return undefined;
    const row = await this.#read((db) => db.get(batchKey(writerId, seq)));
    return row && decodeBatchRow(row, writerId, seq);
  }

  async #readLastSeq(writerId: Uint8Array): Promise<number> {
    const last = { ...batchRange(writerId), reverse: true, limit: 1 };
    const [key] = await this.#read((db) => db.keys(last).all());
    return key === undefined ? -1 : indexOfKey(key);
  }

  /**
   * The journal's frames hold payloads too: once all of them are synced in the database, zeros are written
   * over them. Throws `closed` after a failed commit, whose frame is nowhere else.
   */
  async #wipeJournal(): Promise<void> {
    if (this.#hasFailed) throw new FirebreakError('closed', 'a commit failed: its journal stays');
    await this.#startSettling();
    this.#parts.behind.throwIfFailed();
    await this.#parts.journal.wipe();
  }

  /** One at a time: commits, and what must not run beside one. */
  #alone(run: () => Promise<void>): Promise<void> {
    const done = this.#lastAlone.then(() => this.#guard(run));
    this.#lastAlone = done.catch(() => undefined);
    return done;
  }

  /** Reads after everything committed so far has come to rest. */
  #read<T>(run: (db: Database) => Promise<T>): Promise<T> {
    return this.#guard(async () => {
      await this.#parts.behind.applied();
      return run(this.#parts.db);
    });
  }

  async #guard<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw storeError(error, this.#parts.dir);
    }
  }
}

const nameOf = (writerId: Uint8Array): string => asBuffer(writerId).toString('latin1');
