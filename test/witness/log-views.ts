/** A log that shows itself in several views, made from the reference tree, and what it would send to a witness. */
import { encodeAddCheckpoint } from '../../protocol/tlog/add-checkpoint.js';
import { asTreeSize } from '../../protocol/brands.js';
import { signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { proveConsistency } from '../../protocol/tlog/merkle.js';
import { noteSigner, type NoteSigner } from '../../protocol/tlog/note.js';
import { ReferenceTree } from '../protocol/reference-tree.js';

export const ORIGIN = 'log.example/views';
export const logSigner = noteSigner(ORIGIN, fastSigner(sha256(Buffer.from('log'))));

/** Logs enough for a test that needs a fresh one again and again. */
export const manyLogs: readonly NoteSigner[] = Array.from({ length: 60 }, (_, i) =>
  noteSigner(`log.example/${i}`, fastSigner(sha256(Buffer.from(`log ${i}`)))),
);

export interface LogView {
  note(size: number, signer?: NoteSigner): string;
  root(size: number): Uint8Array;
  proof(oldSize: number, newSize: number): Promise<Uint8Array[]>;
  /** Body of an honest add-checkpoint request, by this view. */
  request(oldSize: number, newSize: number, signer?: NoteSigner): Promise<string>;
}

/** A view whose entries from `fork` on are its own: views of one name are the same, others part there. */
export function logView(name: string, fork: number, length = 600): LogView {
  const entries = Array.from({ length }, (_, i) => Buffer.from(i < fork ? `entry ${i}` : `${name} ${i}`));
  const tree = new ReferenceTree(entries);
  const note = (size: number, signer = logSigner) =>
    signCheckpoint({ origin: signer.name, size: asTreeSize(size), root: tree.root(size) }, signer);
  const proof = (oldSize: number, newSize: number) => proveConsistency(oldSize, newSize, tree.read);
  return {
    note,
    root: (size) => tree.root(size),
    proof,
    request: async (oldSize, newSize, signer) =>
      encodeAddCheckpoint({
        oldSize,
        proof: oldSize > newSize ? [] : await proof(oldSize, newSize),
        checkpoint: note(newSize, signer),
      }),
  };
}
