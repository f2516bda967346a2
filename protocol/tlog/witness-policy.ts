/**
 * Whose signatures a checkpoint needs (C2SP tlog-policy; policy-file.ts reads it from text), and a checkpoint
 * held against that: signed by the log, and cosigned by a quorum of witnesses.
 */
import { equalBytes } from '../bytes.js';
import { openCheckpointNote, type Checkpoint } from './checkpoint.js';
import { cosignedAt, isBy, type Cosigner } from './cosignature.js';
import { FirebreakError } from '../errors.js';
import type { NoteSignature, NoteVerifier } from './note.js';

export interface PolicyLog {
  readonly verifier: NoteVerifier;
  readonly url: string | undefined;
}

export interface PolicyWitness {
  /** What the policy calls it; the witness calls itself `cosigner.name`. */
  readonly name: string;
  readonly cosigner: Cosigner;
  readonly url: string | undefined;
}

/** `threshold` of `members`, which are witnesses and groups, must have witnessed. */
export interface PolicyGroup {
  readonly name: string;
  readonly threshold: number;
  readonly members: readonly string[];
}

export interface WitnessPolicy {
  /** Empty: the policy leaves open which log it is for. */
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  readonly groups: readonly PolicyGroup[];
  /** Name of a witness or group; `undefined` for none. */
  readonly quorum: string | undefined;
}

export interface WitnessedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** When each witness of the policy cosigned, in unix seconds, by its name in the policy. */
  readonly cosigned: ReadonlyMap<string, number>;
  /** Names on signatures by keys that are neither the log's nor in the policy: nothing is known about them. */
  readonly others: readonly string[];
}

/** Asks for nobody. */
export const NO_WITNESSES: WitnessPolicy = { logs: [], witnesses: [], groups: [], quorum: undefined };

/** Whether witnesses with these names in the policy are a quorum. */
export function isQuorum(policy: WitnessPolicy, names: ReadonlySet<string>): boolean {
  return policy.quorum === undefined || hasWitnessed(policy, policy.quorum, names);
}

/** Depth is bounded: a group names only what was defined before it. */
function hasWitnessed(policy: WitnessPolicy, name: string, names: ReadonlySet<string>): boolean {
  const group = policy.groups.find((candidate) => candidate.name === name);
  if (group === undefined) return names.has(name);
  const count = group.members.filter((member) => hasWitnessed(policy, member, names)).length;
  return count >= group.threshold;
}

/** Witnesses below `name` that did not cosign, where what they belong to did not witness either. */
function missingBelow(policy: WitnessPolicy, name: string, names: ReadonlySet<string>): string[] {
  if (hasWitnessed(policy, name, names)) return [];
  const group = policy.groups.find((candidate) => candidate.name === name);
  return group === undefined
    ? [name]
    : group.members.flatMap((member) => missingBelow(policy, member, names));
}

/** The quorum in words, such as "2 of hospital, ombudsman, press". */
export function describeQuorum(policy: WitnessPolicy): string {
  return policy.quorum === undefined ? 'no witness' : describe(policy, policy.quorum);
}

function describe(policy: WitnessPolicy, name: string): string {
  const group = policy.groups.find((candidate) => candidate.name === name);
  if (group === undefined) return name;
  const members = group.members.map((member) => {
    const words = describe(policy, member);
    return words === member ? member : `(${words})`;
  });
  return `${group.threshold} of ${members.join(', ')}`;
}

/**
 * Opens a checkpoint and looks who of the policy cosigned it; whether they are enough is for the caller to ask.
 *
 * Throws `format`, `signature` for a bad signature of the log or of a witness, `foreign` for another log's
 * checkpoint and for a policy that names logs and not this one.
 */
export function readCosignatures(
  note: string | Uint8Array,
  logVerifier: NoteVerifier,
  policy: WitnessPolicy,
): WitnessedCheckpoint {
  requirePolicyFor(policy, logVerifier);
  const { checkpoint, note: opened } = openCheckpointNote(note, logVerifier);
  const { text, unverified } = opened;
  const cosigned = new Map<string, number>();
  for (const { name, cosigner } of policy.witnesses) {
    const seconds = cosignedAt(text, unverified, cosigner);
    if (seconds !== undefined) cosigned.set(name, seconds);
  }
  const isKnown = (signature: NoteSignature): boolean =>
    policy.witnesses.some(({ cosigner }) => isBy(signature, cosigner));
  const others = unverified.filter((signature) => !isKnown(signature)).map(({ name }) => name);
  return { checkpoint, cosigned, others };
}

/** Throws `foreign` when the policy names logs and not this one. */
export function requirePolicyFor(policy: WitnessPolicy, { name, publicKey }: NoteVerifier): void {
  const isNamed = policy.logs.some(
    ({ verifier }) => verifier.name === name && equalBytes(verifier.publicKey, publicKey),
  );
  if (isNamed || policy.logs.length === 0) return;
  throw new FirebreakError('foreign', `the policy names other logs, not ${name} with this key`);
}

/** As {@link openCosigned}, the checkpoint alone; without a policy nobody need have cosigned it. */
export const openWitnessedCheckpoint = (
  note: string | Uint8Array,
  logVerifier: NoteVerifier,
  policy: WitnessPolicy = NO_WITNESSES,
): Checkpoint => openCosigned(note, logVerifier, policy).checkpoint;

/**
 * The checkpoint of a log, its signature checked, and the quorum of its witnesses.
 *
 * Throws `witness`, naming who is missing, when the quorum did not cosign; `format`, `signature` and `foreign` as
 * {@link readCosignatures}.
 */
export function openCosigned(
  note: string | Uint8Array,
  logVerifier: NoteVerifier,
  policy: WitnessPolicy,
): WitnessedCheckpoint {
  const witnessed = readCosignatures(note, logVerifier, policy);
  const { checkpoint, cosigned } = witnessed;
  const names = new Set(cosigned.keys());
  if (policy.quorum === undefined || isQuorum(policy, names)) return witnessed;
  const missing = missingBelow(policy, policy.quorum, names).join(', ');
  throw new FirebreakError(
    'witness',
    `the checkpoint of ${checkpoint.size} entries does not have the witnesses it needs ` +
      `(${describeQuorum(policy)}): missing ${missing}`,
  );
}
