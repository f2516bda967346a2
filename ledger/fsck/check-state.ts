/** What the ledger starts from: the format row, the state row with its checkpoint and counters, and the head file. */
import { equalBytes } from '../../protocol/bytes.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { NO_PREVIOUS_LEAF } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { HEAD_FILE } from '../store/folder.js';
import type { Head } from '../store/head-slot.js';
import { FORMAT_KEY, STATE_KEY } from '../store/store-keys.js';
import { decodeFormatRow, FORMAT_VERSION, isKnownVersion } from '../store/store-rows.js';
import { decodeStateRow, type StateRow } from '../store/store-state.js';
import type { Counters } from '../store/store.js';
import type { BatchSummary } from './check-batches.js';
import type { LogSummary } from './check-log.js';
import type { Findings } from './findings.js';
import type { RootBook } from './root-book.js';
import type { RowView } from './row-view.js';

/**
 * The format row. Throws `foreign` for the ledger of another log or format: nothing about it could be checked
 * with this key.
 */
export function checkFormat(rows: RowView, verifier: NoteVerifier, dir: string, findings: Findings): void {
  const row = rows.get(FORMAT_KEY);
  if (row === undefined) return findings.damage('rows', 'the format row is missing');
  const { version, origin, logPublicKey } = decodeFormatRow(row);
  if (!isKnownVersion(version))
    throw new FirebreakError(
      'foreign',
      `${dir} has format ${version} and this program knows format ${FORMAT_VERSION}: use the version that wrote it`,
    );
  if (origin !== verifier.name || !equalBytes(logPublicKey, verifier.publicKey))
    throw new FirebreakError(
      'foreign',
      `${dir} is the ledger of ${origin}, and the key is not that of its log`,
    );
}

/** The state row; `undefined`, and found, when it cannot be read. */
export function readState(rows: RowView, findings: Findings): StateRow | undefined {
  const row = rows.get(STATE_KEY);
  try {
    if (row !== undefined) return decodeStateRow(row);
    findings.damage('state', 'the state row is missing');
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    findings.damage('state', `the state row cannot be read: ${error.message}`);
  }
  return undefined;
}

/** The checkpoint of the last commit must be signed by the log, and be of the state it stands in. */
export function checkCheckpoint({ state }: StateRow, verifier: NoteVerifier, findings: Findings): void {
  try {
    const { size, root } = openCheckpoint(state.checkpoint, verifier);
    if (size !== state.size || !equalBytes(root, state.root))
      findings.damage('state', `the checkpoint is of ${size} entries, and not of the state it stands in`);
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    findings.damage('state', `the checkpoint is not one that this log signed: ${error.message}`);
  }
}

/** The state row against what the entries and the batch rows give. */
export function checkState(
  { state, indexedTo }: StateRow,
  log: LogSummary,
  batches: BatchSummary,
  findings: Findings,
): void {
  const damage = (what: string): void => findings.damage('state', what);
  if (log.root !== undefined && !equalBytes(log.root, state.root))
    damage('the entries do not give the root of the checkpoint');
  if (log.complete && !equalBytes(log.lastLeaf ?? NO_PREVIOUS_LEAF, state.previousLeaf))
    damage('the hash of the last entry is another than the state row says');
  if (log.complete && log.lastAppendedMs !== state.lastAppendedMs)
    damage('the time of the last entry is another than the state row says');
  if (indexedTo > state.size) damage('the payload index is said to reach past the end of the log');
  for (const what of wrongCounters(state.counters, log, batches)) damage(what);
}

function wrongCounters(counters: Counters, log: LogSummary, counted: BatchSummary): string[] {
  const wrong: string[] = [];
  const compare = (name: string, said: number, found: number): void => {
    if (said !== found) wrong.push(`the counter of ${name} says ${said}, and it is ${found}`);
  };
  const compareMaps = (
    name: string,
    said: ReadonlyMap<number, number>,
    found: ReadonlyMap<number, number>,
  ): void => {
    for (const key of new Set([...said.keys(), ...found.keys()]))
      compare(`${name} ${key}`, said.get(key) ?? 0, found.get(key) ?? 0);
  };
  if (log.complete) compareMaps('entries of type', counters.entriesByType, log.entriesByType);
  if (!counted.complete) return wrong;
  compare('batches', counters.batches, counted.batches);
  compareMaps('refusals with number', counters.refusalsByNumber, counted.refusalsByNumber);
  if (log.complete) compare('duplicates', counters.duplicates, counted.duplicates);
  return wrong;
}

/** What the folder was found to reach: `commit` is unknown when the state row cannot be read. */
export interface Reach {
  readonly size: number;
  readonly commit: number | undefined;
}

/**
 * The log must reach as far as the head file says it was answered for, with the same roots; the log signed
 * what it says.
 */
export function checkHead(
  heads: readonly Head[],
  { size, commit }: Reach,
  { roots, verifier, findings }: { roots: RootBook; verifier: NoteVerifier; findings: Findings },
): void {
  const [newest] = heads;
  if (newest !== undefined && newest.size > size)
    findings.damage('state', `and those behind it are lost: ${newest.size} entries were answered for`, {
      index: size,
    });
  else if (newest !== undefined && commit !== undefined && newest.commit > commit)
    findings.damage('state', lostAnswers(newest.commit, commit));
  for (const head of heads) {
    const root = roots.rootAt(head.size);
    if (root !== undefined && !equalBytes(root, head.root))
      findings.damage('state', `the log of ${head.size} entries has another root than was answered for`);
    if (!isSigned(head, verifier))
      findings.damage('files', 'holds a checkpoint that this log did not sign', { file: HEAD_FILE });
  }
}

const lostAnswers = (answered: number, commit: number): string =>
  `the store ends with commit ${commit} and ${answered} were answered for: what is lost are refusals, and no entry`;

function isSigned({ checkpoint }: Head, verifier: NoteVerifier): boolean {
  try {
    openCheckpoint(checkpoint, verifier);
    return true;
  } catch (error) {
    if (error instanceof FirebreakError) return false;
    throw error;
  }
}
