/** A new deployment: the keys of every party that lives in the folder, and the public facts that bind them. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { toHex } from '../../protocol/bytes.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { issuerIdOf } from '../../protocol/keys.js';
import { noteVerifierKey } from '../../protocol/tlog/note.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { syncFolder } from '../../host/sync-folder.js';
import { readConfig, writeConfig } from './config.js';
import type { Config } from './config.js';
import { setNewFolderClock } from '../days/folder-clock.js';
import type { ClockOptions } from '../days/folder-clock.js';
import { claimEmptyFolder } from './folder.js';
import { callOf } from '../terminal/how-called.js';
import type { DataFolder } from './folder.js';
import { createKeyFile, readKeyFile } from '../files/key-files.js';

/** Which entry types each party may write (protocol.md §10). Gateways are known by their logged certificates. */
const ISSUER_ENTRY_TYPES = [3, 4, 8, 9, 10];
const TRACER_ENTRY_TYPES = [6];

export interface DeploymentWishes {
  /** The log's name, which its key carries; by default made of the issuer's. */
  readonly origin?: string;
  readonly settings: ProtocolSettings;
  /** The wall clock by default. */
  readonly clock?: ClockOptions;
  /** The last day of tracing, such as 2027-06-30. */
  readonly sunset?: string;
}

/**
 * Makes the folder's keys, clock and configuration; what cannot be made whole, on a full disk say, is removed, and the folder is
 * empty as before. Throws `exists` when the folder is not empty, and says what to do where that is what a stop in the middle of
 * this left.
 */
export async function createDeployment(folder: DataFolder, wishes: DeploymentWishes): Promise<Config> {
  await requireNotHalfMade(folder);
  await claimEmptyFolder(folder.dir);
  try {
    return await fill(folder, wishes);
  } catch (error) {
    const isAnothers = error instanceof FirebreakError && error.code === 'exists'; // made at the same time
    if (!isAnothers) await clear(folder).catch(() => undefined); // the first failure is the one to say
    throw error;
  }
}

/** What there is before `firebreak.json`: folders, keys, and files that were not put in their places. */
const HALF_MADE_TOP = /^(run|authority|ledger|tracer|clock\.json|(clock|firebreak)\.json\.\d+\.tmp)$/;
const HALF_MADE_INSIDE =
  /^(authority\/(issuer|audit)\.key|ledger\/((log|receipt)\.key|read\.token)|tracer\/(writer\.key|api\.token))(\.\d+\.tmp)?$/;

/**
 * Keys without `firebreak.json` may also be what is left of a deployment whose parties know it. They are never replaced: what to
 * do is said.
 */
async function requireNotHalfMade({ dir }: DataFolder): Promise<void> {
  const top = await readdir(dir).catch((): string[] => []);
  if (top.length === 0 || !top.every((name) => HALF_MADE_TOP.test(name))) return;
  const all = await readdir(dir, { recursive: true });
  if (!all.every((name) => HALF_MADE_TOP.test(name) || HALF_MADE_INSIDE.test(name))) return;
  throw new FirebreakError(
    'exists',
    `the deployment in ${dir} was not made to its end: firebreak.json is missing. Unless another init is at ` +
      `work there now: if nothing ever ran with its keys, remove the folder, and begin again with ${callOf('authority init')}; otherwise put firebreak.json back from a copy`,
  );
}

/** Nobody was told of these keys. */
async function clear({ dir, run, authority, ledger, tracer, clock, config }: DataFolder): Promise<void> {
  for (const made of [run, authority.dir, ledger.dir, tracer.dir, clock, config])
    await rm(made, { recursive: true, force: true });
  await syncFolder(dir);
}

async function fill(folder: DataFolder, wishes: DeploymentWishes): Promise<Config> {
  await mkdir(folder.run, { recursive: true, mode: 0o700 });
  const issuer = fastSigner(await createKeyFile(folder.authority.issuerKey));
  const audit = x25519KeyPair(await createKeyFile(folder.authority.auditKey));
  const log = fastSigner(await createKeyFile(folder.ledger.logKey));
  const receipt = fastSigner(await createKeyFile(folder.ledger.receiptKey));
  const tracer = fastSigner(await createKeyFile(folder.tracer.writerKey));
  await createKeyFile(folder.ledger.readToken);
  await createKeyFile(folder.tracer.apiToken);
  await setNewFolderClock(folder, wishes.clock ?? {});
  const origin = wishes.origin ?? `firebreak.local/${toHex(issuerIdOf(issuer.publicKey))}`;
  await writeConfig(folder, {
    origin,
    issuerPublicKey: issuer.publicKey,
    auditPublicKey: audit.publicKey,
    logKey: noteVerifierKey(origin, log.publicKey),
    receiptPublicKey: receipt.publicKey,
    writers: [
      { name: 'issuer', publicKey: issuer.publicKey, entryTypes: ISSUER_ENTRY_TYPES },
      { name: 'tracer', publicKey: tracer.publicKey, entryTypes: TRACER_ENTRY_TYPES },
    ],
    ...(wishes.sunset !== undefined && { sunset: wishes.sunset }),
    settings: { ...wishes.settings, attenuationThresholdsDb: [...wishes.settings.attenuationThresholdsDb] },
  });
  return readConfig(folder);
}

/** The signer whose seed is in a key file of the folder. */
export async function signerFrom(file: string): Promise<Signer> {
  return fastSigner(await readKeyFile(file));
}
