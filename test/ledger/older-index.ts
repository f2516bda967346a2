/** Makes the payload index of a store what a ledger wrote before parts of it had a reach of their own. */
import { FILTER_BYTES } from '../../ledger/store/payload-filter.js';
import { BUCKETS } from '../../ledger/store/payload-table.js';
import { FILTER_RANGE } from '../../ledger/store/store-keys.js';
import type { Level } from 'level';

export async function asOlderFolder(db: Level<Uint8Array, Uint8Array>): Promise<void> {
  const rows = await db.iterator(FILTER_RANGE).all();
  const heads = rows.map(([, row]) => Buffer.from(row).readUInt32BE(FILTER_BYTES));
  const tails = Buffer.from(rows.at(-1)?.[1].slice(-4 * BUCKETS) ?? []);
  const count = Buffer.alloc(6);
  count.writeUIntBE(
    heads.reduce((sum, hashes) => sum + hashes, 0),
    0,
    6,
  );
  for (const [key, row] of rows) await db.put(key, row.slice(0, FILTER_BYTES));
  await db.put(Buffer.from('j'), Buffer.concat([count, tails]));
}
