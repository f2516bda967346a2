/**
 * What readers of the ledger are shown: each commit at once, or with a policy what a quorum of witnesses cosigned
 * (witnessed-publication.ts).
 */
import { join } from 'node:path';
import { isThere } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import { isQuorum, requirePolicyFor, type WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { readerOfStore } from '../readers/reader-level.js';
import { NODE_DISK } from '../store/disk.js';
import { PUBLISHED_FILE } from '../store/folder.js';
import type { Store } from '../store/store.js';
import type { Publication, PublicationDeps } from './publication-contract.js';
import {
  preparePublished,
  publishPrepared,
  readPublished,
  removePublished,
  takePrepared,
  writePublished,
  type HeldLog,
  type PublishedHead,
} from './published-file.js';
import { withoutInvalid } from './readable-note.js';
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

/** What a folder was run with until now, and what it is opened with. */
type Situation =
  /** Without witnesses, as before; `ends`: with them until now. */
  | { readonly is: 'plain' | 'ends' }
  /** `lost`: it asked for witnesses, and what it published is not there, or not put in its place yet. */
  | { readonly is: 'begins' | 'goes on' | 'lost'; readonly policy: WitnessPolicy };

/** Nothing is read or changed. Throws `foreign` and `input` as {@link openPublication}. */
function situationOf({ dir, verifier, policy, wasWitnessed = false }: PublicationDeps): Situation {
  const isPublished = isThere(join(dir, PUBLISHED_FILE));
  if (policy) requirePolicyFor(policy, verifier);
  if (policy === undefined && (isPublished || wasWitnessed)) throw policyMissing(dir);
  if (policy?.quorum === undefined) return { is: isPublished || wasWitnessed ? 'ends' : 'plain' };
  requireReachable(policy);
  if (isPublished) return { is: 'goes on', policy };
  return { is: wasWitnessed ? 'lost' : 'begins', policy };
}

/**
 * Opens what the ledger of `deps.dir` publishes. A folder that was run without witnesses until now has
 * published all it holds; the policy is for what comes then. One that was run with them, and has lost what it
 * published, shows nothing until they cosign again: who reads under a policy refuses anything else.
 *
 * The policy is kept before what is published changes, and a stop in between is made good by the next start:
 * with a policy that ends witnessing it removes what was published; with the first that asks for witnesses,
 * it publishes what was prepared for that. It is kept before what was published is read, too: a file of that
 * which is of no use may be removed then, and the next start still knows that witnesses must cosign.
 *
 * Throws `foreign` for a policy of other logs, `input` for one whose witnesses cannot be reached and when
 * there is none though the folder was run with one, `damaged` when the store does not hold what was
 * published, `full` or `input` when what is to be published cannot be written.
 */
export async function openPublication(deps: PublicationDeps): Promise<Publication> {
  const situation = situationOf(deps);
  if ('policy' in situation) {
    const published = await openPublished(situation, deps);
    return new WitnessedPublication(deps, situation.policy, published).start();
  }
  const isEnd = situation.is === 'ends';
  if (isEnd) await readPublished(deps.dir, heldBy(deps));
  await deps.keepPolicy?.();
  if (isEnd) await removePublished(deps.disk ?? NODE_DISK, deps.dir);
  return everyCommit(deps.store);
}

/** What readers are shown until witnesses cosign more; `undefined` for nothing. The policy is kept. */
async function openPublished(
  { is, policy }: Extract<Situation, { readonly policy: WitnessPolicy }>,
  deps: PublicationDeps,
): Promise<PublishedHead | undefined> {
  const { dir, store, keepPolicy, disk = NODE_DISK } = deps;
  const { size, checkpoint } = store.state();
  if (is === 'begins') await preparePublished(disk, dir, checkpoint);
  await keepPolicy?.();
  if (is === 'goes on') return readShown(deps, policy);
  if (is === 'lost') return takePrepared(disk, dir, heldBy(deps));
  await publishPrepared(disk, dir);
  return { size, checkpoint };
}

/** What is shown again, and stands in the file: a cosignature that was damaged costs readers no others. */
async function readShown(deps: PublicationDeps, policy: WitnessPolicy): Promise<PublishedHead | undefined> {
  const head = await readPublished(deps.dir, heldBy(deps));
  if (head === undefined) return undefined;
  const checkpoint = withoutInvalid(head.checkpoint, policy);
  if (checkpoint === head.checkpoint) return head;
  await writePublished(deps.disk ?? NODE_DISK, deps.dir, checkpoint);
  return { ...head, checkpoint };
}

const heldBy = ({ store, verifier }: PublicationDeps): HeldLog => ({
  size: store.state().size,
  verifier,
  reader: readerOfStore(store),
});
