/** How far the database of a ledger's folder has come, without what its journal would add. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { NODE_DISK } from '../../../ledger/store/disk.js';
import { indexOfKey, segmentKey, STATE_KEY } from '../../../ledger/store/store-keys.js';
import { decodeStateRow, type StateRow } from '../../../ledger/store/store-state.js';
import { temporaryFolder } from '../deployment.js';

export interface StoredState extends StateRow {
  /** First entry of each value that holds entries, in order. */
  readonly values: readonly number[];
}

/** Of the store in `dir`, which no ledger writes meanwhile. It is read from a copy: a database that is opened changes its files. */
export async function storedState(dir: string): Promise<StoredState> {
  const copy = await temporaryFolder();
  await cp(join(dir, 'store'), copy, { recursive: true });
  const db = NODE_DISK.database(copy, { createIfMissing: false });
  try {
    await db.open();
    const row = decodeStateRow((await db.get(STATE_KEY)) ?? new Uint8Array(0));
    const keys = await db.keys({ gte: segmentKey(0), lt: segmentKey(row.state.size) }).all();
    return { ...row, values: keys.map(indexOfKey) };
  } finally {
    await db.close();
  }
}
