/**
 * A spool on disk, in a level folder of the writer's own.
 *
 *     0x00                         version 01 || writerId 16
 *     0x01 || id u64               type u16 || timeMs u64 || payload
 *     0x02 || seq u64              firstId u64 || count u32
 *     0x03                         next id u64 || next seq u64: where numbering goes on when all else is gone
 *
 * Appends that come while one is being synced wait, and are synced together: no timer, one sync for many.
 */
import { Level } from 'level';
import { batchItemSize } from '../protocol/batch.js';
import { asUnixMs } from '../protocol/brands.js';
import { ByteReader, ByteWriter, concat, equalBytes } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import { SpoolIndex } from './spool-index.js';
import type { BatchSpan } from './spool-index.js';
import { DEFAULT_SPOOL_LIMITS } from './spool.js';
import type { BatchLimits, OutboundEntry, Spool, SpoolDepth, SpooledBatch, SpoolLimits } from './spool.js';

type Database = Level<Uint8Array, Uint8Array>;
type Operation = { type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array };

const VERSION = 1;
const FORMAT_KEY = Uint8Array.of(0);
const NUMBERS_KEY = Uint8Array.of(3);
const ENTRY = 1;
const BATCH = 2;

const keyOf = (kind: number, number: number): Uint8Array => new ByteWriter(9).u8(kind).u64(number).finish();
const numberIn = (key: Uint8Array): number => new ByteReader(key.subarray(1), 'spool key').u64();

interface Waiting {
  readonly entries: readonly OutboundEntry[];
  resolve(ids: readonly number[]): void;
  reject(error: unknown): void;
}

/** Throws `locked` when another process has the folder open, `foreign` for another writer's, `damaged`. */
export async function openLevelSpool(
  dir: string,
  writerId: Uint8Array,
  limits: SpoolLimits = DEFAULT_SPOOL_LIMITS,
): Promise<Spool> {
  const db: Database = new Level(dir, { keyEncoding: 'view', valueEncoding: 'view' });
  try {
    await db.open();
    await claim(db, dir, concat(Uint8Array.of(VERSION), writerId));
    return new LevelSpool(db, await readIndex(db, limits));
  } catch (error) {
    await db.close().catch(() => undefined);
    throw openFailure(dir, error);
  }
}

class LevelSpool implements Spool {
  readonly #db: Database;
  readonly #index: SpoolIndex;
  #waiting: Waiting[] = [];
  #waitingSize = { entries: 0, bytes: 0 };
  #flushing: Promise<void> | undefined;

  constructor(db: Database, index: SpoolIndex) {
    this.#db = db;
    this.#index = index;
  }

  append(entries: readonly OutboundEntry[]): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.#index.requireRoom(entries, this.#waitingSize);
      this.#waiting.push({ entries, resolve, reject });
      this.#waitingSize.entries += entries.length;
      this.#waitingSize.bytes += sizeOf(entries);
      this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined));
    });
  }

  async form(limits: BatchLimits): Promise<SpooledBatch | undefined> {
    const span = this.#index.planBatch(limits);
    if (span === undefined) return undefined;
    const entries = await this.#read(span);
    await this.#write([
      { type: 'put', key: keyOf(BATCH, span.seq), value: encodeSpan(span) },
      { type: 'put', key: NUMBERS_KEY, value: encodeNumbers(span.firstId + span.count, span.seq + 1) },
    ]);
    this.#index.addBatch(span);
    return { seq: span.seq, firstId: span.firstId, entries };
  }

  async formed(): Promise<readonly SpooledBatch[]> {
    const batches: SpooledBatch[] = [];
    for (const span of this.#index.batches()) {
      batches.push({ seq: span.seq, firstId: span.firstId, entries: await this.#read(span) });
    }
    return batches;
  }

  async remove(seq: number): Promise<void> {
    const span = this.#index.removeBatch(seq);
    if (span === undefined) return;
    const entries = Array.from({ length: span.count }, (_, k) => keyOf(ENTRY, span.firstId + k));
    await this.#db.batch([keyOf(BATCH, seq), ...entries].map((key) => ({ type: 'del', key })));
  }

  depth(): SpoolDepth {
    return this.#index.depth();
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#db.close();
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      this.#waitingSize = { entries: 0, bytes: 0 };
      await this.#commit(group);
    }
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    let nextId = this.#index.nextId;
    const placed = group.map((waiting) => ({
      waiting,
      rows: waiting.entries.map((entry) => ({ id: nextId++, entry })),
    }));
    const rows = placed.flatMap(({ rows: ofCall }) => ofCall);
    try {
      await this.#write(
        rows.map(({ id, entry }) => ({ type: 'put', key: keyOf(ENTRY, id), value: encodeEntry(entry) })),
      );
    } catch (error) {
      for (const { waiting } of placed) waiting.reject(error);
      return;
    }
    for (const { id, entry } of rows) this.#index.addEntry(id, entry);
    for (const { waiting, rows: ofCall } of placed) waiting.resolve(ofCall.map(({ id }) => id));
  }

  #write(operations: Operation[]): Promise<void> {
    return this.#db.batch(operations, { sync: true });
  }

  async #read(span: BatchSpan): Promise<OutboundEntry[]> {
    const keys = Array.from({ length: span.count }, (_, k) => keyOf(ENTRY, span.firstId + k));
    const values = await this.#db.getMany(keys);
    return values.map((value) => {
      if (value === undefined)
        throw new FirebreakError('damaged', `the spool lost an entry of batch ${span.seq}`);
      return decodeEntry(value);
    });
  }
}

const sizeOf = (entries: readonly OutboundEntry[]): number =>
  entries.reduce((sum, entry) => sum + batchItemSize(entry), 0);

async function claim(db: Database, dir: string, format: Uint8Array): Promise<void> {
  const found = await db.get(FORMAT_KEY);
  if (found !== undefined) {
    if (equalBytes(found, format)) return;
    throw new FirebreakError('foreign', `${dir} is the spool of another writer or version`);
  }
  for await (const _key of db.keys({ limit: 1 }))
    throw new FirebreakError('foreign', `${dir} is not a spool`);
  await db.put(FORMAT_KEY, format, { sync: true });
}

async function readIndex(db: Database, limits: SpoolLimits): Promise<SpoolIndex> {
  const numbers = await db.get(NUMBERS_KEY);
  const index = new SpoolIndex(
    limits,
    numbers === undefined ? { nextId: 0, nextSeq: 1 } : decodeNumbers(numbers),
  );
  for await (const [key, value] of db.iterator({ gte: keyOf(ENTRY, 0), lt: Uint8Array.of(BATCH) })) {
    index.addEntry(numberIn(key), decodeEntry(value));
  }
  for await (const [key, value] of db.iterator({ gte: keyOf(BATCH, 0), lt: Uint8Array.of(BATCH + 1) })) {
    index.addBatch(decodeSpan(numberIn(key), value));
  }
  return index;
}

function encodeEntry({ type, timeMs, payload }: OutboundEntry): Uint8Array {
  return new ByteWriter(10 + payload.length).u16(type).u64(timeMs).bytes(payload).finish();
}

function decodeEntry(value: Uint8Array): OutboundEntry {
  const reader = new ByteReader(value, 'spooled entry');
  return { type: reader.u16(), timeMs: asUnixMs(reader.u64()), payload: reader.take(reader.remaining) };
}

const encodeSpan = ({ firstId, count }: BatchSpan): Uint8Array =>
  new ByteWriter(12).u64(firstId).u32(count).finish();

function decodeSpan(seq: number, value: Uint8Array): BatchSpan {
  const reader = new ByteReader(value, 'spooled batch');
  return { seq, firstId: reader.u64(), count: reader.u32() };
}

const encodeNumbers = (nextId: number, nextSeq: number): Uint8Array =>
  new ByteWriter(16).u64(nextId).u64(nextSeq).finish();

function decodeNumbers(value: Uint8Array): { readonly nextId: number; readonly nextSeq: number } {
  const reader = new ByteReader(value, 'spool numbers');
  return { nextId: reader.u64(), nextSeq: reader.u64() };
}

function openFailure(dir: string, error: unknown): unknown {
  if (error instanceof FirebreakError) return error;
  const code = (error as { cause?: { code?: string } }).cause?.code;
  if (code === 'LEVEL_LOCKED')
    return new FirebreakError('locked', `${dir} is in use by another process`, { cause: error });
  return new FirebreakError('damaged', `the spool in ${dir} cannot be opened: ${String(error)}`, {
    cause: error,
  });
}
