import type { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { concat, fromHex } from '../../protocol/bytes.js';
import {
  hpkeDecap,
  hpkeEncap,
  hpkeOpen,
  hpkeOpenWith,
  hpkeSeal,
  hpkeSealWith,
} from '../../protocol/crypto/hpke.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { codeOf, withFlippedBit } from './errors-of.js';

declare global {
  /** A type of the DOM that @hpke/core's declarations name. */
  type CryptoKey = webcrypto.CryptoKey;
}

const hex = z.string().transform(fromHex);
const rfc = z
  .object({ info: hex, skEm: hex, pkEm: hex, skRm: hex, pkRm: hex, pt: hex, aad: hex, ct: hex })
  .parse(JSON.parse(readFileSync(new URL('../vectors/rfc9180.json', import.meta.url), 'utf8')));

/** shared_secret of A.2.1. */
const sharedSecret = fromHex('0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7');

const oracle = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Chacha20Poly1305(),
});
const toBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;
const keys = () => fc.uint8Array({ minLength: 32, maxLength: 32 });
const texts = () => fc.uint8Array({ maxLength: 200 });

describe('sealing to a public key of small order', () => {
  test('is refused with a code, since anybody could open it', () => {
    const given = { info: new Uint8Array(0), aad: new Uint8Array(0), plaintext: new Uint8Array(1) };
    const seal = () => hpkeSeal({ ...given, recipientPublicKey: new Uint8Array(32) });
    expect(seal).toThrow(expect.objectContaining({ code: 'sealing' }) as Error);
  });
});

describe('HPKE', () => {
  test('seals as RFC 9180 A.2.1', () => {
    const sealed = hpkeSeal({
      recipientPublicKey: rfc.pkRm,
      info: rfc.info,
      aad: rfc.aad,
      plaintext: rfc.pt,
      ephemeralSecretKey: rfc.skEm,
    });
    expect(sealed).toEqual({ enc: rfc.pkEm, ciphertext: rfc.ct });
  });

  test('opens RFC 9180 A.2.1, with or without the public key at hand', () => {
    const given = {
      recipientSecretKey: rfc.skRm,
      enc: rfc.pkEm,
      info: rfc.info,
      aad: rfc.aad,
      ciphertext: rfc.ct,
    };
    expect(hpkeOpen(given)).toEqual(rfc.pt);
    expect(hpkeOpen({ ...given, recipientPublicKey: rfc.pkRm })).toEqual(rfc.pt);
  });

  test('has the shared secret of RFC 9180 A.2.1, which opens and seals that one message', () => {
    const { skEm, skRm, pkRm, pkEm: enc, info, aad, pt: plaintext, ct: ciphertext } = rfc;
    expect(hpkeEncap(pkRm, skEm)).toEqual({ enc, sharedSecret });
    expect(hpkeDecap({ recipientSecretKey: skRm }, enc)).toEqual(sharedSecret);
    expect(hpkeOpenWith(sharedSecret, { info, aad, ciphertext })).toEqual(plaintext);
    expect(hpkeSealWith(sharedSecret, { info, aad, plaintext })).toEqual(ciphertext);
    const next = hpkeSeal({ recipientPublicKey: pkRm, info, aad, plaintext });
    expect(codeOf(() => hpkeOpenWith(sharedSecret, { info, aad, ciphertext: next.ciphertext }))).toBe(
      'sealing',
    );
  });

  test('seals what @hpke/core opens', async () => {
    await fc.assert(
      fc.asyncProperty(keys(), texts(), texts(), texts(), async (secretKey, info, aad, plaintext) => {
        const { enc, ciphertext } = hpkeSeal({
          recipientPublicKey: x25519KeyPair(secretKey).publicKey,
          info,
          aad,
          plaintext,
        });
        const recipientKey = await oracle.kem.deserializePrivateKey(toBuffer(secretKey));
        const context = await oracle.createRecipientContext({
          recipientKey,
          enc: toBuffer(enc),
          info: toBuffer(info),
        });
        const opened = await context.open(toBuffer(ciphertext), toBuffer(aad));
        expect(new Uint8Array(opened)).toEqual(plaintext);
      }),
      { numRuns: 15 },
    );
  });

  test('opens what @hpke/core seals', async () => {
    await fc.assert(
      fc.asyncProperty(
        keys(),
        texts(),
        texts(),
        texts(),
        async (recipientSecretKey, info, aad, plaintext) => {
          const { publicKey } = x25519KeyPair(recipientSecretKey);
          const recipientPublicKey = await oracle.kem.deserializePublicKey(toBuffer(publicKey));
          const context = await oracle.createSenderContext({ recipientPublicKey, info: toBuffer(info) });
          const ciphertext = new Uint8Array(await context.seal(toBuffer(plaintext), toBuffer(aad)));
          const opened = hpkeOpen({
            recipientSecretKey,
            enc: new Uint8Array(context.enc),
            info,
            aad,
            ciphertext,
          });
          expect(opened).toEqual(plaintext);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('does not open with one bit of anything turned over', () => {
    const parts = fc.constantFrom('enc', 'info', 'aad', 'ciphertext');
    const given = {
      recipientSecretKey: rfc.skRm,
      enc: rfc.pkEm,
      info: rfc.info,
      aad: rfc.aad,
      ciphertext: rfc.ct,
    };
    fc.assert(
      fc.property(parts, fc.nat(), (part, position) => {
        // The highest bit of enc does not matter to X25519 (RFC 7748 §5), only to the key schedule.
        const mangled = {
          ...given,
          [part]: withFlippedBit(given[part], position % (given[part].length * 8)),
        };
        expect(codeOf(() => hpkeOpen(mangled))).toBe('sealing');
      }),
      { numRuns: 80 },
    );
  });

  test('refuses with a reason what is no ciphertext at all', () => {
    const given = { recipientSecretKey: rfc.skRm, enc: rfc.pkEm, info: rfc.info, aad: rfc.aad };
    expect(codeOf(() => hpkeOpen({ ...given, ciphertext: new Uint8Array(0) }))).toBe('sealing');
    expect(codeOf(() => hpkeOpen({ ...given, ciphertext: rfc.ct.subarray(0, 15) }))).toBe('sealing');
    expect(codeOf(() => hpkeOpen({ ...given, ciphertext: rfc.ct, enc: new Uint8Array(32) }))).toBe('sealing');
    expect(codeOf(() => hpkeOpen({ ...given, ciphertext: rfc.ct, enc: concat(rfc.pkEm, rfc.pkEm) }))).toBe(
      'sealing',
    );
  });

  test('seals the same text differently each time', () => {
    const given = { recipientPublicKey: rfc.pkRm, info: rfc.info, aad: rfc.aad, plaintext: rfc.pt };
    expect(hpkeSeal(given).enc).not.toEqual(hpkeSeal(given).enc);
  });
});
