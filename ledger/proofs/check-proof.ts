/**
 * Checks a tlog-proof file with the log's public key and nothing else: no ledger, no network, no other file.
 *
 * Our proofs carry the entry itself (protocol.md §10) as their extra data. Extra data is not vouched for by
 * the format; the entry is, because the proof only holds for its leaf hash, H(0x00 || entry).
 */
import { equalBytes } from '../../protocol/bytes.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { decodeEntry, type LedgerEntry } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import { checkInclusion, leafHash, MAX_ENTRY_BYTES } from '../../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { decodeTlogProof } from '../../protocol/tlog/tlog-proof.js';
import {
  NO_WITNESSES,
  openCosigned,
  type WitnessedCheckpoint,
  type WitnessPolicy,
} from '../../protocol/tlog/witness-policy.js';

/** What is claimed to be in the log: the bytes of an entry, or only its leaf hash. */
export type Claimed = { readonly entry: Uint8Array } | { readonly leaf: Uint8Array };

export interface CheckedProof {
  readonly index: number;
  readonly leaf: Uint8Array;
  /** `undefined` when only the leaf hash is known. */
  readonly entry: LedgerEntry | undefined;
  readonly checkpoint: Checkpoint;
  /** When each witness of the policy cosigned it, in unix seconds by its own clock, by its name there. */
  readonly witnesses: WitnessedCheckpoint['cosigned'];
  /** Names on further signatures of the checkpoint, by keys that were not given: nothing is known about them. */
  readonly unverifiedNames: readonly string[];
}

/**
 * Checks that the entry, by default the one the file carries, is in the log of `verifier`, under a checkpoint that the
 * witnesses of the policy cosigned.
 *
 * Throws `format` for a file that is none, or an entry that is none; `signature`, `foreign` or `witness` for
 * its checkpoint; `proof` when it does not prove the entry; `input` when there is no entry, in the file or
 * given.
 */
export function checkProof(
  file: string | Uint8Array,
  verifier: NoteVerifier,
  claimed?: Claimed,
  policy: WitnessPolicy = NO_WITNESSES,
): CheckedProof {
  const { extra, index, hashes, checkpoint: note } = decodeTlogProof(file);
  const { entry, leaf } = knownOf(extra, claimed);
  const { checkpoint, cosigned, others } = openCosigned(note, verifier, policy);
  checkInclusion(hashes, { index, size: checkpoint.size, leaf, root: checkpoint.root });
  return {
    index,
    leaf,
    entry: entry && decodeEntry(entry),
    checkpoint,
    witnesses: cosigned,
    unverifiedNames: others,
  };
}

interface Known {
  readonly entry?: Uint8Array;
  readonly leaf: Uint8Array;
}

function withLeaf(entry: Uint8Array): Known {
  if (entry.length <= MAX_ENTRY_BYTES) return { entry, leaf: leafHash(entry) };
  throw new FirebreakError('format', 'an entry is at most 65,535 bytes');
}

/** What the file carries; it may not differ from what is claimed. */
function knownOf(extra: Uint8Array | undefined, claimed: Claimed | undefined): Known {
  const carried = extra && withLeaf(extra);
  const given = claimed && ('leaf' in claimed ? claimed : withLeaf(claimed.entry));
  const known = carried ?? given;
  if (known === undefined)
    throw new FirebreakError(
      'input',
      'the proof does not carry the entry it is about: give it with --entry FILE',
    );
  if (given && !equalBytes(given.leaf, known.leaf))
    throw new FirebreakError('proof', 'the proof is about another entry than the one given');
  return known;
}
