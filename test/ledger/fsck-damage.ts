/** Damage done on purpose to the rows of a ledger, through LevelDB, so that every file stays in order. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openLedger } from '../../ledger/ledger.js';
import { openPayloadFiles } from '../../ledger/store/payload-files.js';
import {
  batchKey,
  dayOfKey,
  indexOfKey,
  payloadKey,
  segmentKey,
  STATE_KEY,
} from '../../ledger/store/store-keys.js';
import {
  decodePayloadPlace,
  decodePayloadSegment,
  encodePayloadSegment,
  type StoredPayload,
} from '../../ledger/store/store-payloads.js';
import { decodeBatchRow, encodeBatchRow } from '../../ledger/store/store-rows.js';
import { decodeEntrySegment, encodeEntrySegment } from '../../ledger/store/store-segments.js';
import { decodeStateRow, encodeStateRow, type StateRow } from '../../ledger/store/store-state.js';
import type { BatchRecord } from '../../ledger/store/store.js';
import { partyIdOf } from '../../protocol/keys.js';
import { batchOf, ledgerDeps, noticeItem, officer, temporaryFolder } from './deployment.js';
import { checkFolder, foundIn, onStore, type Store } from './fsck-folder.js';

export const SIZE = 600;

export async function noticeLedger(dir: string, size: number): Promise<void> {
  const ledger = await openLedger(ledgerDeps(dir));
  for (let first = 0; first < size; first += 100) {
    const count = Math.min(100, size - first);
    const items = Array.from({ length: count }, (_, i) => noticeItem(`${first + i}`));
    await ledger.submit(batchOf(officer, first, items));
  }
  await ledger.close();
}

export type Damage = (db: Store, dir: string) => Promise<void>;

/** What is found once `damage` is done to a copy of a folder. */
export async function foundInCopy(damage: Damage, from: string): Promise<string[]> {
  const dir = await temporaryFolder();
  await cp(from, dir, { recursive: true });
  await onStore(dir, (db) => damage(db, dir));
  const report = await checkFolder(dir);
  expect(report.findings.damageCount).toBeGreaterThan(0);
  return foundIn(report).filter((line) => !line.startsWith('leftover'));
}

export async function change(db: Store, key: Uint8Array, to: (value: Buffer) => Uint8Array): Promise<void> {
  const value = await db.get(key);
  if (value === undefined) throw new Error('there is no such row');
  await db.put(key, to(Buffer.from(value)));
}

export const flipAt = (at: number) => (value: Buffer) => {
  value[at] = (value[at] ?? 0) ^ 1;
  return value;
};

/** The first row whose key begins with this letter, at or after `from`. */
export async function rowOf(db: Store, letter: string, from: Uint8Array = Buffer.from(letter)) {
  const end = Buffer.from([letter.charCodeAt(0) + 1]);
  const [row] = await db.iterator({ gte: from, lt: end, limit: 1 }).all();
  if (row === undefined) throw new Error(`there is no row ${letter}`);
  return { key: row[0], value: Buffer.from(row[1]) };
}

/** Changes the bytes of one entry wherever its row is. */
export async function changeEntry(db: Store, index: number, to: (entry: Buffer) => Buffer): Promise<void> {
  for (const [key, value] of await db.iterator({ gte: segmentKey(0), lt: segmentKey(index + 1) }).all()) {
    const at = index - indexOfKey(key);
    const entries = decodeEntrySegment(value);
    if (at >= entries.length) continue;
    const changed = entries.map((one, i) => (i === at ? { ...one, entry: to(Buffer.from(one.entry)) } : one));
    await db.put(key, encodeEntrySegment(changed));
  }
}

export const changeState = (db: Store, to: (row: StateRow) => StateRow) =>
  change(db, STATE_KEY, (value) => Buffer.from(encodeStateRow(to(decodeStateRow(value)))));

export const writer = partyIdOf(officer.publicKey);
export const changeBatch = (db: Store, seq: number, to: (record: BatchRecord) => BatchRecord) =>
  change(db, batchKey(writer, seq), (value) => encodeBatchRow(to(decodeBatchRow(value, writer, seq))));

interface PayloadRow {
  readonly day: number;
  readonly payloads: readonly StoredPayload[];
}

/** Writes the payloads and their rows anew, as a ledger would that stored these. */
export async function changePayloadRows(
  db: Store,
  dir: string,
  to: (rows: PayloadRow[]) => PayloadRow[],
): Promise<void> {
  const files = openPayloadFiles(dir);
  const rows: PayloadRow[] = [];
  for (const [key, value] of await db.iterator({ gte: Buffer.from('p'), lt: Buffer.from('q') }).all()) {
    const day = dayOfKey(key);
    const records = await files.reading(day, (read) => read(decodePayloadPlace(value)));
    rows.push({ day, payloads: decodePayloadSegment(records) });
    await db.del(key);
  }
  await rm(join(dir, 'payloads'), { recursive: true });
  const anew = openPayloadFiles(dir);
  for (const { day, payloads } of to(rows)) {
    const length = encodePayloadSegment(0, payloads).length - 6;
    const key = payloadKey(day, payloads[0]?.index ?? 0);
    const value = encodePayloadSegment(anew.reserve(day, length), payloads);
    const [place] = await anew.take([{ key, value }]);
    await db.put(key, place?.value ?? value);
  }
  await anew.close();
}

/** Changes the stored payloads of the first row. */
export const changePayloads = (
  db: Store,
  dir: string,
  to: (payloads: readonly StoredPayload[]) => readonly StoredPayload[],
) =>
  changePayloadRows(db, dir, ([first, ...rest]) => [
    { day: first?.day ?? 0, payloads: to(first?.payloads ?? []) },
    ...rest,
  ]);
