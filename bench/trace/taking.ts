/**
 * Contacts of a day as a tracer takes them once it has opened the reports that tell them, at a given rate: the word of one tag,
 * and an hour of the city's time later that of the other, which is merged with it.
 */
import { readFile } from 'node:fs/promises';
import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises';
import { readContactColumns } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { wordOfLower, wordOfUpper } from '../../test/tracer/words-of-columns.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import type { Testimony } from '../../tracer/records/testimony.js';
import type { Lived } from './ours-messages.js';

/** Of first words, so that 100,000 a second come in whole, the other word of the last hour's too. */
const CONTACTS_PER_SECOND = 108_000;
/** Contacts that are taken before others have their turn: a tracer merges no more at once (intake/intake.ts). */
const MOST_AT_ONCE = 64;
/** Tags hand their reports in now and then. */
const OTHER_SIDE_AFTER_SECONDS = 3600;

export type Taken = Pick<Lived, 'contacts' | 'words' | 'seconds'>;

export const columnsOf = (files: readonly string[]): Promise<ContactColumns[]> =>
  Promise.all(files.map(async (file) => readContactColumns(new Uint8Array(await readFile(file)))));

/** As they fall due; of each day, what is left of the others' words comes at its end, no faster than the rest. */
export async function take(store: ContactStore, days: readonly ContactColumns[]): Promise<Taken> {
  const startMs = performance.now();
  const elapsed = (): number => (performance.now() - startMs) / 1000;
  let [contacts, words, paced] = [0, 0, 0];
  for (const columns of days) {
    const day = new DayTold(columns);
    while (!day.isOver) {
      const due = Math.max(0, Math.floor(elapsed() * CONTACTS_PER_SECOND) - paced);
      const told = day.next(Math.min(due, MOST_AT_ONCE));
      await store.ready();
      store.add(told.words);
      contacts += told.contacts;
      words += told.words.length;
      paced += told.paced;
      if (due < MOST_AT_ONCE) await pause(1);
      else await breathe();
    }
  }
  return { contacts, words, seconds: elapsed() };
}

interface Told {
  readonly words: readonly Testimony[];
  /** Those that one side told. */
  readonly contacts: number;
  /** What keeps to the pace: contacts, and of the last ones each word. */
  readonly paced: number;
}

/** What the tags of a day tell, in the order in which it comes. */
class DayTold {
  readonly #columns: ContactColumns;
  /** Contacts that one side told, and of these those that the other side told or did not notice. */
  #one = 0;
  #other = 0;
  #entry = 0;

  constructor(columns: ContactColumns) {
    this.#columns = columns;
  }

  get isOver(): boolean {
    return this.#other === this.#columns.count;
  }

  /** Of so many contacts at most the word of one side, and what the others have to say by then. */
  next(most: number): Told {
    const { start, count } = this.#columns;
    const words: Testimony[] = [];
    const from = this.#one;
    const to = Math.min(count, from + most);
    for (; this.#one < to; this.#one++) words.push(wordOfLower(this.#columns, this.#one, this.#entry));
    const isAtEnd = to === count;
    const before = isAtEnd ? Infinity : (start[to] ?? 0) - OTHER_SIDE_AFTER_SECONDS;
    const room = words.length + (isAtEnd ? most - (to - from) : MOST_AT_ONCE);
    for (; this.#other < to && start[this.#other]! < before && words.length < room; this.#other++) {
      const word = wordOfUpper(this.#columns, this.#other, this.#entry + 1);
      if (word) words.push(word);
    }
    this.#entry += 2;
    return { words, contacts: to - from, paced: isAtEnd ? words.length : to - from };
  }
}

export function slice(columns: ContactColumns, from: number, to: number): ContactColumns {
  return {
    day: columns.day,
    count: to - from,
    lower: columns.lower.subarray(from, to),
    upper: columns.upper.subarray(from, to),
    start: columns.start.subarray(from, to),
    duration: columns.duration.subarray(from, to),
    immediate: columns.immediate.subarray(from, to),
    near: columns.near.subarray(from, to),
    medium: columns.medium.subarray(from, to),
    other: columns.other.subarray(from, to),
    attenuationDb: columns.attenuationDb.subarray(from, to),
    flags: columns.flags.subarray(from, to),
  };
}
