/**
 * The reports of one tag (protocol.md §8): each (tag, seq) counts once, and each report names one before it by hash.
 * Reports travel by different gateways, so they are logged in any order: a missing link is one that has not come yet.
 *
 * A report that was never receipted leaves a hole in seq and none in the chain, so links are judged by hash, not by seq.
 */
import { isZero } from '../protocol/bytes.js';

export type ChainVerdict =
  | { readonly kind: 'new' }
  /** The same plaintext again: a retry under a new nonce. */
  | { readonly kind: 'retry' }
  /** Another plaintext under the same seq; `firstIndex` is where the one that stands was logged. */
  | { readonly kind: 'clone'; readonly firstIndex: number };

export interface ChainLink {
  readonly seq: number;
  readonly prev: Uint8Array;
  /** H(report), signature included: a retry has its own. */
  readonly reportHash: Uint8Array;
  readonly plaintextHash: Uint8Array;
  readonly ledgerIndex: number;
}

export class ReportChain {
  /** By seq, the one that stands. */
  readonly #bySeq = new Map<number, { readonly plaintext: string; readonly ledgerIndex: number }>();
  /** Of every report, retries included: a successor may name any. */
  readonly #hashes = new Set<string>();
  /** Named by a report, not seen yet. */
  readonly #missing = new Set<string>();

  /** Reports that are named by another and have not come, those aside that `isKnown` by their hash. */
  gaps(isKnown: (reportHash: string) => boolean): number {
    let gaps = 0;
    for (const hash of this.#missing) if (!isKnown(hash)) gaps += 1;
    return gaps;
  }

  add({ seq, prev, reportHash, plaintextHash, ledgerIndex }: ChainLink): ChainVerdict {
    const known = this.#bySeq.get(seq);
    const plaintext = keyOf(plaintextHash);
    if (known && known.plaintext !== plaintext) return { kind: 'clone', firstIndex: known.ledgerIndex };
    this.#hashes.add(keyOf(reportHash));
    this.#missing.delete(keyOf(reportHash));
    if (known) return { kind: 'retry' };
    this.#bySeq.set(seq, { plaintext, ledgerIndex });
    if (!isZero(prev) && !this.#hashes.has(keyOf(prev))) this.#missing.add(keyOf(prev));
    return { kind: 'new' };
  }
}

/** A hash as a key of a map: one byte a character. */
export const keyOf = (hash: Uint8Array): string => Buffer.from(hash).toString('latin1');
