import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex } from '../../protocol/bytes.js';
import { sodium } from '../../protocol/crypto/sodium.js';
import { nodeX25519 } from '../../protocol/crypto/x25519-node.js';
import { sodiumX25519 } from '../../protocol/crypto/x25519-sodium.js';
import { x25519, x25519KeyPair } from '../../protocol/crypto/x25519.js';

const paths = [nodeX25519, ...(sodium ? [sodiumX25519(sodium)] : [])];

/** RFC 7748 §5.2; the second u has its highest bit set, which is ignored. */
const MULTIPLICATIONS = [
  {
    scalar: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    u: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    product: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  },
  {
    scalar: '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
    u: 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    product: '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
  },
];

/** u of the points of small order on the curve and its twist, and two encodings of theirs from p on (RFC 7748 §6.1). */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

describe.each(paths)('X25519 by $name', (path) => {
  test.each(MULTIPLICATIONS)('gives RFC 7748 §5.2, $product', ({ scalar, u, product }) => {
    expect(path.sharedSecret(fromHex(scalar), fromHex(u))).toEqual(fromHex(product));
  });

  test.each(SMALL_ORDER)('throws for the small-order key %s', (u) => {
    expect(() => path.sharedSecret(fromHex('11'.repeat(32)), fromHex(u))).toThrow();
  });
});

test('X25519 is the same by every path, and for both ends', () => {
  expect(paths).toHaveLength(2);
  const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(secrets, secrets, (a, b) => {
      const theirs = x25519KeyPair(b).publicKey;
      const shared = x25519(a, theirs);
      expect(shared).toEqual(x25519(b, x25519KeyPair(a).publicKey));
      for (const path of paths) {
        expect(path.publicKeyOf(b)).toEqual(theirs);
        expect(path.sharedSecret(a, theirs)).toEqual(shared);
      }
    }),
    { numRuns: 30 },
  );
});

test('key pairs are new each time when no secret key is given', () => {
  expect(x25519KeyPair().secretKey).not.toEqual(x25519KeyPair().secretKey);
});
