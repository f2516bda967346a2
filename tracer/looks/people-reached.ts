/** Whom the walks of one look reached, for its record: a byte a person, however many walks reach it. */
import { personOf } from '../contacts/people.js';
import type { People } from '../contacts/people.js';

export class PeopleReached {
  readonly #people: People;
  readonly #tagOf: (person: number) => number;
  #marks: Uint8Array;

  /** `people`: of the view that is walked; `tagOf`: of people who were added since. */
  constructor(people: People, tagOf: (person: number) => number) {
    this.#people = people;
    this.#tagOf = tagOf;
    this.#marks = new Uint8Array(people.count);
  }

  add(person: number): void {
    if (person >= this.#marks.length) {
      const grown = new Uint8Array(Math.max(2 * this.#marks.length, person + 1));
      grown.set(this.#marks);
      this.#marks = grown;
    }
    this.#marks[person] = 1;
  }

  addAll(persons: Uint32Array): void {
    for (let k = 0; k < persons.length; k++) this.add(persons[k]!);
  }

  /** The tags of all of them and these tags, ascending, each once. Throws what `tagOf` throws. */
  tagsWith(named: readonly number[]): Float64Array {
    const { count, tags: known } = this.#people;
    const others = new Set<number>(); // who is not in the view: added since, or never met
    for (const tag of named) {
      const person = personOf(this.#people, tag);
      if (person === undefined) others.add(tag);
      else this.add(person);
    }
    for (let person = count; person < this.#marks.length; person++)
      if (this.#marks[person] === 1) others.add(this.#tagOf(person));
    const marks = this.#marks.subarray(0, count);
    const tags = new Float64Array(marks.reduce((sum, mark) => sum + mark, others.size));
    tags.set([...others]);
    let at = others.size;
    for (let person = 0; person < count; person++) if (marks[person] === 1) tags[at++] = known[person]!;
    return tags.sort();
  }
}
