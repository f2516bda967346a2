/**
 * Live contacts as bytes, for the state that is saved with a manifest: words of 32 bits, little-endian.
 *
 *     keepFrom | rows | words of accounts | replaced entries, then
 *     rows, nine words each (live-table.ts) | accounts (live-accounts.ts) | replaced: segment, entry, person in whose row it stands
 */
import { FirebreakError } from '../../protocol/errors.js';
import { AccountArena } from './live-accounts.js';
import { ROW_WORDS } from './live-table.js';
import type { LiveRows } from './live-table.js';

const HEAD_WORDS = 4;
const REPLACED_WORDS = 3;

export interface ReplacedKept {
  readonly segment: number;
  readonly entry: number;
  readonly person: number;
}

/** What {@link readLive} reads. `keepFrom`: contacts that ended before it are gone, unix seconds. */
export function writeLive(
  keepFrom: number,
  tables: readonly LiveRows[],
  replaced: readonly ReplacedKept[],
): Uint8Array {
  const arena = new AccountArena();
  const most = tables.reduce((sum, { count }) => sum + count, 0);
  const rows = new Uint32Array(ROW_WORDS * most);
  let count = 0;
  for (const table of tables)
    for (const version of table.alive()) table.writeWords(version, rows, ROW_WORDS * count++, arena);
  const accounts = arena.words();
  const [rowWords, end] = [ROW_WORDS * count, HEAD_WORDS + ROW_WORDS * count + accounts.length];
  const words = new Uint32Array(end + REPLACED_WORDS * replaced.length);
  words.set([keepFrom, count, accounts.length, replaced.length]);
  words.set(rows.subarray(0, rowWords), HEAD_WORDS);
  words.set(accounts, HEAD_WORDS + rowWords);
  replaced.forEach(({ segment, entry, person }, k) =>
    words.set([segment, entry, person], end + REPLACED_WORDS * k),
  );
  return new Uint8Array(words.buffer);
}

/** Rows of a table as words, and the accounts they name. */
export interface LiveWords {
  readonly keepFrom: number;
  readonly rows: Uint32Array;
  readonly arena: AccountArena;
  readonly replaced: readonly ReplacedKept[];
}

/** Throws `format` for bytes that {@link writeLive} did not make. */
export function readLive(bytes: Uint8Array): LiveWords {
  const words = new Uint32Array(bytes.slice().buffer, 0, bytes.length >> 2);
  const [keepFrom = 0, count = 0, accounts = 0, replaced = 0] = words;
  const rowsEnd = HEAD_WORDS + ROW_WORDS * count;
  const end = rowsEnd + accounts;
  if (bytes.length !== 4 * (end + REPLACED_WORDS * replaced))
    throw new FirebreakError('format', 'the live contacts that were kept cannot be read');
  return {
    keepFrom,
    rows: words.subarray(HEAD_WORDS, rowsEnd),
    arena: AccountArena.of(words.subarray(rowsEnd, end)),
    replaced: Array.from({ length: replaced }, (_, k) => {
      const [segment = 0, entry = 0, person = 0] = words.subarray(end + REPLACED_WORDS * k);
      return { segment, entry, person };
    }),
  };
}
