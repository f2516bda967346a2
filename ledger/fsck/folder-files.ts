/** The files of a ledger's folder: what must be there, what must not, and whether somebody writes to them. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isThere } from '../../host/system-words.js';
import { isZero } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import {
  dayOfPayloadFile,
  HEAD_FILE,
  JOURNAL_FILES,
  PAYLOAD_FOLDER,
  PUBLISHED_FILE,
  STORE_FOLDER,
  storeLocation,
  UNPUBLISHED_FILE,
} from '../store/folder.js';
import { SLOT_BYTES, type Head } from '../store/head-slot.js';
import type { Frame } from '../store/journal-frames.js';
import { signedLengthBy } from '../store/signed-length.js';
import type { Findings } from './findings.js';
import { checkHeadSlots } from './head-slots.js';
import { checkJournal, readJournalFiles } from './journal-check.js';

const EXPECTED: ReadonlySet<string> = new Set([
  STORE_FOLDER,
  HEAD_FILE,
  PAYLOAD_FOLDER,
  PUBLISHED_FILE,
  UNPUBLISHED_FILE,
  ...JOURNAL_FILES,
]);

/** Throws `not-found` when there is no ledger in `dir`, `permission` when it may not be read. */
export function requireLedgerFolder(dir: string): void {
  if (!isThere(storeLocation(dir)) && !isThere(join(dir, HEAD_FILE)))
    throw new FirebreakError('not-found', `there is no ledger in ${dir}`);
}

/** Name, length and time of every file. LevelDB's text log is left out: it says nothing of the ledger. */
export function stampOf(dir: string): string {
  const stamp = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return stamp(path);
      if (entry.name.startsWith('LOG')) return [];
      const info = statSync(path, { throwIfNoEntry: false });
      return [`${path} ${info?.size} ${info?.mtimeMs}`];
    });
  return stamp(dir).sort().join('\n');
}

export interface OwnFiles {
  /** What the head file says, the newest first. */
  readonly heads: readonly Head[];
  /** Commits in the journal, oldest first. */
  readonly frames: readonly Frame[];
}

/** Checks the files that are the ledger's own, not LevelDB's. */
export function checkOwnFiles(dir: string, findings: Findings, verifier: NoteVerifier): OwnFiles {
  for (const name of readdirSync(dir).sort())
    if (!EXPECTED.has(name))
      findings.damage('files', 'does not belong into a ledger’s folder', { file: name });
  for (const name of payloadFilesOf(dir))
    if (dayOfPayloadFile(name) === undefined)
      findings.damage('files', 'is of no day', { file: `${PAYLOAD_FOLDER}/${name}` });
  const path = join(dir, HEAD_FILE);
  const heads = existsSync(path) ? checkHeadSlots(readFileSync(path), findings) : [];
  const journal = readJournalFiles(dir);
  for (const name of JOURNAL_FILES)
    if (heads.length > 0 && !journal.some((file) => file.name === name))
      findings.damage('files', 'is missing', { file: name });
  return { heads, frames: checkJournal(journal, findings, signedLengthBy(verifier)) };
}

/** Names of the files that hold payloads. */
export function payloadFilesOf(dir: string): string[] {
  const folder = join(dir, PAYLOAD_FOLDER);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** `answered`: commits were. Then there was a head file: without it nobody knows whether the newest ones were lost. */
export function requireHead(
  dir: string,
  answered: boolean,
  heads: readonly Head[],
  findings: Findings,
): void {
  const path = join(dir, HEAD_FILE);
  const isLost = !existsSync(path) || isZero(readFileSync(path).subarray(0, SLOT_BYTES));
  if (answered && heads.length === 0 && isLost) findings.damage('files', HEAD_IS_LOST, { file: HEAD_FILE });
}

const HEAD_IS_LOST =
  'is missing or empty: nothing here says how far the ledger had answered; where nothing else is wrong, ' +
  'docs/ledger-fsck.md says when firebreak ledger head --data-dir DIR --yes may make it again';
