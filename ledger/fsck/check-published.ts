/**
 * Checks the file of the checkpoint that readers were shown last (witnesses/published-file.ts), where
 * witnesses cosign.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes } from '../../protocol/bytes.js';
import { openCheckpoint, type Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import {
  describeQuorum,
  isQuorum,
  readCosignatures,
  type WitnessPolicy,
} from '../../protocol/tlog/witness-policy.js';
import { PUBLISHED_FILE, UNPUBLISHED_FILE } from '../store/folder.js';
import { readableNote } from '../witnesses/readable-note.js';
import { isFirstOf, WITHOUT_PUBLISHED } from '../witnesses/published-file.js';
import type { Findings } from './findings.js';
import type { RootBook } from './root-book.js';

const PLACE = { file: PUBLISHED_FILE } as const;

const LOST =
  'is missing: readers are shown nothing until witnesses cosign again: start the ledger, with its policy, and they are asked';

const ASKED_ANEW = 'the ledger asks for what is missing when it is started';

const UNREADABLE = `has signature lines that cannot be read; ${ASKED_ANEW}`;

export interface Published extends Checkpoint {
  /** Whether all signatures on it were checked, and are valid; not whether they are as many as the policy asks for. */
  readonly cosignaturesChecked: boolean;
}

export interface PublishedCheckInput {
  readonly dir: string;
  readonly verifier: NoteVerifier;
  /** Not one of other logs. */
  readonly policy?: WitnessPolicy;
  /** The ledger asked witnesses: then it has published something. Absent: nobody knows. */
  readonly wasWitnessed?: boolean;
}

/**
 * The published checkpoint, its signatures checked, or the one that the next start publishes; `undefined` when
 * there is none, or none that can be used.
 */
export function readPublishedFile(input: PublishedCheckInput, findings: Findings): Published | undefined {
  const { dir, verifier, policy, wasWitnessed } = input;
  const prepared = readPreparedFile(input, findings);
  const path = join(dir, PUBLISHED_FILE);
  if (!existsSync(path)) {
    if (wasWitnessed === true && !prepared) findings.damage('files', LOST, PLACE, 'nothing');
    return prepared;
  }
  try {
    const { note, lost } = readableNote(readFileSync(path));
    const checkpoint = openCheckpoint(note, verifier);
    if (lost > 0) findings.damage('files', UNREADABLE, PLACE, 'nothing');
    const isComplete = policy !== undefined && lost === 0;
    return {
      ...checkpoint,
      cosignaturesChecked: isComplete && checkCosignatures(note, verifier, policy, findings),
    };
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    const what = `is not a checkpoint that this log published: ${error.message}. ${WITHOUT_PUBLISHED}`;
    findings.damage('files', what, { ...PLACE, offset: 0 }, 'nothing');
    return undefined;
  }
}

/**
 * The first checkpoint of a witnessed folder, where a stop came before it was put in its place: no witness cosigns that
 * one. Where the first policy was not kept, it never will be.
 */
function readPreparedFile(
  { dir, verifier, wasWitnessed }: PublishedCheckInput,
  findings: Findings,
): Published | undefined {
  const [file, path] = [UNPUBLISHED_FILE, join(dir, UNPUBLISHED_FILE)];
  if (!existsSync(path)) return undefined;
  const note = readFileSync(path);
  const isDue = wasWitnessed !== false && !existsSync(join(dir, PUBLISHED_FILE));
  if (!isDue || !isFirstOf(note, verifier)) {
    findings.note('leftover', 'was never put in its place', { file });
    return undefined;
  }
  findings.note('interrupted', 'will be published when the ledger is started with its policy', { file });
  return { ...openCheckpoint(note, verifier), cosignaturesChecked: true };
}

/**
 * Whether all signatures are by keys that are known, and valid. Who else signed, and who did not, is no damage for
 * all that can be known here: witnesses, or the policy, may have been others when it was published.
 */
function checkCosignatures(
  note: string,
  verifier: NoteVerifier,
  policy: WitnessPolicy,
  findings: Findings,
): boolean {
  try {
    const { others, cosigned } = readCosignatures(note, verifier, policy);
    if (others.length > 0) findings.note('unchecked', BY_OTHERS, PLACE);
    if (!isQuorum(policy, new Set(cosigned.keys()))) findings.note('unchecked', lacksQuorum(policy), PLACE);
    return others.length === 0;
  } catch (error) {
    if (!(error instanceof FirebreakError) || error.code !== 'signature') throw error;
    findings.damage('files', `is damaged: ${error.message}; ${ASKED_ANEW}`, PLACE, 'nothing');
    return false;
  }
}

const BY_OTHERS = 'bears a signature that is of no witness of the policy';

const lacksQuorum = (policy: WitnessPolicy): string =>
  `lacks cosignatures that the policy asks for (${describeQuorum(policy)}), as only the first one of a folder, or one ` +
  'from before this policy, may';

/** The log must hold what was published. */
export function checkPublished(
  published: Published,
  size: number,
  roots: RootBook,
  findings: Findings,
): void {
  if (published.size > size)
    findings.damage('state', `and those behind it are lost: ${published.size} entries were published`, {
      index: size,
    });
  const root = roots.rootAt(published.size);
  if (root !== undefined && !equalBytes(root, published.root))
    findings.damage('state', `the log of ${published.size} entries has another root than was published`);
}
