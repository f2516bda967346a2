/**
 * What a ledger's folder holds; whatever else is in it does not belong there:
 *
 *     store/            the level database, in which commits come to rest (store-keys.ts)
 *     journal-0, -1     the newest commits, in turn: where they become durable (journal.ts)
 *     head              how far the log was answered for (head-file.ts)
 *     payloads/20000    payloads that are pruned together, by the number of their day (payload-files.ts)
 *     payloads/kept     payloads that no retention window ends
 *     published         the checkpoint readers are shown, where witnesses cosign first (witnesses/published-file.ts)
 *     published.new     the next one, before it is put in its place
 */
import { join } from 'node:path';
import { KEPT_DAY } from './store-keys.js';

export const STORE_FOLDER = 'store';
export const JOURNAL_FILES: readonly string[] = ['journal-0', 'journal-1'];
export const HEAD_FILE = 'head';
export const PAYLOAD_FOLDER = 'payloads';
export const PUBLISHED_FILE = 'published';
/** What is left when a crash came before it was put in its place. */
export const UNPUBLISHED_FILE = 'published.new';

/** Where the database of the ledger in `dir` is. */
export const storeLocation = (dir: string): string => join(dir, STORE_FOLDER);

/** Name of the file for a day, below {@link PAYLOAD_FOLDER}. */
export const payloadFileOf = (day: number): string => (day === KEPT_DAY ? 'kept' : String(day));

/** Where that is, below the ledger's folder. */
export const payloadPathOf = (day: number): string => `${PAYLOAD_FOLDER}/${payloadFileOf(day)}`;

/** The day of a file's name; `undefined` for a name that is none. */
export function dayOfPayloadFile(name: string): number | undefined {
  if (name === payloadFileOf(KEPT_DAY)) return KEPT_DAY;
  const day = Number(name);
  return Number.isInteger(day) && day >= 0 && day < KEPT_DAY && String(day) === name ? day : undefined;
}
