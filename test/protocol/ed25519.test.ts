import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { concat, domain, fromHex, toHex } from '../../protocol/bytes.js';
import { nobleSigner, nobleVerifyStrict } from '../../protocol/crypto/ed25519-noble.js';
import { nodeEd25519 } from '../../protocol/crypto/ed25519-node.js';
import { isStrictlyFormed } from '../../protocol/crypto/ed25519-rules.js';
import { fastSigner, signDomain, verifyDomain, verifyStrict } from '../../protocol/crypto/ed25519.js';
import { PATHS } from './ed25519-paths.js';
import { withFlippedBit } from './errors-of.js';

const hex = z.string().transform(fromHex);
const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));

test('libsodium loads where the tests run, so that the quick path is tested', () => {
  expect(PATHS.map(({ name }) => name)).toEqual(['node:crypto', 'sodium-native', 'noble']);
});

describe.each(PATHS)('Ed25519 by $name', ({ signer, verify }) => {
  const cases = z
    .array(z.object({ name: z.string(), seed: hex, publicKey: hex, message: hex, signature: hex }))
    .parse(read('rfc8032'));

  test.each(cases)('gives RFC 8032 §7.1 $name', ({ seed, publicKey, message, signature }) => {
    const key = signer(seed);
    expect(key.publicKey).toEqual(publicKey);
    expect(key.sign(message)).toEqual(signature);
    expect(verify(publicKey, message, signature)).toBe(true);
    expect(verify(publicKey, concat(message, Uint8Array.of(0)), signature)).toBe(false);
  });

  test('refuses keys and signatures of another length', () => {
    const key = signer(new Uint8Array(32));
    const signature = key.sign(new Uint8Array(0));
    expect(verify(key.publicKey, new Uint8Array(0), signature)).toBe(true);
    expect(verify(key.publicKey.subarray(1), new Uint8Array(0), signature)).toBe(false);
    expect(verify(key.publicKey, new Uint8Array(0), signature.subarray(1))).toBe(false);
    expect(verify(key.publicKey, new Uint8Array(0), concat(signature, Uint8Array.of(0)))).toBe(false);
  });
});

/**
 * Cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), and what protocol.md §2 makes of each. All
 * twelve are accepted by some library.
 */
const SPECCHECK = [
  { why: 'S = 0, A and R of small order', accepted: false },
  { why: 'A of small order', accepted: false },
  { why: 'R of small order', accepted: false },
  { why: 'A and R of mixed order, fulfils the cofactorless equation', accepted: true },
  { why: 'A and R of mixed order, fulfils the cofactored equation only', accepted: false },
  { why: 'A of mixed order, fulfils the cofactored equation only', accepted: false },
  { why: 'S > L', accepted: false },
  { why: 'S far above L', accepted: false },
  { why: 'R not canonical and of small order, reduced for the hash', accepted: false },
  { why: 'R not canonical and of small order, as it is in the hash', accepted: false },
  { why: 'A not canonical and of small order, reduced for the hash', accepted: false },
  { why: 'A not canonical and of small order, as it is in the hash', accepted: false },
];

describe('strict verification of the ed25519-speccheck cases', () => {
  const cases = z
    .array(z.object({ message: hex, pub_key: hex, signature: hex }))
    .length(12)
    .parse(read('ed25519-speccheck'));
  const rows = cases.flatMap((given, index) => {
    const { why, accepted } = SPECCHECK[index] ?? { why: 'unknown', accepted: true };
    const verdict = accepted ? 'accepts' : 'refuses';
    return [...PATHS, { name: 'the quick path', verify: verifyStrict }].map(({ name, verify }) => ({
      ...{ index, why, accepted, verdict, name, verify, given },
    }));
  });

  test.each(rows)('by $name $verdict case $index: $why', ({ given, verify, accepted }) => {
    expect(verify(given.pub_key, given.message, given.signature)).toBe(accepted);
  });
});

describe('strict verification', () => {
  const L = 2n ** 252n + 27742317777372353535851937790883648493n;
  const P = 2n ** 255n - 19n;
  const littleEndian = (value: bigint) => fromHex(value.toString(16).padStart(64, '0')).reverse();
  const key = fastSigner(fromHex('11'.repeat(32)));
  const message = fromHex('c0ffee');
  const signature = key.sign(message);
  const verdicts = (publicKey: Uint8Array, given: Uint8Array) =>
    PATHS.map(({ verify }) => verify(publicKey, message, given));

  test('refuses S + L, which fulfils the equation too', () => {
    const s = BigInt(`0x${toHex(signature.slice(32).reverse())}`);
    expect(verdicts(key.publicKey, concat(signature.slice(0, 32), littleEndian(s)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(verdicts(key.publicKey, concat(signature.slice(0, 32), littleEndian(s + L)))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('refuses S = L and takes S = L − 1 to be well formed', () => {
    const withS = (s: bigint) => concat(signature.slice(0, 32), littleEndian(s));
    expect(isStrictlyFormed(key.publicKey, withS(L))).toBe(false);
    expect(isStrictlyFormed(key.publicKey, withS(L - 1n))).toBe(true);
  });

  test('refuses every encoding of y from p on, as A and as R, whatever its sign', () => {
    for (let y = P; y < 2n ** 255n; y++) {
      for (const sign of [0n, 2n ** 255n]) {
        const point = littleEndian(y + sign);
        expect(isStrictlyFormed(point, signature)).toBe(false);
        expect(isStrictlyFormed(key.publicKey, concat(point, signature.slice(32)))).toBe(false);
        expect(nobleVerifyStrict(point, message, signature)).toBe(false);
      }
    }
  });

  test('refuses the points of small order for A although S = 0, R = −[k]A would pass', () => {
    const identity = littleEndian(1n);
    const forged = concat(identity, new Uint8Array(32));
    expect(nodeEd25519.verify(identity, message, forged)).toBe(true);
    expect(verdicts(identity, forged)).toEqual([false, false, false]);
  });

  test('is the same by every path for signatures with a bit turned over', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 511 }), (bit) => {
        expect(verdicts(key.publicKey, withFlippedBit(signature, bit))).toEqual([false, false, false]);
      }),
      { numRuns: 60 },
    );
  });

  test('is the same by every path for keys, messages and signatures made at random', () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const junk = fc.uint8Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(seeds, fc.uint8Array(), junk, fc.boolean(), (seed, text, random, isHonest) => {
        const signer = fastSigner(seed);
        const given = isHonest ? signer.sign(text) : random;
        expect(PATHS.map(({ verify }) => verify(signer.publicKey, text, given))).toEqual([
          isHonest,
          isHonest,
          isHonest,
        ]);
        expect(nobleSigner(seed).sign(text)).toEqual(signer.sign(text));
      }),
      { numRuns: 40 },
    );
  });

  test('is the same by every path for points made at random, most of them in no subgroup', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(bytes, bytes, bytes, (a, r, s) => {
        const scalar = Uint8Array.from(s, (byte, index) => (index === 31 ? byte & 0x0f : byte));
        const [first, ...others] = verdicts(a, concat(r, scalar));
        expect(others).toEqual([first, first]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a signature under a domain', () => {
  const key = fastSigner(fromHex('22'.repeat(32)));
  const body = fromHex('0102');

  test('covers the domain, a zero byte and the bytes', () => {
    const signature = signDomain(key, 'firebreak/test/v1', body);
    expect(verifyStrict(key.publicKey, concat(domain('firebreak/test/v1'), body), signature)).toBe(true);
    expect(verifyDomain(key.publicKey, 'firebreak/test/v1', body, signature)).toBe(true);
  });

  test('does not hold under another', () => {
    const signature = signDomain(key, 'firebreak/test/v1', body);
    expect(verifyDomain(key.publicKey, 'firebreak/test/v2', body, signature)).toBe(false);
  });
});
