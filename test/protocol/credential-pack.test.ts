import { describe, expect, test } from 'vitest';
import {
  openCredentialPack,
  requirePackFor,
  sealCredentialPack,
  signCredentialPack,
} from '../../protocol/tag/credential-pack.js';
import type { CredentialPack, PackDay } from '../../protocol/tag/credential-pack.js';
import { issueDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { issuer, secret, vectors } from './tag-vectors.js';

const reply = x25519KeyPair(secret('reply'));
const stranger = fastSigner(secret('stranger'));

const packDay = (day: number, signer = issuer): PackDay => ({
  statement: issueDayKeyStatement(signer, day, secret(`sealing ${day}`)),
  epochs: Array.from({ length: 96 }, (_, i) => ({
    ephId: secret(`eph ${day} ${i}`, 16),
    authKey: secret(`auth ${day} ${i}`, 16),
    credentialSignature: new Uint8Array([...secret(`a ${day} ${i}`), ...secret(`b ${day} ${i}`)]),
  })),
});

const pack: CredentialPack = {
  requestHash: secret('request'),
  firstDay: vectors.day,
  days: [packDay(vectors.day), packDay(vectors.day + 1)],
};
const open = (sealed: Uint8Array) => openCredentialPack(sealed, reply.secretKey, issuer.publicKey);
const signedAndSealed = (given: CredentialPack, signer = issuer) =>
  sealCredentialPack(signCredentialPack(signer, given), reply.publicKey);

describe('a credential pack', () => {
  test('says the same after signing, sealing and opening', () => {
    const sealed = signedAndSealed(pack);
    expect(sealed).toHaveLength(32 + 37 + 2 * (105 + 96 * 96) + 64 + 16);
    expect(open(sealed)).toEqual(pack);
  });

  test('looks different at each delivery', () => {
    const signed = signCredentialPack(issuer, pack);
    const [first, second] = [1, 2].map(() => sealCredentialPack(signed, reply.publicKey));
    expect(first?.slice(0, 64)).not.toEqual(second?.slice(0, 64));
  });

  test('is opened by nobody but the holder of the reply key', () => {
    const code = codeOf(() => openCredentialPack(signedAndSealed(pack), secret('another'), issuer.publicKey));
    expect(code).toBe('sealing');
  });

  test('is refused with any bit turned over, and cut short', () => {
    const sealed = signedAndSealed(pack);
    for (let bit = 0; bit < sealed.length * 8; bit += 1009) {
      expect(codeOf(() => open(withFlippedBit(sealed, bit)))).toBe('sealing');
    }
    expect(codeOf(() => open(sealed.subarray(0, -1)))).toBe('sealing');
    expect(codeOf(() => open(new Uint8Array(5)))).toBe('sealing');
  });

  test('is refused when another issuer signed it or a statement in it', () => {
    expect(codeOf(() => open(signedAndSealed(pack, stranger)))).toBe('signature');
    expect(codeOf(() => open(signedAndSealed({ ...pack, days: [packDay(vectors.day, stranger)] })))).toBe(
      'issuer',
    );
    expect(codeOf(() => open(sealCredentialPack(new Uint8Array(10), reply.publicKey)))).toBe('signature');
  });

  test('is refused when its days do not follow each other from its first', () => {
    const days = [packDay(vectors.day), packDay(vectors.day + 2)];
    expect(codeOf(() => open(signedAndSealed({ ...pack, days })))).toBe('format');
    expect(codeOf(() => open(signedAndSealed({ ...pack, firstDay: vectors.day + 1 })))).toBe('format');
    expect(codeOf(() => open(signedAndSealed({ ...pack, days: [] })))).toBe('format');
  });

  test('answers one request and no other', () => {
    const codeFor = (hash: Uint8Array, firstDay: number, days: number) =>
      codeOf(() => requirePackFor(pack, hash, firstDay, days));
    expect(codeFor(secret('request'), vectors.day, 2)).toBeUndefined();
    expect(codeFor(secret('another'), vectors.day, 2)).toBe('format');
    expect(codeFor(secret('request'), vectors.day + 1, 2)).toBe('format');
    expect(codeFor(secret('request'), vectors.day, 3)).toBe('format');
  });
});
