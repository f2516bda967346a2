/**
 * A trace with its scores and paths, as a program works them out that asks a peer round by round for the contacts themselves
 * (docs/tracing.md, "Forward trace", "Score" and "Explanation").
 */
import { rowOrder } from './question.js';
import type { ExplainedRow, Step } from './question.js';

/** An open contact of a person of the frontier. Attenuation in dB, weight in twentieths of a second. */
export type OpenContact = readonly [
  infector: number,
  person: number,
  start: number,
  duration: number,
  nearSeconds: number,
  attenuationDb: number,
  mutual: number,
  weight: number,
];

/** θ of the score in twentieths of a second: 90 minutes. */
const THETA = 90 * 60 * 20;

interface Known {
  readonly hop: number;
  readonly exposedAt: number;
  earliestAt: number;
  escapes: number;
}

const endOf = ([, , start, duration]: OpenContact): number => start + duration;

/** Which of two contacts with one person explains it. */
function isBetter(one: OpenContact, rival: OpenContact): boolean {
  const order =
    endOf(one) - endOf(rival) ||
    one[5] - rival[5] ||
    rival[4] - one[4] ||
    one[0] - rival[0] ||
    one[2] - rival[2];
  return order < 0 || (order === 0 && one[6] > rival[6]);
}

export class ExplainedLabels {
  readonly #known = new Map<number, Known>();
  /** By round: the contact that each person was reached by, who was new or earlier in it. */
  readonly #ways: Map<number, OpenContact>[] = [];
  readonly #case: number;

  constructor(indexCase: number) {
    this.#case = indexCase;
    this.#known.set(indexCase, { hop: 0, exposedAt: -Infinity, earliestAt: -Infinity, escapes: 0 });
  }

  /** Takes the contacts of a round; gives those whom it improved with the time, the next frontier. */
  settle(hop: number, contacts: Iterable<OpenContact>): Map<number, number> {
    const ways = new Map<number, OpenContact>();
    const escapes = new Map<number, number>();
    for (const contact of contacts) {
      const [infector, person] = contact;
      const known = this.#known.get(person);
      if (known === undefined) {
        const chance = -Math.expm1(-contact[7] / THETA) * (1 - (this.#known.get(infector)?.escapes ?? NaN));
        escapes.set(person, (escapes.get(person) ?? 1) * (1 - chance));
      }
      const way = ways.get(person);
      if (way === undefined ? endOf(contact) < (known?.earliestAt ?? Infinity) : isBetter(contact, way))
        ways.set(person, contact);
    }
    this.#ways[hop] = ways;
    return this.#learn(hop, ways, escapes);
  }

  #learn(hop: number, ways: ReadonlyMap<number, OpenContact>, escapes: ReadonlyMap<number, number>) {
    const frontier = new Map<number, number>();
    for (const [person, way] of ways) {
      const at = endOf(way);
      frontier.set(person, at);
      const known = this.#known.get(person);
      if (known) known.earliestAt = at;
      else
        this.#known.set(person, { hop, exposedAt: at, earliestAt: at, escapes: escapes.get(person) ?? NaN });
    }
    return frontier;
  }

  /** In order. */
  rows(): readonly ExplainedRow[] {
    const rows: ExplainedRow[] = [];
    for (const [person, { hop, exposedAt, earliestAt, escapes }] of this.#known)
      if (person !== this.#case)
        rows.push([person, hop, exposedAt, earliestAt, 1 - escapes, this.#path(person, hop)]);
    return rows.sort(rowOrder);
  }

  #path(person: number, hop: number): readonly Step[] {
    const path: Step[] = [];
    for (let [to, round] = [person, hop]; round > 0; round--) {
      const way = this.#ways[round]?.get(to);
      if (way === undefined) throw new Error(`nothing reached ${to} in round ${round}`);
      path.push([way[0], to, way[2], endOf(way), way[4], way[6]]);
      to = way[0];
    }
    return path.reverse();
  }
}
