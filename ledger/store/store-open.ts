/**
 * Opening a ledger's store: replays what the journal holds into the database, reads the state, and holds it against the
 * head file. What was answered for is there afterwards, or the store does not open.
 */
import { dirname, join } from 'node:path';
import { asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { NO_PREVIOUS_LEAF, payloadNamedIn } from '../../protocol/tlog/entry.js';
import { silentLog, type Log } from '../../protocol/log.js';
import { emptyRoot } from '../../protocol/tlog/merkle.js';
import { noteVerifier } from '../../protocol/tlog/note.js';
import { TILE_WIDTH } from '../../protocol/tlog/tile.js';
import { NODE_DISK, syncFolder, type Disk } from './disk.js';
import { HEAD_FILE, payloadPathOf, storeLocation } from './folder.js';
import { openHeadFile } from './head-file.js';
import { openJournal, type FoundFrames } from './journal.js';
import { unsettledFrames, type Frame } from './journal-frames.js';
import { requireHead, requireHeadLost, requireNotRolledBack, requireReadable } from './lost-commits.js';
import { openPayloadFiles } from './payload-files.js';
import { oneAfterTheOther } from './one-after-the-other.js';
import { PayloadIndex } from './payload-index.js';
import type { PayloadStore } from './read-payloads.js';
import { signedLengthBy } from './signed-length.js';
import { storeDamage } from './store-damage.js';
import { FORMAT_KEY, indexOfKey, KEPT_DAY, payloadRange, segmentKey, STATE_KEY } from './store-keys.js';
import { StoreLevel, type StoreParts } from './store-level.js';
import { openDatabase, storeError, type Database, type OpenedDatabase } from './database.js';
import { decodePayloadPlace } from './store-payloads.js';
import { readDays } from './store-pruning.js';
import { encodeFormatRow } from './store-rows.js';
import { decodeEntrySegment } from './store-segments.js';
import { decodeStateRow, encodeStateRow, type StateRow } from './store-state.js';
import type { LogState, Store, StoreIdentity } from './store.js';
import { WriteBehind } from './write-behind.js';

/** For tests and measurements: another disk, and turns of the journal and of the payload index that come sooner. */
export interface StoreTuning {
  readonly disk?: Disk;
  /** A journal file this long is full. */
  readonly journalTurnBytes?: number;
  /** Payloads the index keeps in memory; not less than a commit may have. */
  readonly indexTableRecords?: number;
  /** Payloads that one filter of the index takes. */
  readonly indexFilterHashes?: number;
}

export interface StoreLevelOptions {
  readonly dir: string;
  readonly identity: StoreIdentity;
  /**
   * Signs the checkpoint of the empty log; only asked for when the folder is new. Without it the store is only read:
   * a new folder is `not-found`, and a file of payloads may have lost its end.
   */
  readonly firstCheckpoint?: () => string;
  /**
   * A person says that the head file is lost: it is made again from what the store and its journal hold. One that is
   * there is `input`.
   */
  readonly headIsLost?: boolean;
  readonly tuning?: StoreTuning | undefined;
  readonly log?: Log;
}

/** Frames put back at a time. */
const FRAMES_A_STEP = 64;
/** Values of entries read at a time. */
const SEGMENTS_A_STEP = 256;

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

async function writeEmptyLog(db: Database, identity: StoreIdentity, checkpoint: string): Promise<void> {
  const state = { state: emptyState(checkpoint), commit: 0, indexedTo: 0 };
  const rows = [
    { type: 'put' as const, key: FORMAT_KEY, value: encodeFormatRow(identity) },
    { type: 'put' as const, key: STATE_KEY, value: encodeStateRow(state) },
  ];
  await db.batch(rows, { sync: true });
}

async function readState(db: Database, dir: string): Promise<StateRow> {
  const row: Uint8Array | undefined = await db.get(STATE_KEY);
  if (row === undefined) throw storeDamage(`the state row is missing from the store in ${dir}`);
  try {
    return decodeStateRow(row);
  } catch (cause) {
    throw storeDamage(`the state row of the store in ${dir} cannot be read`, cause);
  }
}

async function replay({ db, files }: PayloadStore, unsettled: readonly Frame[]): Promise<void> {
  for (let at = 0; at < unsettled.length; at += FRAMES_A_STEP) {
    const rows = await files.take(unsettled.slice(at, at + FRAMES_A_STEP).flatMap((frame) => frame.rows));
    await db.batch(rows.map((row) => ({ type: 'put' as const, ...row })));
  }
}

/**
 * Where each day's file goes on; one that is too short has lost payloads, and `mayBeCut` only where nothing is added:
 * whoever reads is told which. Of a pruned day nothing is written any more.
 */
async function findEnds({ db, files, dir }: OpenParts, mayBeCut: boolean): Promise<void> {
  const days = (await readDays(db)).filter(({ pruned }) => pruned === undefined).map(({ day }) => day);
  for (const day of [...days, KEPT_DAY]) {
    const [last] = await db.values({ ...payloadRange(day), reverse: true, limit: 1 }).all();
    if (last === undefined) continue;
    const { offset, length } = decodePayloadPlace(last);
    if (!mayBeCut && files.size(day) < offset + length)
      throw storeDamage(`${payloadPathOf(day)} in ${dir} has lost its end`);
    files.setEnd(day, offset + length);
  }
}

/**
 * Brings the payload index up to the last entry: what was in its table when the ledger ended is not in the
 * store. The first entry to add may stand in the middle of a value, which begins no earlier than its bundle.
 */
async function completeIndex(db: Database, index: PayloadIndex, size: number): Promise<void> {
  const { indexedTo } = index;
  const range = { gte: segmentKey(indexedTo - (indexedTo % TILE_WIDTH)), lt: segmentKey(size) };
  const rows = db.iterator(range);
  try {
    for (;;) {
      const some = await rows.nextv(SEGMENTS_A_STEP);
      if (some.length === 0) return;
      for (const [key, value] of some) await addSegment(index, { first: indexOfKey(key), value, indexedTo });
    }
  } finally {
    await rows.close();
  }
}

interface SegmentToAdd {
  /** Index of its first entry. */
  readonly first: number;
  readonly value: Uint8Array;
  /** Entries before this one are in the index. */
  readonly indexedTo: number;
}

async function addSegment(index: PayloadIndex, { first, value, indexedTo }: SegmentToAdd): Promise<void> {
  const from = Math.max(0, indexedTo - first);
  const entries = decodeEntrySegment(value).slice(from);
  const named = entries.map(({ entry }) => payloadNamedIn(entry));
  await index.room(entries.length);
  const hashes = named.map(({ payloadSha256 }) => payloadSha256);
  const known = await index.find(hashes);
  named.forEach(({ type, payloadSha256 }, i) => {
    const day = entries[i]?.retentionDay ?? KEPT_DAY;
    if (known[i] === undefined && index.lacks(payloadSha256))
      index.add(payloadSha256, { type, index: first + from + i, day });
  });
}

/** What is open before anything is recovered. */
type OpenParts = Omit<StoreParts, 'index' | 'state' | 'commit'>;

const NOT_WHOLE =
  'the journal ends in a commit that is not whole, as a power cut leaves it, or a kill while the journal is wiped';

/**
 * A power cut leaves such a commit, which was never answered: journal and head file tell if it was. So does a kill in
 * the middle of {@link Journal.wipe}, and the database has that one.
 */
function tellTorn({ torn: file }: FoundFrames, log: Log): void {
  if (file !== undefined) log.info(NOT_WHOLE, { file });
}

/**
 * Puts back what only the journal holds, and lets go of it. Gives what the log is then. Throws before anything is
 * written where the journal or the lack of a head file says that something answered for is lost.
 */
async function recover(parts: OpenParts, found: FoundFrames, options: StoreLevelOptions): Promise<StateRow> {
  const { db, journal, behind, head, dir, files } = parts;
  const { firstCheckpoint, headIsLost = false, log = silentLog } = options;
  const { commit } = await readState(db, dir);
  if (headIsLost) requireHeadLost(head);
  else requireHead(head, found, commit);
  requireReadable(found, commit, dir);
  tellTorn(found, log);
  await replay({ db, files }, unsettledFrames(found.frames, commit, dir));
  const row = await readState(db, dir);
  requireNotRolledBack(row, head, dir);
  // What frames put back may hide that a file is cut: then it is damage, and the journal stays.
  await findEnds(parts, firstCheckpoint === undefined && found.frames.length === 0);
  await behind.settle();
  journal.clear();
  return row;
}

/** Replaying the journal may have brought back the file of a day whose payloads were removed. */
async function removeAgain({ db, files }: PayloadStore): Promise<void> {
  for (const { day, pruned } of await readDays(db))
    if (pruned?.removed === true && files.size(day) > 0) await files.remove(day);
}

/** The folder and the names in it survive a power cut from now on: before the first commit is answered. */
async function syncNames(dir: string, disk: Disk): Promise<void> {
  await syncFolder(disk, dir);
  await syncFolder(disk, dirname(dir));
}

/** Ends something that was begun. */
type Closer = () => unknown;

/** Opens what the store is made of. `closers` ends what was begun, in order, also when this throws. */
async function openStore(
  { db, fresh }: OpenedDatabase,
  options: StoreLevelOptions,
  closers: Closer[],
): Promise<StoreParts> {
  const { dir, identity, firstCheckpoint, tuning = {} } = options;
  const { disk = NODE_DISK, journalTurnBytes: turnBytes, indexTableRecords, indexFilterHashes } = tuning;
  const head = openHeadFile(join(dir, HEAD_FILE), disk);
  closers.unshift(() => head.close());
  const signedLength = signedLengthBy(noteVerifier(identity.origin, identity.logPublicKey));
  const { journal, found } = openJournal(dir, {
    ...{ disk, signedLength },
    ...(turnBytes !== undefined && { turnBytes }),
  });
  closers.unshift(() => journal.close());
  if (fresh && (found.frames.length > 0 || found.damaged !== undefined))
    throw storeDamage(`${storeLocation(dir)} is missing or empty, and the journal beside it is not`);
  if (fresh && head.found === undefined && firstCheckpoint)
    await writeEmptyLog(db, identity, firstCheckpoint());
  else if (fresh) throw storeDamage(`the store in ${dir} is empty but its head file is not`);
  const files = openPayloadFiles(dir, disk);
  closers.unshift(() => files.close());
  const behind = new WriteBehind({ db, location: storeLocation(dir), files, disk });
  const open = { dir, db, journal, behind, files, head };
  const { state, commit, indexedTo } = await recover(open, found, options);
  const sizes = { tableRecords: indexTableRecords, filterHashes: indexFilterHashes };
  const index = await PayloadIndex.open(db, behind, indexedTo, sizes);
  closers.unshift(
    () => behind.stop(),
    () => index.idle(),
  );
  await completeIndex(db, index, state.size);
  head.write({ commit, checkpoint: state.checkpoint });
  await head.synced();
  return { ...open, index, state, commit };
}

/**
 * Opens the store in `dir`, a new one when `firstCheckpoint` is given.
 *
 * Throws `not-found`, `foreign`, `locked`, `permission`, and `damaged` with what is.
 */
export async function openStoreLevel(options: StoreLevelOptions): Promise<Store> {
  const { dir, identity, firstCheckpoint, headIsLost, tuning: { disk = NODE_DISK } = {} } = options;
  const create = firstCheckpoint !== undefined;
  const opened = await openDatabase(dir, identity, { create, disk });
  const closers: Closer[] = [() => opened.db.close()];
  try {
    const parts = await openStore(opened, options, closers);
    if (create) await removeAgain(parts);
    if (create || headIsLost === true) await syncNames(dir, disk);
    return new StoreLevel(parts);
  } catch (error) {
    await oneAfterTheOther(closers).catch(() => undefined); // the first failure is the one to say
    throw storeError(error, dir);
  }
}
