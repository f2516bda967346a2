/** Finds payloads in the files of their days, by the entries they came with. */
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { FoundPayload, PrunedPayload } from '../../protocol/tlog/ledger-reader.js';
import { decodeDayRow } from './day-record.js';
import { payloadPathOf } from './folder.js';
import type { PayloadFiles, ReadPlace } from './payload-files.js';
import { dayKey, indexOfKey, KEPT_DAY, payloadKey } from './store-keys.js';
import type { Database } from './database.js';
import {
  decodePayloadPlace,
  decodeWholeRecords,
  type PayloadPlace,
  type StoredPayload,
} from './store-payloads.js';
import type { PayloadRecord } from './store.js';

/** Wanted entries are looked up in one go while no two neighbours are further apart than this … */
const MAX_GAP = 64;
/** … and all of them lie within so many entries. */
const WINDOW_ENTRIES = 1024;
/** Rows that lie next to each other are read as one, up to about as much. */
const READ_BYTES = 1024 * 1024;

/** Entries of one day, near each other, whose payloads are wanted; ascending. */
interface Window {
  readonly day: number;
  readonly wanted: number[];
}

function windowsOf(places: readonly PayloadRecord[]): Window[] {
  const windows: Window[] = [];
  const sorted = [...places].sort((a, b) => a.day - b.day || a.index - b.index);
  for (const { day, index } of sorted) {
    const open = windows.at(-1);
    const [first = index, last = index] = [open?.wanted[0], open?.wanted.at(-1)];
    if (open?.day === day && index - last <= MAX_GAP && index - first < WINDOW_ENTRIES)
      open.wanted.push(index);
    else windows.push({ day, wanted: [index] });
  }
  return windows;
}

export interface PayloadStore {
  readonly db: Database;
  readonly files: PayloadFiles;
}

/** Records that lie next to each other in the file of a day, and the wanted entries that they hold. */
interface Run {
  readonly offset: number;
  length: number;
  readonly wanted: number[];
}

/** A run for each row of a window that holds a wanted entry, in the order of their entries. */
async function findRuns(db: Database, { day, wanted }: Window): Promise<Run[]> {
  const [first, last] = [wanted[0] ?? 0, wanted.at(-1) ?? 0];
  const before = { gte: payloadKey(day, 0), lte: payloadKey(day, first), reverse: true, limit: 1 };
  const after = { gt: payloadKey(day, first), lte: payloadKey(day, last) };
  const lookAfter = first === last ? [] : db.iterator(after).all();
  const [head, rest] = await Promise.all([db.iterator(before).all(), lookAfter]);
  const rows = [...head, ...rest].map(([key, value]) => ({ from: indexOfKey(key), value }));
  return rows.flatMap(({ from, value }, i) => {
    const end = rows[i + 1]?.from ?? Infinity;
    const held = wanted.filter((index) => index >= from && index < end);
    return held.length === 0 ? [] : [{ ...decodePayloadPlace(value), wanted: held }];
  });
}

const endOf = ({ offset, length }: PayloadPlace): number => offset + length;

/** Runs that lie next to each other in their file as one. */
function joinRuns(runs: readonly Run[]): Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const open = joined.at(-1);
    const isHeld = open && run.offset >= open.offset && endOf(run) <= endOf(open); // two windows, one row
    if (isHeld) open.wanted.push(...run.wanted);
    else if (open && endOf(open) === run.offset && open.length + run.length <= READ_BYTES) {
      open.length += run.length;
      open.wanted.push(...run.wanted);
    } else joined.push({ ...run, wanted: [...run.wanted] });
  }
  return joined;
}

/** Something that could not be read. */
interface Unread {
  /** The first entry it concerns. */
  readonly index: number;
  /** In words that stand after its file. */
  readonly why: string;
}

interface ReadRun {
  /** Copies of the payloads that are wanted. */
  readonly held: readonly StoredPayload[];
  readonly unread: Unread | undefined;
}

/** Reads up to where the file is cut, or where its records cannot be told apart. */
async function readRun(read: ReadPlace, run: Run): Promise<ReadRun> {
  const records = await read(run);
  const { payloads, isWhole } = decodeWholeRecords(records);
  const wanted = new Set(run.wanted);
  const held = payloads
    .filter(({ index }) => wanted.has(index))
    .map(({ index, payload }) => ({ index, payload: new Uint8Array(payload) }));
  const isCut = records.length < run.length;
  if (isWhole && !isCut) return { held, unread: undefined };
  for (const { index } of held) wanted.delete(index);
  const [index] = wanted;
  const why = isCut ? 'is cut short or gone' : 'is damaged';
  return { held, unread: index === undefined ? undefined : { index, why } };
}

/** What was read, by entry, and of each day the first that could not be. */
interface Reading {
  readonly stored: Map<number, Uint8Array>;
  readonly unread: Map<number, Unread>;
}

/** Day after day, and run after run: no more than one file is open and one run in memory beside what is wanted. */
async function readWindows({ db, files }: PayloadStore, windows: readonly Window[]): Promise<Reading> {
  const found = await Promise.all(windows.map((window) => findRuns(db, window)));
  const reading: Reading = { stored: new Map(), unread: new Map() };
  for (const day of new Set(windows.map((window) => window.day))) {
    const runs = joinRuns(found.flatMap((some, i) => (windows[i]?.day === day ? some : [])));
    await files.reading(day, async (read) => {
      for (const run of runs) {
        const { held, unread } = await readRun(read, run);
        for (const { index, payload } of held) reading.stored.set(index, payload);
        if (unread && !reading.unread.has(day)) reading.unread.set(day, unread);
      }
    });
  }
  return reading;
}

/** After the payloads, so that of a day pruned meanwhile either all bytes were read or the row says so. */
async function readPruned(
  db: Database,
  places: readonly PayloadRecord[],
): Promise<ReadonlyMap<number, PrunedPayload>> {
  const days = [...new Set(places.map(({ day }) => day))].filter((day) => day !== KEPT_DAY);
  const rows = await db.getMany(days.map(dayKey));
  return new Map(
    rows.flatMap((row, i) => {
      const day = days[i] ?? 0;
      const { pruned } = row ? decodeDayRow(row, day) : {};
      return pruned ? [[day, { day, prunedAtMs: pruned.atMs, prunedBy: pruned.by }] as const] : [];
    }),
  );
}

/**
 * The payloads of the entries at `places`, in order, copies; of one whose day is pruned what says so, whether
 * its bytes are still there or not; `undefined` for one never stored or lost.
 *
 * Throws `damaged-payload` when the bytes stored are not those of the hash, cannot be told apart, or are not all
 * there: whoever can go on without them asks for fewer.
 */
export async function readPayloads(
  store: PayloadStore,
  hashes: readonly Uint8Array[],
  places: readonly (PayloadRecord | undefined)[],
): Promise<readonly FoundPayload[]> {
  const known = places.filter((place) => place !== undefined);
  const { stored, unread } = await readWindows(store, windowsOf(known));
  const pruned = await readPruned(store.db, known);
  for (const [day, { index, why }] of unread)
    if (!pruned.has(day))
      throw damaged(
        `${payloadPathOf(day)} ${why}: the payloads stored for entry ${index} and on cannot be read`,
      );
  return places.map((place, i) => {
    const gone = place && pruned.get(place.day);
    if (gone !== undefined) return gone;
    const payload = place && stored.get(place.index);
    if (place === undefined || payload === undefined) return undefined;
    if (equalBytes(sha256(payload), hashes[i] ?? payload)) return new Uint8Array(payload);
    throw damaged(
      `${payloadPathOf(place.day)} is damaged: the payload stored for entry ${place.index} is not the one that was logged`,
    );
  });
}

const damaged = (what: string): FirebreakError =>
  new FirebreakError(
    'damaged-payload',
    `${what}. Stop the ledger, and firebreak ledger fsck --data-dir DIR says what is damaged`,
  );
