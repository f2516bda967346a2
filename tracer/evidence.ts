/**
 * What does not add up is set apart, not thrown away (protocol.md §6, §8): where in the ledger it stands, and what is
 * wrong with it.
 */

export type Evidence =
  /** A record whose beacon MACs are nobody's: replayed or forged. `record` is its place in the report. */
  | { readonly kind: 'forged-beacon'; readonly ledger: readonly [number]; readonly record: number }
  /** Two reports of one tag and seq with different contents: somebody copied a tag. */
  | { readonly kind: 'clone'; readonly ledger: readonly [number, number] };

/** Beyond it the newest are counted only, by the counts of the intake: the ledger still holds them. */
const MAX_KEPT = 10_000;

export class EvidenceShelf {
  readonly #kept: Evidence[] = [];

  add(evidence: Evidence): void {
    if (this.#kept.length < MAX_KEPT) this.#kept.push(evidence);
  }

  /** A record of a report, by the report's index in the log and its place in it. */
  addForged(ledgerIndex: number, record: number): void {
    this.add({ kind: 'forged-beacon', ledger: [ledgerIndex], record });
  }

  restore(kept: readonly Evidence[]): void {
    this.#kept.splice(0, this.#kept.length, ...kept);
  }

  list(): readonly Evidence[] {
    return [...this.#kept];
  }
}
