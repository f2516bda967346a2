/** The folder of a witness, which is no part of a deployment: who it is, which logs it trusts, what it cosigned. */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { holdLock } from '../../host/folder-lock.js';
import {
  cosignerOf,
  cosignerWithKey,
  formatCosignerKey,
  type CosignerWithKey,
} from '../../protocol/tlog/cosignature.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { noteVerifierKey, parseVerifierKey, type NoteVerifier } from '../../protocol/tlog/note.js';
import { beginState } from '../../witness/state-folder.js';
import { writeAtomically } from '../files/atomic-file.js';
import { parseJson } from './config.js';
import { fieldsOf } from '../terminal/fields.js';
import { usage } from '../terminal/exit.js';
import { callOf } from '../terminal/how-called.js';
import { claimEmptyFolder } from './folder.js';
import { createKeyFile, readKeyFile } from '../files/key-files.js';

const FORMAT = 'firebreak-witness-1';

const witnessJson = z.strictObject({
  format: z.literal(FORMAT),
  /** Its name and public key. */
  key: z.string(),
  /** Verifier keys; the name in a key is the origin of its log. */
  logs: z.array(z.string()),
});

export interface WitnessFolder {
  readonly dir: string;
  readonly json: string;
  readonly key: string;
  readonly state: string;
  /** Held by whoever changes which logs are trusted. */
  readonly trusting: string;
}

export interface WitnessFacts {
  readonly name: string;
  /** Its verifier key as text. */
  readonly vkey: string;
  readonly logs: readonly NoteVerifier[];
}

export function witnessFolder(path: string): WitnessFolder {
  const dir = resolve(path);
  const at = (name: string): string => join(dir, name);
  return { dir, json: at('witness.json'), key: at('witness.key'), state: at('state'), trusting: at('lock') };
}

/**
 * Makes a new witness and its key. Throws `exists` when the folder is not empty, and says what to do where that is what a stop in
 * the middle of this left; `usage` for a name that cannot be one.
 */
export async function createWitness(folder: WitnessFolder, name: string): Promise<WitnessFacts> {
  requireName(name);
  await requireNotHalfMade(folder);
  await claimEmptyFolder(folder.dir);
  const cosigner = cosignerWithKey(name, fastSigner(await createKeyFile(folder.key)));
  const facts = { name, vkey: formatCosignerKey(cosigner), logs: [] };
  await writeFacts(folder, facts);
  return facts;
}

/** Its key, and files that were not put in their places: what there is before `witness.json`. */
const HALF_MADE = /^witness\.key$|^witness\.(key|json)\.\d+\.tmp$/;

/**
 * A key alone may also be what is left of a witness that has cosigned. With an empty memory it could cosign a fork, so none is
 * made of it: what to do is said.
 */
async function requireNotHalfMade({ dir }: WitnessFolder): Promise<void> {
  const names = await readdir(dir).catch((): string[] => []);
  if (names.length === 0 || !names.every((name) => HALF_MADE.test(name))) return;
  throw new FirebreakError('exists', halfMade(dir));
}

const halfMade = (dir: string): string =>
  `the witness in ${dir} was not made to its end: witness.json is missing. If it never ran, nothing was cosigned: ` +
  `remove the folder, and begin again with ${callOf('witness init')}`;

function requireName(name: string): void {
  try {
    cosignerOf(name, new Uint8Array(32));
  } catch (error) {
    throw usage(
      `--name: ${(error as Error).message}; a URL without scheme is the custom, such as example.org/witness`,
    );
  }
}

function writeFacts({ json }: WitnessFolder, { vkey, logs }: WitnessFacts): Promise<void> {
  const keys = logs.map(({ name, publicKey }) => noteVerifierKey(name, publicKey));
  return writeAtomically(json, `${JSON.stringify({ format: FORMAT, key: vkey, logs: keys }, null, 2)}\n`);
}

/** Throws `foreign` for a folder of something else, `exists` for one not made to its end, `damaged` for one that cannot be read. */
export async function readWitness(folder: WitnessFolder): Promise<WitnessFacts> {
  const { dir, json } = folder;
  const text = await readFile(json, 'utf8').catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT')
      throw new FirebreakError('permission', `${json} cannot be read: ${cause.message}`, { cause });
    await requireNotHalfMade(folder);
    const what = `${dir} is not the folder of a witness: make one with ${callOf('witness init')}`;
    throw new FirebreakError('foreign', what, { cause });
  });
  const { key, logs } = fieldsOf(witnessJson, json, parseJson(json, text));
  try {
    const [name = ''] = key.split('+');
    return { name, vkey: key, logs: logs.map(parseVerifierKey) };
  } catch (cause) {
    throw new FirebreakError('damaged', `${json} does not fit: ${(cause as Error).message}`, { cause });
  }
}

/** The key to cosign with. Throws `foreign` when it is not the one the folder names, and as `readKeyFile`. */
export async function witnessKey(
  folder: WitnessFolder,
  { name, vkey }: WitnessFacts,
): Promise<CosignerWithKey> {
  const cosigner = cosignerWithKey(name, fastSigner(await readKeyFile(folder.key)));
  if (formatCosignerKey(cosigner) === vkey) return cosigner;
  throw new FirebreakError(
    'foreign',
    `${folder.key} is not the key of the witness that ${folder.json} names`,
  );
}

/**
 * Trusts a log from the next start on, also while the witness runs. Its state is begun first and only once: one that is lost
 * later is never replaced by an empty one. Tells whether the key is new.
 *
 * Throws `locked` while another does the same, and as {@link readWitness}.
 */
export async function trustLog(folder: WitnessFolder, log: NoteVerifier): Promise<boolean> {
  await readWitness(folder); // a lock is made in no other folder
  const unlock = await holdLock(folder.trusting, `another log is being trusted in ${folder.dir}: try again`);
  try {
    const facts = await readWitness(folder);
    const known = facts.logs.filter(({ name }) => name === log.name);
    if (known.some(({ keyHash }) => keyHash === log.keyHash)) return false;
    if (known.length === 0) await beginState(folder.state, log.name);
    await writeFacts(folder, { ...facts, logs: [...facts.logs, log] });
    return true;
  } finally {
    await unlock();
  }
}
