/**
 * What readers of the ledger are shown: each commit at once, or with a policy what a quorum of witnesses cosigned
 * (witnessed-publication.ts).
 */
import { FirebreakError } from '../../protocol/errors.js';
import { isQuorum, requirePolicyFor, type WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { readerOfStore } from '../readers/reader-level.js';
import type { Store } from '../store/store.js';
import type { Publication, PublicationDeps } from './publication-contract.js';
import {
  preparePublished,
  publishPrepared,
  readPublished,
  removePublished,
  takePrepared,
} from './published-file.js';
import { WitnessedPublication } from './witnessed-publication.js';

/** Without witnesses: the last commit, and nothing to do. */
function everyCommit(store: Store): Publication {
  return {
    head: () => store.state(),
    committed: () => {},
    status: () => ({ size: store.state().size, quorum: undefined, witnesses: [], failure: undefined }),
    close: async () => {},
  };
}

/** Throws `input` naming what of the policy the ledger cannot use. */
function requireReachable({ witnesses, ...policy }: WitnessPolicy): void {
  const bad = witnesses.find(({ url }) => url !== undefined && !/^https?:\/\//.test(url));
  if (bad)
    throw new FirebreakError('input', `the URL of the witness ${bad.name} is not an http or https one`);
  const reachable = new Set(witnesses.filter(({ url }) => url !== undefined).map(({ name }) => name));
  if (isQuorum({ ...policy, witnesses }, reachable)) return;
  const unknown = witnesses.filter(({ name }) => !reachable.has(name)).map(({ name }) => name);
  throw new FirebreakError(
    'input',
    `the policy asks for more witnesses than it gives a URL of: add the submission prefix of ${unknown.join(', ')}`,
  );
}

/** Only a policy that asks for nobody ends witnessing: a file that got lost does not. */
const policyMissing = (dir: string): FirebreakError =>
  new FirebreakError(
    'input',
    `the ledger in ${dir} shows readers only what witnesses cosigned, and the policy that names them is missing: start it with ` +
      '--policy FILE, and to go on without witnesses with a policy that says "quorum none"',
  );

/**
 * Opens what the ledger of `deps.dir` publishes. A folder that was run without witnesses until now has
 * published all it holds; the policy is for what comes then. One that was run with them, and has lost what it
 * published, shows nothing until they cosign again: who reads under a policy refuses anything else.
 *
 * The policy is kept before what is published changes, and a stop in between is made good by the next start:
 * with a policy that ends witnessing it removes what was published; with the first that asks for witnesses,
 * it publishes what was prepared for that.
 *
 * Throws `foreign` for a policy of other logs, `input` for one whose witnesses cannot be reached and when
 * there is none though the folder was run with one, `damaged` when the store does not hold what was
 * published.
 */
export async function openPublication(deps: PublicationDeps): Promise<Publication> {
  const { dir, store, verifier, policy } = deps;
  const { size, checkpoint } = store.state();
  const held = { size, verifier, reader: readerOfStore(store) };
  const published =
    (await readPublished(dir, held)) ?? (deps.wasWitnessed ? await takePrepared(dir, held) : undefined);
  if (policy) requirePolicyFor(policy, verifier);
  if (published && policy === undefined) throw policyMissing(dir);
  if (policy?.quorum === undefined) {
    if (policy) await deps.keepPolicy?.();
    if (published) await removePublished(dir);
    return everyCommit(store);
  }
  requireReachable(policy);
  const isFirst = published === undefined && !deps.wasWitnessed;
  if (isFirst) await preparePublished(dir, checkpoint);
  await deps.keepPolicy?.();
  if (isFirst) await publishPrepared(dir);
  return new WitnessedPublication(deps, policy, isFirst ? { size, checkpoint } : published).start();
}
