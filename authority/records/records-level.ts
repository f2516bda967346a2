/**
 * Records in a level folder of the authority's own. The folder says under the key "!format" whose it is:
 *
 *     version 0x01 || issuerId 4
 */
import { Level } from 'level';
import { HealingLevel } from '../../host/healing-level.js';
import { concat, equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { RecordChange, RecordStore } from './records.js';

type Database = Level<string, Uint8Array>;

const FORMAT_KEY = '!format';
const VERSION = Uint8Array.of(1);

/**
 * Opens or makes the folder. Throws `locked` when another process has it open, `foreign` when it is another issuer's or
 * none of the authority's, `damaged` when it cannot be read.
 */
export async function openLevelRecords(folder: string, issuerId: Uint8Array): Promise<RecordStore> {
  const db: Database = new Level(folder, { keyEncoding: 'utf8', valueEncoding: 'view' });
  try {
    await db.open();
    await claim(db, folder, concat(VERSION, issuerId));
  } catch (cause) {
    await db.close().catch(() => undefined);
    throw cause instanceof FirebreakError ? cause : openFailure(folder, cause);
  }
  const healing = new HealingLevel(db);
  return {
    get: (key) => healing.read(() => db.get(key)),
    write: (changes) => healing.write(changes.map(operationOf)),
    list: (prefix) => healing.rows(rangeOf(prefix)),
    lastKey: (prefix) => healing.read(() => lastKey(db, prefix)),
    count: (prefix) => healing.read(() => count(db, prefix)),
    close: () => healing.close(),
  };
}

async function claim(db: Database, folder: string, format: Uint8Array): Promise<void> {
  const found: Uint8Array | undefined = await db.get(FORMAT_KEY);
  if (found && equalBytes(found, format)) return;
  if (found || (await db.keys({ limit: 1 }).all()).length > 0) {
    throw new FirebreakError('foreign', `${folder} is not the registry of this issuer`);
  }
  await db.put(FORMAT_KEY, format, { sync: true });
}

async function lastKey(db: Database, prefix: string): Promise<string | undefined> {
  const [last] = await db.keys({ ...rangeOf(prefix), reverse: true, limit: 1 }).all();
  return last;
}

async function count(db: Database, prefix: string): Promise<number> {
  const keys = db.keys(rangeOf(prefix));
  try {
    let found = 0;
    for (let batch = await keys.nextv(1000); batch.length > 0; batch = await keys.nextv(1000))
      found += batch.length;
    return found;
  } finally {
    await keys.close();
  }
}

function operationOf([key, value]: RecordChange) {
  return value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value };
}

/** Keys are ASCII, so that nothing that begins with the prefix comes after prefix || U+FFFF. */
const rangeOf = (prefix: string) => ({ gte: prefix, lt: `${prefix}\uffff` });

function openFailure(folder: string, cause: unknown): FirebreakError {
  const reason = cause instanceof Error ? cause.cause : undefined;
  if (reason instanceof Error && 'code' in reason && reason.code === 'LEVEL_LOCKED') {
    return new FirebreakError('locked', `${folder} is in use by another process`, { cause });
  }
  const why = reason instanceof Error ? reason.message : String(cause);
  return new FirebreakError(
    'damaged',
    `${folder} cannot be opened (${why}). See to its disk and its rights first; if it is damaged, put the authority's folder ` +
      'back from a copy, all but day-keys, as docs/backup.md says',
    { cause },
  );
}
