/** A set of persons: one byte each. */
export class PeopleSet {
  #has = new Uint8Array(1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(person: number): void {
    if (person >= this.#has.length) {
      const grown = new Uint8Array(2 ** Math.ceil(Math.log2(person + 1)));
      grown.set(this.#has);
      this.#has = grown;
    }
    if (this.#has[person] === 1) return;
    this.#has[person] = 1;
    this.#count += 1;
  }
}
