/**
 * The reports of one day as they come: a row of 56 bytes each, found by tag and seq and by their hash. What is
 * kept of them on the disk only grows.
 *
 * A row: tag 2 words, seq, whether it stands, ledger index 2, plaintext hash 4, report hash 4; of two words the
 * low one first. It begins with what a report that stands is found by. Any is found by its name, by which its
 * successor knows it: tag 2, report hash 4.
 */
import { wordsOfLog } from '../contacts/word-log.js';
import { NO_ROW } from './word-table.js';
import { RowIndex } from './row-index.js';
import { hashOfWords, newSeed } from './word-hash.js';

export const ROW_WORDS = 14;
export const AT = { tag: 0, seq: 2, stands: 3, index: 4, plaintext: 6, report: 10 } as const;
export const HASH_WORDS = 4;
export const NAME_WORDS = AT.seq + HASH_WORDS;
const PIECE_ROWS = 4096;

export class LiveReports {
  readonly #pieces: Uint32Array[] = [];
  readonly #seed = newSeed();
  /** Those that stand, by tag and seq; all, by their names: a successor may name any. */
  readonly #bySeq = new RowIndex((at) => this.#hashOf(this.row(at), AT.tag, AT.stands));
  readonly #byName = new RowIndex((at) => this.#hashOf(this.row(at), AT.report, ROW_WORDS));
  #count = 0;
  #standing = 0;
  #kept = 0;

  /** Rows: reports, and those that were sent again under another seal. */
  get count(): number {
    return this.#count;
  }

  /** The reports, each once. */
  get standing(): number {
    return this.#standing;
  }

  /** Whether some of it is saved. */
  get isKept(): boolean {
    return this.#kept > 0;
  }

  row(at: number): Uint32Array {
    const from = (at % PIECE_ROWS) * ROW_WORDS;
    return this.#pieceOf(at).subarray(from, from + ROW_WORDS);
  }

  /** The one that stands with tag and seq of this row. */
  standingLike(wanted: Uint32Array): Uint32Array | undefined {
    const hash = this.#hashOf(wanted, AT.tag, AT.stands);
    const found = this.#bySeq.find(hash, (at) => this.#isSame(at, AT.tag, wanted, AT.tag, AT.stands));
    return found === NO_ROW ? undefined : this.row(found);
  }

  /** Whether there is one of this name. */
  has(name: Uint32Array): boolean {
    const hash = this.#hashOf(name, AT.seq, NAME_WORDS);
    const isIt = (at: number): boolean =>
      this.#isSame(at, AT.report, name, AT.seq, HASH_WORDS) && this.#isSame(at, AT.tag, name, AT.tag, AT.seq);
    return this.#byName.find(hash, isIt) !== NO_ROW;
  }

  /** Copies it. */
  push(row: Uint32Array): void {
    const at = this.#count++;
    if (at % PIECE_ROWS === 0) this.#pieces.push(new Uint32Array(PIECE_ROWS * ROW_WORDS));
    this.#pieceOf(at).set(row, (at % PIECE_ROWS) * ROW_WORDS);
    this.#byName.add(this.#hashOf(row, AT.report, ROW_WORDS), at);
    if (row[AT.stands] !== 1) return;
    this.#standing += 1;
    this.#bySeq.add(this.#hashOf(row, AT.tag, AT.stands), at);
  }

  /** What is not saved yet. */
  fresh(): Uint8Array {
    const words = new Uint32Array((this.#count - this.#kept) * ROW_WORDS);
    for (let at = this.#kept; at < this.#count; at++) words.set(this.row(at), (at - this.#kept) * ROW_WORDS);
    return new Uint8Array(words.buffer);
  }

  saved(): void {
    this.#kept = this.#count;
  }

  /** What was saved, into one that is empty. Throws `format`. */
  restore(bytes: Uint8Array, what: string): void {
    const words = wordsOfLog(bytes, ROW_WORDS, what);
    for (let at = 0; at < words.length; at += ROW_WORDS) this.push(words.subarray(at, at + ROW_WORDS));
    this.saved();
  }

  #pieceOf(at: number): Uint32Array {
    return this.#pieces[Math.floor(at / PIECE_ROWS)]!;
  }

  /** Whether so many words of a row, from this one on, are those of `words` from `from` on. */
  #isSame(at: number, word: number, words: Uint32Array, from: number, count: number): boolean {
    const piece = this.#pieceOf(at);
    const begin = (at % PIECE_ROWS) * ROW_WORDS + word;
    for (let k = 0; k < count; k++) if (piece[begin + k] !== words[from + k]) return false;
    return true;
  }

  #hashOf(words: Uint32Array, from: number, to: number): number {
    return hashOfWords(this.#seed, words, from, to);
  }
}
