/** The numbers under which an unfinished presence report may be on disk (presence-keeper.ts). A write that failed may have been done. */
export class DraftNumbers {
  #numbers: ReadonlySet<number> = new Set();

  get isEmpty(): boolean {
    return this.#numbers.size === 0;
  }

  mayHold(number: number): boolean {
    return this.#numbers.has(number);
  }

  /** A write with drafts under these begins; those of the write before may still be there. */
  saving(numbers: readonly number[]): void {
    this.#numbers = new Set([...this.#numbers, ...numbers]);
  }

  /** It is on disk, in place of all before. */
  saved(numbers: readonly number[]): void {
    this.#numbers = new Set(numbers);
  }
}
