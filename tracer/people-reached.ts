/** Whom the walks of one look reached, for its record: a byte a person, however many walks reach it. */
import { asTagNumber } from '../protocol/brands.js';
import type { TagNumber } from '../protocol/brands.js';
import { personOf } from './contacts/people.js';
import type { People } from './contacts/people.js';

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
    for (const person of persons) this.add(person);
  }

  /** The tags of all of them and these tags, ascending, each once. Throws what `tagOf` throws. */
  tagsWith(named: readonly number[]): TagNumber[] {
    const strangers: number[] = [];
    for (const tag of named) {
      const person = personOf(this.#people, tag);
      if (person === undefined) strangers.push(tag);
      else this.add(person);
    }
    const marks = this.#marks;
    let count = 0;
    for (const mark of marks) count += mark;
    const tags = new Float64Array(count + strangers.length);
    for (let person = marks.indexOf(1), k = 0; person >= 0; person = marks.indexOf(1, person + 1))
      tags[k++] = person < this.#people.count ? this.#people.tags[person]! : this.#tagOf(person);
    tags.set(strangers, count);
    const ascending = tags.sort();
    return Array.from(
      ascending.filter((tag, k) => tag !== ascending[k - 1]),
      asTagNumber,
    );
  }
}
