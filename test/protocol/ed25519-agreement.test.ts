/** sodium, node:crypto and noble say the same of every signature, however it was made. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Point } from '@noble/ed25519';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { concat, fromHex, toHex } from '../../protocol/bytes.js';
import { isStrictlyFormed } from '../../protocol/crypto/ed25519-rules.js';
import { fastSigner, verifyStrict } from '../../protocol/crypto/ed25519.js';
import { LIBRARIES, PATHS } from './ed25519-paths.js';
import { withFlippedBit } from './errors-of.js';

const hex = z.string().transform(fromHex);
const wycheproof = z.object({
  tests: z
    .array(
      z.object({
        tcId: z.number(),
        comment: z.string(),
        flags: z.array(z.string()),
        pk: hex,
        msg: hex,
        sig: hex,
        result: z.enum(['valid', 'invalid']),
      }),
    )
    .length(151),
});

describe('the cases of Project Wycheproof', () => {
  const file = new URL('../vectors/ed25519-wycheproof.json', import.meta.url);
  const { tests } = wycheproof.parse(JSON.parse(readFileSync(file, 'utf8')));

  test.each(tests)('$tcId, $flags $comment: $result', ({ pk, msg, sig, result }) => {
    for (const { verify } of PATHS) expect(verify(pk, msg, sig)).toBe(result === 'valid');
    expect(verifyStrict(pk, msg, sig)).toBe(result === 'valid');
  });
});

const { n: L, p: P } = Point.CURVE();
const littleEndian = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0')).reverse();
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);

/** The eight points of small order, as multiples of one of order 8. */
const ORDER_8 = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
const TORSION = Array.from({ length: 8 }, (_, i) =>
  i === 0 ? Point.ZERO : ORDER_8.multiply(BigInt(i), false),
);

interface Claim {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const messages = fc.uint8Array({ maxLength: 200 });

const honest = fc.tuple(seeds, messages).map(([seed, message]): Claim => {
  const signer = fastSigner(seed);
  return { publicKey: signer.publicKey, message, signature: signer.sign(message) };
});

const flipped = fc.tuple(honest, fc.nat(2), fc.nat(511)).map(([claim, where, bit]): Claim => {
  if (where === 0) return { ...claim, signature: withFlippedBit(claim.signature, bit) };
  if (where === 1) return { ...claim, publicKey: withFlippedBit(claim.publicKey, bit % 256) };
  return { ...claim, message: concat(claim.message, Uint8Array.of(bit % 256)) };
});

const random = fc
  .tuple(seeds, messages, fc.uint8Array({ minLength: 64, maxLength: 64 }))
  .map(([publicKey, message, signature]): Claim => ({ publicKey, message, signature }));

/** S + j·L for every j that 256 bits hold: each fulfils the equation. */
const largeS = fc.tuple(honest, fc.integer({ min: 1, max: 14 })).map(([claim, times]): Claim => {
  const s = numberOf(claim.signature.subarray(32)) + BigInt(times) * L;
  return { ...claim, signature: concat(claim.signature.subarray(0, 32), littleEndian(s)) };
});

/** y from p on, and x = 0 with its sign set: no point is written so, but some libraries read them. */
const nonCanonical = fc
  .tuple(honest, fc.bigInt(P, 2n ** 255n - 1n), fc.boolean(), fc.boolean())
  .map(([claim, y, isNegative, isKey]): Claim => {
    const point = littleEndian(y + (isNegative ? 2n ** 255n : 0n));
    if (isKey) return { ...claim, publicKey: point };
    return { ...claim, signature: concat(point, claim.signature.subarray(32)) };
  });

/** Made for the equation without our rules: A, R or both of small order, S to match where that is possible. */
const smallOrder = fc
  .tuple(fc.nat(7), fc.nat(7), messages, fc.boolean())
  .map(([a, r, message, isNegative]): Claim => {
    const publicKey = (TORSION[a] ?? Point.ZERO).toBytes();
    const point = (TORSION[r] ?? Point.ZERO).toBytes();
    if (isNegative) point[31] = (point[31] ?? 0) | 0x80;
    return { publicKey, message, signature: concat(point, new Uint8Array(32)) };
  });

/**
 * Of an honest key and nonce with points of small order added: [S]B = R + [k]A then holds up to one of these, so always
 * with the cofactor, and without it once in a while.
 */
const mixedOrder = fc
  .tuple(fc.bigInt(1n, L - 1n), fc.bigInt(1n, L - 1n), fc.nat(7), fc.nat(7), messages)
  .map(([secret, nonce, a, r, message]): Claim => {
    const publicKey = Point.BASE.multiply(secret, false)
      .add(TORSION[a] ?? Point.ZERO)
      .toBytes();
    const point = Point.BASE.multiply(nonce, false)
      .add(TORSION[r] ?? Point.ZERO)
      .toBytes();
    const digest = createHash('sha512').update(point).update(publicKey).update(message).digest();
    const s = (nonce + (numberOf(digest) % L) * secret) % L;
    return { publicKey, message, signature: concat(point, littleEndian(s)) };
  });

const KINDS = [
  { kind: 'honest ones', claims: honest, runs: 30, sees: [true] },
  {
    kind: 'honest ones with a bit turned over or a byte more to them',
    claims: flipped,
    runs: 60,
    sees: [false],
  },
  { kind: 'random bytes', claims: random, runs: 60, sees: [false] },
  { kind: 'S past the group order', claims: largeS, runs: 60, sees: [false] },
  { kind: 'A or R not canonical', claims: nonCanonical, runs: 60, sees: [false] },
  { kind: 'A and R of small order', claims: smallOrder, runs: 100, sees: [false] },
  { kind: 'A and R of mixed order', claims: mixedOrder, runs: 150, sees: [false, true] },
];

describe('signatures made to divide the libraries', () => {
  test.each(KINDS)('$kind: all say the same, and the strictest rule wins', ({ claims, runs, sees }) => {
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(claims, ({ publicKey, message, signature }) => {
        const verdicts = PATHS.map(({ verify }) => verify(publicKey, message, signature));
        const everyone =
          isStrictlyFormed(publicKey, signature) &&
          LIBRARIES.every((library) => library.verify(publicKey, message, signature));
        expect(verdicts).toEqual(verdicts.map(() => everyone));
        expect(verifyStrict(publicKey, message, signature)).toBe(everyone);
        seen.add(everyone);
      }),
      { numRuns: runs },
    );
    expect([...seen].sort()).toEqual(sees);
  });
});

test('a key that was seen before is judged as one that was not, however many came between', () => {
  const makers = Array.from({ length: 300 }, (_, i) =>
    fastSigner(new Uint8Array(32).fill(i % 256, 0, 16).fill(i >> 8, 16)),
  );
  const message = fromHex('c0ffee');
  for (const round of [1, 2]) {
    const given = concat(message, Uint8Array.of(round));
    for (const maker of makers) {
      const signature = maker.sign(given);
      for (const library of LIBRARIES) {
        expect(library.verify(maker.publicKey, given, signature)).toBe(true);
        expect(library.verify(maker.publicKey, message, signature)).toBe(false);
      }
    }
  }
});
