/** `firebreak ledger fsck`: checks a stopped ledger from its stored bytes, and changes nothing. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import type { FsckOptions } from '../../ledger/fsck/fsck.js';
import { PUBLISHED_FILE } from '../../ledger/store/folder.js';
import { isThere, systemReason } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { requirePolicyFor, type WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { readConfig } from '../folder/config.js';
import { usage } from '../terminal/exit.js';
import { folderAt, type DataFolder } from '../folder/folder.js';
import { requireAskedHere } from '../folder/ledger-place.js';
import { publicKeyHex } from '../terminal/options.js';
import { logVerifier } from '../parts/ledger.js';
import { keptPolicy, policyOption } from '../files/policy-files.js';
import { cleanLines, damageSummary, findingLines } from '../present/show-fsck.js';
import { terminalProgress } from '../terminal/progress.js';
import { findRunning } from '../files/run-files.js';
import { stopSignal } from '../terminal/shutdown.js';
import { verifierKey } from '../terminal/verifier-key.js';

const MORE_HELP = `
It reads the files themselves and opens nothing, so that nothing is repaired or rolled back on the way. It takes about
65 bytes of memory for each entry, and no disk. The ledger must be stopped.

Exit codes: 0 clean, 1 damaged or not checked, 2 used wrongly. The end of a write that was cut short before it was
answered for is no damage: it is named, and the ledger drops it at its next start.`;

export function addLedgerFsckCommand(ledger: Command): void {
  ledger
    .command('fsck')
    .description(
      'check a stopped ledger, every stored byte and all that follows from it, without changing it',
    )
    .option('--data-dir <dir>', 'the data folder of the deployment')
    .option('--ledger <dir>', 'a ledger’s folder alone, such as DIR/ledger/store; needs --vkey')
    .option('--vkey <key>', 'the log’s public key, as firebreak ledger vkey prints it', verifierKey)
    .option(
      '--issuer <key>',
      'the issuer’s public key in hex, to check what the log says of gateways',
      publicKeyHex,
    )
    .option(
      '--policy <file>',
      'the witnesses whose cosignatures to check (C2SP tlog-policy); by default those of the data folder',
    )
    .addHelpText('after', MORE_HELP)
    .action((options: Options) => fsck(options));
}

interface Options {
  readonly dataDir?: string;
  readonly ledger?: string;
  readonly vkey?: NoteVerifier;
  readonly issuer?: Uint8Array;
  readonly policy?: string;
}

type Subject = Pick<
  FsckOptions,
  'dir' | 'verifier' | 'issuerPublicKey' | 'policy' | 'wasWitnessed' | 'policyDamage'
>;

async function subjectOf({ dataDir, ledger, vkey, issuer, policy: policyFile }: Options): Promise<Subject> {
  if ((dataDir === undefined) === (ledger === undefined))
    throw usage('name the ledger: either --data-dir DIR or --ledger DIR');
  if (ledger !== undefined) {
    if (vkey === undefined) throw usage('--ledger needs --vkey KEY, the public key of the log');
    await requireStoreItself(ledger);
    const asked = await policyOption(policyFile);
    return { dir: ledger, verifier: vkey, ...(issuer && { issuerPublicKey: issuer }), ...asked };
  }
  const folder = folderAt(dataDir ?? '');
  await requireAskedHere(folder);
  const config = await readConfig(folder);
  if (await findRunning(folder, 'ledger'))
    throw new FirebreakError('locked', `the ledger of ${folder.dir} is running: stop it, then check it`);
  const asked = await policyOption(policyFile);
  const verifier = vkey ?? logVerifier(config);
  const { kept, policyDamage } = await policyIn(folder.ledger, verifier);
  const policy = asked.policy ?? kept;
  return {
    dir: folder.ledger.store,
    verifier,
    issuerPublicKey: issuer ?? config.issuerPublicKey,
    ...(policy && { policy }),
    ...(policyDamage === undefined ? { wasWitnessed: kept?.quorum !== undefined } : { policyDamage }),
  };
}

/** The policy that the ledger keeps, or what is wrong with it: that is a finding like others, and the rest is checked. */
async function policyIn(
  { policy: file, store }: DataFolder['ledger'],
  verifier: NoteVerifier,
): Promise<{ readonly kept?: WitnessPolicy | undefined; readonly policyDamage?: string }> {
  try {
    const kept = await keptPolicy(file);
    if (kept) requirePolicyFor(kept, verifier);
    // whoever publishes keeps a policy, also one that ends it
    const isLost = kept === undefined && isThere(join(store, PUBLISHED_FILE));
    return { kept, ...(isLost && { policyDamage: policyDamaged('is missing', file) }) };
  } catch (error) {
    const isOfOthers = error instanceof FirebreakError && error.code === 'foreign';
    const why = error instanceof FirebreakError ? error.message : `${file}: ${systemReason(error)}`;
    return { policyDamage: policyDamaged(isOfOthers ? 'is of no use' : 'cannot be read', why) };
  }
}

const policyDamaged = (how: string, why: string): string =>
  `the kept policy of witnesses ${how}: ${why}; give it again with ledger run --policy FILE`;

/** The folder around a ledger's holds its keys too, which would look like damage. Throws `usage`. */
async function requireStoreItself(dir: string): Promise<void> {
  const inside = join(dir, 'store');
  const isAround = await stat(join(inside, 'store')).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (isAround) throw usage(`${dir} is the folder around the ledger’s: --ledger ${inside}`);
}

async function fsck(options: Options): Promise<void> {
  const subject = await subjectOf(options);
  const progress = terminalProgress(process.stderr);
  const onProgress = (step: string, fraction: number | undefined) =>
    progress.update(`checking ${step}`, fraction);
  const stop = stopSignal();
  try {
    const report = await fsckLedger({ ...subject, onProgress, signal: stop.signal }).finally(progress.done);
    for (const line of findingLines(report)) console.log(line);
    if (report.findings.damageCount > 0)
      throw new FirebreakError('damaged', damageSummary(report, subject.dir));
    for (const line of cleanLines(report, subject.verifier.name, subject.dir)) console.log(line);
  } finally {
    stop.dispose();
  }
}
