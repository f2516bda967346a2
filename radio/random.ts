/**
 * Seeded randomness for simulations: the same seed gives the same run on every machine. Not for keys.
 *
 * Generator: sfc32, Chris Doty-Humphrey's "small fast counting" generator of PractRand (128 bits of state, period
 * at least 2^32). Seeding: FNV-1a over the seed's text, spread by the finaliser of MurmurHash3 (Austin Appleby).
 */

export interface Random {
  /** A whole number, 0 to 2^32 − 1. */
  uint32(): number;
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, n). */
  below(n: number): number;
  /** A number in [lo, hi). */
  between(lo: number, hi: number): number;
  /** Standard normal. */
  normal(): number;
  bytes(length: number): Uint8Array;
  /** An independent generator named by a label; drawing from one never shifts the other. */
  fork(label: string): Random;
}

/** The finaliser of MurmurHash3: every bit of `word` reaches every bit of the result. */
export function mix32(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** FNV-1a over the UTF-16 units of a text. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Box–Muller: a standard normal from two uniform words. The +0.5 keeps the logarithm away from zero. */
export function normalFrom(first: number, second: number): number {
  const radius = Math.sqrt(-2 * Math.log((first + 0.5) / 2 ** 32));
  return radius * Math.cos((2 * Math.PI * second) / 2 ** 32);
}

const WARM_UP = 12;

export function seededRandom(seed: string | number): Random {
  const text = String(seed);
  const base = hashText(text);
  return sfc32(text, [
    mix32(base),
    mix32(base ^ 0x9e3779b9),
    mix32(Math.imul(base, 0x5bd1e995) + text.length),
  ]);
}

function sfc32(name: string, state: readonly [number, number, number]): Random {
  let [a, b, c] = state;
  let counter = 1;
  const uint32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < WARM_UP; i++) uint32();
  const next = (): number => uint32() / 2 ** 32;
  return {
    uint32,
    next,
    below: (n) => Math.floor(next() * n),
    between: (lo, hi) => lo + next() * (hi - lo),
    normal: () => normalFrom(uint32(), uint32()),
    bytes: (length) => Uint8Array.from({ length }, () => uint32() >>> 24),
    fork: (label) => seededRandom(`${name}/${label}`),
  };
}
