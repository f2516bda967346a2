/**
 * The ledger's store on level: one database, one synced atomic batch for each commit (store-operations.ts), and the
 * head file beside it. Layout: store-keys.ts.
 */
import { join } from 'node:path';
import { asTreeSize, asUnixMs } from '../protocol/brands.js';
import { concat, equalBytes } from '../protocol/bytes.js';
import type { FoundPayload } from '../protocol/ledger-reader.js';
import { NO_PREVIOUS_LEAF } from '../protocol/entry.js';
import { FirebreakError } from '../protocol/errors.js';
import { emptyRoot, leafHash } from '../protocol/merkle.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../protocol/tile.js';
import { decodeGatewayRecord, type GatewayRecord } from './gateway-record.js';
import { openHeadFile, type HeadFile } from './head-file.js';
import type { DayRecord } from './day-record.js';
import { readPayloads } from './store-payloads.js';
import { readDays, removePayloads } from './store-pruning.js';
import {
  batchKey,
  FORMAT_KEY,
  GATEWAY_RANGE,
  indexOfKey,
  payloadIndexKey,
  segmentKey,
  STATE_KEY,
  tileKey,
} from './store-keys.js';
import { openDatabase, storeError, type Database } from './store-open.js';
import { joinSegments } from './store-segments.js';
import { operationsOf, type Put } from './store-operations.js';
import { decodeBatchRow, decodePayloadRow, encodeFormatRow } from './store-rows.js';
import { decodeStateRow, encodeStateRow } from './store-state.js';
import type { Commit, Found, LogState, Lookup, Store, StoreIdentity } from './store.js';

export interface StoreLevelOptions {
  readonly dir: string;
  readonly identity: StoreIdentity;
  /** Signs the checkpoint of the empty log; only asked for when the folder is new. Without it a new folder is `not-found`. */
  readonly firstCheckpoint?: () => string;
}

class StoreLevel implements Store {
  readonly #db: Database;
  readonly #head: HeadFile;
  readonly #dir: string;
  #state: LogState;

  constructor(db: Database, head: HeadFile, dir: string, state: LogState) {
    this.#db = db;
    this.#head = head;
    this.#dir = dir;
    this.#state = state;
  }

  state(): LogState {
    return this.#state;
  }

  async gateways(): Promise<readonly GatewayRecord[]> {
    const rows = await this.#read(() => this.#db.values(GATEWAY_RANGE).all());
    return rows.map(decodeGatewayRecord);
  }

  async lookup({ batches, payloads }: Lookup): Promise<Found> {
    const keys = [
      ...batches.map(({ writerId, seq }) => batchKey(writerId, seq)),
      ...payloads.map(payloadIndexKey),
    ];
    const rows = keys.length === 0 ? [] : await this.#getMany(keys);
    return {
      batches: batches.map(({ writerId, seq }, i) => {
        const row = rows[i];
        return row && decodeBatchRow(row, writerId, seq);
      }),
      payloads: payloads.map((_, i) => {
        const row = rows[batches.length + i];
        return row && decodePayloadRow(row);
      }),
    };
  }

  async commit(commit: Commit): Promise<void> {
    await this.#read(() => this.#db.batch(operationsOf(commit), { sync: true }));
    this.#head.write(commit.state);
    this.#state = commit.state;
  }

  async bundle(index: number, width: number): Promise<Uint8Array> {
    const first = index * TILE_WIDTH;
    const range = { gte: segmentKey(first), lt: segmentKey(first + width) };
    const rows = await this.#read(() => this.#db.iterator(range).all());
    const segments = rows.map(([key, entries]) => ({ firstIndex: indexOfKey(key), entries }));
    return joinSegments(first, width, segments);
  }

  async tile(level: number, index: number): Promise<Uint8Array> {
    const width = tileWidthAt(level, index, this.#state.size);
    if (width === 0) return new Uint8Array(0);
    if (level === 0 && width < TILE_WIDTH) {
      return concat(...entriesOf(await this.bundle(index, width), width).map(leafHash));
    }
    const [row] = await this.#getMany([tileKey(level, index)]);
    if (row === undefined)
      throw new FirebreakError('damaged', `tile ${level}/${index} is missing from the store in ${this.#dir}`);
    return row;
  }

  async payloads(hashes: readonly Uint8Array[]): Promise<readonly FoundPayload[]> {
    return readPayloads(hashes, (keys) => this.#getMany(keys));
  }

  async days(): Promise<readonly DayRecord[]> {
    return this.#read(() => readDays(this.#db));
  }

  async removePayloads(day: number): Promise<DayRecord> {
    return this.#read(() => removePayloads(this.#db, day));
  }

  async close(): Promise<void> {
    await this.#db.close();
    this.#head.close();
  }

  async #getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#read(() => this.#db.getMany(keys));
  }

  async #read<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw storeError(error, this.#dir);
    }
  }
}

function emptyState(checkpoint: string): LogState {
  return {
    size: asTreeSize(0),
    root: emptyRoot(),
    checkpoint,
    previousLeaf: NO_PREVIOUS_LEAF,
    lastAppendedMs: asUnixMs(0),
    counters: { batches: 0, duplicates: 0, entriesByType: new Map(), refusalsByNumber: new Map() },
  };
}

async function begin(db: Database, identity: StoreIdentity, checkpoint: string): Promise<void> {
  const rows: Put[] = [
    { type: 'put', key: FORMAT_KEY, value: encodeFormatRow(identity) },
    { type: 'put', key: STATE_KEY, value: encodeStateRow(emptyState(checkpoint)) },
  ];
  await db.batch(rows, { sync: true });
}

async function readState(db: Database, dir: string): Promise<LogState> {
  const row: Uint8Array | undefined = await db.get(STATE_KEY);
  if (row === undefined)
    throw new FirebreakError('damaged', `the state row is missing from the store in ${dir}`);
  try {
    return decodeStateRow(row);
  } catch (cause) {
    throw new FirebreakError('damaged', `the state row of the store in ${dir} cannot be read`, { cause });
  }
}

/** The store may be ahead of the head file by commits never answered; behind it, or beside it, it lost something. */
function requireNotRolledBack({ size, root }: LogState, head: HeadFile, dir: string): void {
  const { found } = head;
  if (found === undefined || found.size < size) return;
  if (found.size === size && equalBytes(found.root, root)) return;
  throw new FirebreakError(
    'damaged',
    `the store in ${dir} holds ${size} entries but answered for ${found.size}: its newest data is lost, restore the folder from a copy`,
  );
}

/**
 * Opens the store in `dir`, a new one when `firstCheckpoint` is given.
 *
 * Throws `not-found`, `foreign`, `locked`, `permission`, and `damaged` with what is.
 */
export async function openStoreLevel({ dir, identity, firstCheckpoint }: StoreLevelOptions): Promise<Store> {
  const { db, fresh } = await openDatabase(dir, identity, { create: firstCheckpoint !== undefined });
  let head: HeadFile | undefined;
  try {
    head = openHeadFile(join(dir, 'head'));
    if (fresh && head.found === undefined && firstCheckpoint) await begin(db, identity, firstCheckpoint());
    else if (fresh)
      throw new FirebreakError(
        'damaged',
        `the store in ${dir} is empty but its head file is not: restore the folder from a copy`,
      );
    const state = await readState(db, dir);
    requireNotRolledBack(state, head, dir);
    head.write(state);
    return new StoreLevel(db, head, dir, state);
  } catch (error) {
    head?.close();
    await db.close();
    throw storeError(error, dir);
  }
}
