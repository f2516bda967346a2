/** Labels of a trace as a program keeps them that asks a peer round by round (docs/tracing.md, "Forward trace"). */
import { HOP_UNIT, rowOf, rowOrder } from './question.js';
import type { Row } from './question.js';

export class Labels {
  readonly #first = new Map<number, number>();
  readonly #earliest = new Map<number, number>();

  /** Takes what a round reached, a person and a time each; gives those that it improved, the next frontier. */
  settle(hop: number, found: Iterable<readonly [person: number, at: number]>): Map<number, number> {
    const improved = new Map<number, number>();
    for (const [person, at] of found)
      if (at < (improved.get(person) ?? this.#earliest.get(person) ?? Infinity)) improved.set(person, at);
    for (const [person, at] of improved) {
      if (!this.#first.has(person)) this.#first.set(person, hop * HOP_UNIT + at);
      this.#earliest.set(person, at);
    }
    return improved;
  }

  /** In order. */
  rows(): readonly Row[] {
    const rows = [...this.#first].map(([person, first]) =>
      rowOf(person, first, this.#earliest.get(person) ?? NaN),
    );
    return rows.sort(rowOrder);
  }
}
