/** What an open contact store is made of, and how it is put together: in memory, or from what a folder holds. */
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { decodeSections } from './state-sections.js';
import type { Sections } from './state-sections.js';
import type { ColdPath } from './kept-parts.js';
import { LiveSealer } from './live-sealer.js';
import { SealedContacts } from './sealed-contacts.js';
import { LiveKeeper, decodeKeepFrom, takeLiveParts } from './live-state.js';
import { LiveWriter } from './live-writer.js';
import type { LedgerPosition } from './manifest.js';
import { PeopleDirectory } from './people.js';
import { openSegmentStore } from './segment-store.js';
import type { SegmentStore, StoreSettings } from './segment-store.js';

export interface ContactStoreSettings extends StoreSettings {
  readonly log: Log;
  /** Rows of a live table; 2^20 by default. */
  readonly tableRows?: number;
  /** A day with fewer contacts in a live table stays live; 4,096 by default. */
  readonly leastRows?: number;
  /** Full live tables that wait for their days to be over before they are sealed; 2 by default. */
  readonly waitingTables?: number;
  /** Version of the first contact; 1 by default, and whenever it is opened again. */
  readonly firstVersion?: number;
}

export const TABLE_ROWS = 2 ** 20;
const LEAST_ROWS = 4096;
const WAITING_TABLES = 2;
const BEGINNING: LedgerPosition = { size: 0 };

/**
 * The section of the state that is the store's own: since live tables are parts, it holds the border of
 * retention alone.
 */
export const LIVE_SECTION = 'live contacts';

export interface StoreAssembly {
  readonly writer: LiveWriter;
  /** Absent in memory. */
  readonly sealer: LiveSealer | undefined;
  readonly keeper: LiveKeeper;
  /** Where the ledger is to be read on from. */
  readonly position: LedgerPosition;
  /** What was saved with it. */
  readonly kept: Sections;
  /** The parts that were saved with it, but for those of live tables. */
  readonly keptParts: Map<string, Uint8Array>;
  /** Absent in memory. */
  readonly coldPath?: ColdPath;
  /** Contacts that ended before this are gone, unix seconds. */
  readonly keepFrom: number;
}

export function assembleInMemory(tableRows: number, firstVersion?: number): StoreAssembly {
  const writer = new LiveWriter(new PeopleDirectory(), new SealedContacts(), tableRows, firstVersion);
  return {
    writer,
    sealer: undefined,
    position: BEGINNING,
    kept: new Map(),
    keptParts: new Map(),
    keeper: new LiveKeeper(writer),
    keepFrom: 0,
  };
}

/** Throws `damaged` or `format` for a folder that cannot be believed in all it holds, and what the disk throws. */
export async function assembleIn(dir: string, settings: ContactStoreSettings): Promise<StoreAssembly> {
  const store = await openSegmentStore(dir, settings);
  try {
    const [damage] = store.damage;
    if (damage) throw new FirebreakError('damaged', damage.message);
    // Live contacts and stays name people by number.
    if (!store.isPeopleWhole)
      throw new FirebreakError('damaged', `the file of people in ${dir} was changed or is gone`);
    return await assembleFrom(store, settings);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function assembleFrom(
  store: SegmentStore,
  {
    log,
    tableRows = TABLE_ROWS,
    leastRows = LEAST_ROWS,
    waitingTables = WAITING_TABLES,
    firstVersion,
  }: ContactStoreSettings,
): Promise<StoreAssembly> {
  const sealed = new SealedContacts();
  const writer = new LiveWriter(store.people, sealed, tableRows, firstVersion);
  const sealer = new LiveSealer({ store, writer, log, leastRows, waitingTables });
  const kept = store.state === undefined ? new Map<string, Uint8Array>() : decodeSections(store.state);
  const live = kept.get(LIVE_SECTION);
  const keepFrom = live ? decodeKeepFrom(live) : 0;
  const keptParts = new Map(store.takeParts());
  const found = takeLiveParts(keptParts);
  const earliest = new Map(found.tables.map(({ id, words }) => [id, writer.restore(id, words).earliest]));
  await sealer.begin(keepFrom);
  sealed.expireBefore(keepFrom);
  sealed.restore(found.replaced);
  const keeper = new LiveKeeper(writer, earliest);
  const coldPath: ColdPath = (name) => store.coldPath(name);
  return { writer, sealer, keeper, position: store.position, kept, keptParts, coldPath, keepFrom };
}
