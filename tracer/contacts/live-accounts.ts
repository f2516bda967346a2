/**
 * The accounts behind live contacts, packed into numbers: an object for each would cost ten times as much. A
 * block is what both sides told of one contact, written once and never changed:
 *
 *     accounts of side 0 | side 1 << 16, then for each: start | end | immediate, near << 16 | medium, other << 16 |
 *     attenuation, partial << 8, entries << 16 | each entry's index: low 32 bits | high 32 bits
 */
import assert from 'node:assert/strict';
import { sharedUint32 } from './live-memory.js';
import type { Account, Sides } from './merge-accounts.js';

const MAX_U16 = 65_535;
/** Words come in pieces of this many, so that nothing that is there is ever copied for the sake of more. */
const PIECE_BITS = 15;
const PIECE = 2 ** PIECE_BITS;

export class AccountArena {
  readonly #pieces: Uint32Array[] = [];
  #used = 0;

  get bytes(): number {
    return 4 * PIECE * this.#pieces.length;
  }

  /** Where the block is to be found: never 0. A side has at most 65,535 accounts, an account as many entries. */
  put(sides: Sides): number {
    const at = this.#used;
    const [one, other] = sides;
    assert(one.length <= MAX_U16 && other.length <= MAX_U16, 'as many accounts as a block holds');
    this.#push(one.length | (other.length << 16));
    for (const side of sides) for (const account of side) this.#write(account);
    return at + 1;
  }

  get(place: number): Sides {
    let at = place - 1;
    const counts = this.#word(at++);
    const sides: [Account[], Account[]] = [[], []];
    const ofFirst = counts & MAX_U16;
    for (let left = ofFirst + (counts >>> 16), k = 0; k < left; k++) {
      const account = this.#read(at);
      sides[k < ofFirst ? 0 : 1].push(account);
      at += 5 + 2 * account.ledger.length;
    }
    return sides;
  }

  /** The same block as at this place of another. */
  copy(from: AccountArena, place: number): number {
    return this.putBlock(from.block(place));
  }

  /** The words of a block; none for place 0. */
  block(place: number): readonly number[] {
    if (place === 0) return [];
    const from = place - 1;
    return Array.from({ length: this.#endOf(place) - from }, (_, k) => this.#word(from + k));
  }

  /** What {@link block} gave, at another place. */
  putBlock(words: Iterable<number>): number {
    const at = this.#used;
    for (const word of words) this.#push(word);
    return at + 1;
  }

  /** Where the block ends. */
  #endOf(place: number): number {
    const counts = this.#word(place - 1);
    let at = place;
    for (let left = (counts & MAX_U16) + (counts >>> 16); left > 0; left--)
      at += 5 + 2 * (this.#word(at + 4) >>> 16);
    return at;
  }

  #write({ start, end, bucketSeconds, medianAttenuationDb, partial, ledger }: Account): void {
    const [immediate, near, medium, other] = bucketSeconds;
    assert(ledger.length <= MAX_U16, 'as many entries as an account holds');
    this.#push(start);
    this.#push(end);
    this.#push(immediate | (near << 16));
    this.#push(medium | (other << 16));
    this.#push(medianAttenuationDb | (partial ? 256 : 0) | (ledger.length << 16));
    for (const index of ledger) {
      this.#push(index % 2 ** 32);
      this.#push(Math.floor(index / 2 ** 32));
    }
  }

  #read(at: number): Account {
    const [start, end] = [this.#word(at), this.#word(at + 1)];
    const [close, far, last] = [this.#word(at + 2), this.#word(at + 3), this.#word(at + 4)];
    const ledger: number[] = [];
    for (let low = at + 5; ledger.length < last >>> 16; low += 2)
      ledger.push(this.#word(low) + this.#word(low + 1) * 2 ** 32);
    return {
      start,
      end,
      bucketSeconds: [close & MAX_U16, close >>> 16, far & MAX_U16, far >>> 16],
      medianAttenuationDb: last & 255,
      partial: (last & 256) !== 0,
      ledger,
    };
  }

  #word(at: number): number {
    return this.#pieces[at >>> PIECE_BITS]![at & (PIECE - 1)]!;
  }

  #push(word: number): void {
    if (this.#used === this.#pieces.length * PIECE) this.#pieces.push(sharedUint32(PIECE));
    this.#pieces[this.#used >>> PIECE_BITS]![this.#used & (PIECE - 1)] = word;
    this.#used += 1;
  }
}
