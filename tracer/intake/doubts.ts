/**
 * What does not add up is set apart, not thrown away (protocol.md §6, §8): where in the ledger it stands, of
 * which day it is, and what is wrong with it. It goes with its day.
 */

export type Doubt =
  /** A record whose beacon MACs are nobody's: replayed or forged. `record` is its place in the report. */
  | {
      readonly kind: 'forged-beacon';
      readonly ledger: readonly [number];
      readonly record: number;
      /** Of the report that shows it. */
      readonly day: number;
    }
  /**
   * Two reports of one tag and seq with different contents: somebody copied a tag. The first index is that of the one
   * that stands.
   */
  | { readonly kind: 'clone'; readonly ledger: readonly [number, number]; readonly day: number };

type Kind = Doubt['kind'];
const KINDS: readonly Kind[] = ['forged-beacon', 'clone'];

/** Of each kind. Beyond it the newest are counted only, by the counts of the intake: the ledger still holds them. */
export const MAX_KEPT = 10_000;

export class DoubtShelf {
  #kept: Doubt[] = [];
  readonly #counts: Record<Kind, number> = { 'forged-beacon': 0, clone: 0 };
  #firstDay = 0;
  readonly #max: number;

  constructor(max: number = MAX_KEPT) {
    this.#max = max;
  }

  add(doubt: Doubt): void {
    const { kind, day } = doubt;
    if (day < this.#firstDay || this.#counts[kind] >= this.#max) return;
    this.#kept.push(doubt);
    this.#counts[kind] += 1;
  }

  /** A record of a report of this day, by the report's index in the log and its place in it. */
  addForged(ledgerIndex: number, record: number, day: number): void {
    this.add({ kind: 'forged-beacon', ledger: [ledgerIndex], record, day });
  }

  has(kind: Kind): boolean {
    return this.#counts[kind] > 0;
  }

  /** Clones that were logged before the report that stands: their keys came after it was opened. */
  get overtaken(): number {
    return this.#kept.filter((one) => one.kind === 'clone' && one.ledger[1] < one.ledger[0]).length;
  }

  /** Of earlier days nothing is kept, and nothing is taken any more. */
  forgetBefore(day: number): void {
    this.#firstDay = Math.max(this.#firstDay, day);
    this.#set(this.#kept.filter((one) => one.day >= this.#firstDay));
  }

  restore(kept: readonly Doubt[]): void {
    this.#set([...kept]);
  }

  /** In the order it was met. */
  list(): readonly Doubt[] {
    return [...this.#kept];
  }

  #set(kept: Doubt[]): void {
    this.#kept = kept;
    for (const kind of KINDS) this.#counts[kind] = kept.filter((one) => one.kind === kind).length;
  }
}
