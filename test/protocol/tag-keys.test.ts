import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { authKeyOf, makeEphemeralId, resolveEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { epochSeed, issuerIdOf, partyIdOf, ratchetTagSecret } from '../../protocol/keys.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { bytesOf, epochs } from './arbitraries.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { epochSigner, vectors } from './tag-vectors.js';

describe('keys', () => {
  test('of issuer and gateway are named as in the vectors', () => {
    expect(issuerIdOf(vectors.issuerPublicKey)).toEqual(vectors.issuerId);
    expect(partyIdOf(vectors.gatewayPublicKey)).toEqual(vectors.gatewayId);
    expect(x25519KeyPair(vectors.sealingSecretKey).publicKey).toEqual(vectors.sealingPublicKey);
  });

  test('of a tag follow from its secret as in the vectors', () => {
    expect(ratchetTagSecret(vectors.tagSecret)).toEqual(vectors.tagSecretNextDay);
    expect(epochSeed(vectors.tagSecret, vectors.epoch)).toEqual(vectors.epochSeed);
    expect(epochSigner.publicKey).toEqual(vectors.epochPublicKeyA);
  });
});

describe('an ephemeral ID', () => {
  const tags = () => fc.integer({ min: 0, max: 2 ** 48 - 1 }).map(asTagNumber);

  test('is that of the vectors', () => {
    expect(makeEphemeralId(vectors.idKey, vectors.tagA, vectors.epoch)).toEqual(vectors.ephIdA);
    expect(makeEphemeralId(vectors.idKey, vectors.tagB, vectors.epoch)).toEqual(vectors.ephIdB);
    expect(authKeyOf(vectors.macKey, vectors.ephIdB)).toEqual(vectors.authKeyB);
  });

  test('resolves to its tag and epoch with the key of its day', () => {
    fc.assert(
      fc.property(bytesOf(32), tags(), epochs(), (idKey, tag, epoch) => {
        expect(resolveEphemeralId(idKey, makeEphemeralId(idKey, tag, epoch))).toEqual({ tag, epoch });
      }),
    );
  });

  test('resolves to nobody with one bit turned over, or with another key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 127 }), bytesOf(32), (bit, otherKey) => {
        expect(resolveEphemeralId(vectors.idKey, withFlippedBit(vectors.ephIdA, bit))).toBeUndefined();
        expect(resolveEphemeralId(otherKey, vectors.ephIdA)).toBeUndefined();
      }),
    );
  });

  test('is 16 bytes', () => {
    expect(codeOf(() => resolveEphemeralId(vectors.idKey, vectors.ephIdA.subarray(1)))).toBe('format');
    // The block cipher serves on unharmed.
    expect(resolveEphemeralId(vectors.idKey, vectors.ephIdA)?.tag).toBe(vectors.tagA);
  });

  test('differs from epoch to epoch and from tag to tag', () => {
    const ids = [0, 1, 2, 3].map((i) =>
      makeEphemeralId(vectors.idKey, asTagNumber(7 + (i & 1)), asEpoch(5 + (i >> 1))),
    );
    expect(new Set(ids.map((id) => Buffer.from(id).toString('hex'))).size).toBe(4);
  });
});
