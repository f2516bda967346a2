/**
 * The accounts behind live contacts, packed into numbers: an object for each would cost ten times as much. A block is what
 * both sides told of one contact, written once and never changed:
 *
 *     accounts of side 0 | side 1 << 16, then for each: start | end | immediate, near << 16 | medium, other << 16 |
 *     attenuation, partial << 8, entries << 16 | each entry's index: low 32 bits | high 32 bits
 */
import assert from 'node:assert/strict';
import type { Account, Sides } from './live-merge.js';

const MAX_U16 = 65_535;

export class AccountArena {
  #words = new Uint32Array(256);
  #used = 0;

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** Where the block is to be found: never 0. A side has at most 65,535 accounts, an account as many entries. */
  put(sides: Sides): number {
    const all = sides.flat();
    this.#reserve(all.reduce((sum, { ledger }) => sum + 5 + 2 * ledger.length, 1));
    const at = this.#used;
    const [one, other] = sides;
    assert(one.length <= MAX_U16 && other.length <= MAX_U16, 'as many accounts as a block holds');
    this.#words[this.#used++] = one.length | (other.length << 16);
    for (const account of all) this.#write(account);
    return at + 1;
  }

  get(place: number): Sides {
    let at = place - 1;
    const counts = this.#words[at++] ?? 0;
    const read = (): Account => {
      const account = this.#read(at);
      at += 5 + 2 * account.ledger.length;
      return account;
    };
    return [
      Array.from({ length: counts & MAX_U16 }, read),
      Array.from({ length: counts >>> 16 }, read),
    ];
  }

  #write({ start, end, bucketSeconds, medianAttenuationDb, partial, ledger }: Account): void {
    const words = this.#words;
    const [immediate, near, medium, other] = bucketSeconds;
    assert(ledger.length <= MAX_U16, 'as many entries as an account holds');
    words[this.#used++] = start;
    words[this.#used++] = end;
    words[this.#used++] = immediate | (near << 16);
    words[this.#used++] = medium | (other << 16);
    words[this.#used++] = medianAttenuationDb | (partial ? 256 : 0) | (ledger.length << 16);
    for (const index of ledger) {
      words[this.#used++] = index % 2 ** 32;
      words[this.#used++] = Math.floor(index / 2 ** 32);
    }
  }

  #read(at: number): Account {
    const [start = 0, end = 0, close = 0, far = 0, last = 0] = this.#words.subarray(at, at + 5);
    const indexes = this.#words.subarray(at + 5, at + 5 + 2 * (last >>> 16));
    const ledger = Array.from(
      { length: last >>> 16 },
      (_, k) => (indexes[2 * k] ?? 0) + (indexes[2 * k + 1] ?? 0) * 2 ** 32,
    );
    return {
      start,
      end,
      bucketSeconds: [close & MAX_U16, close >>> 16, far & MAX_U16, far >>> 16],
      medianAttenuationDb: last & 255,
      partial: (last & 256) !== 0,
      ledger,
    };
  }

  #reserve(words: number): void {
    const needed = this.#used + words;
    if (needed <= this.#words.length) return;
    const grown = new Uint32Array(Math.max(needed, 2 * this.#words.length));
    grown.set(this.#words);
    this.#words = grown;
  }
}
