/**
 * A set of rows of 32-bit words in many tables (word-table.ts), each of which grows by itself: what one row that is
 * added moves is little, however many there are.
 */
import { hashOfWords, newSeed } from './word-hash.js';
import { NO_ROW, WordTable } from './word-table.js';

const TABLE_BITS = 6;

export class WordTables {
  readonly #width: number;
  readonly #seed = newSeed();
  readonly #tables: (WordTable | undefined)[] = Array.from({ length: 2 ** TABLE_BITS });
  #count = 0;

  /** Rows of so many words, each of which is its own key. */
  constructor(width: number) {
    this.#width = width;
  }

  get count(): number {
    return this.#count;
  }

  has(row: Uint32Array): boolean {
    const table = this.#tables[this.#placeOf(row)];
    return table !== undefined && table.find(row) !== NO_ROW;
  }

  /** Gives whether it was added: it may be there. */
  add(row: Uint32Array): boolean {
    const isNew = (this.#tables[this.#placeOf(row)] ??= new WordTable(this.#width, this.#width)).add(row);
    if (isNew) this.#count += 1;
    return isNew;
  }

  /** Gives whether it was there. */
  delete(row: Uint32Array): boolean {
    const wasThere = this.#tables[this.#placeOf(row)]?.delete(row) ?? false;
    if (wasThere) this.#count -= 1;
    return wasThere;
  }

  /** In no order; a row is good until one is added or goes. */
  *rows(): Generator<Uint32Array, void, undefined> {
    for (const table of this.#tables)
      if (table !== undefined) for (let at = 0; at < table.count; at++) yield table.row(at);
  }

  #placeOf(row: Uint32Array): number {
    return hashOfWords(this.#seed, row, 0, this.#width) >>> (32 - TABLE_BITS);
  }
}
