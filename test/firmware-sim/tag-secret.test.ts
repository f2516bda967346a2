import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { asEpoch } from '../../protocol/brands.js';
import { fromHex, toHex } from '../../protocol/bytes.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { nobleSigner } from '../../protocol/crypto/ed25519-noble.js';
import { advanceSecret, epochPublicKeys, epochSigner } from '../../firmware-sim/tag/tag-secret.js';

const vectors = z
  .object({
    day: z.number(),
    epoch: z.number(),
    tagSecret: z.string(),
    tagSecretNextDay: z.string(),
    epochPublicKeyA: z.string(),
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/protocol-v1.json', import.meta.url), 'utf8')));

const secretOf = (day: number) => ({ day, bytes: fromHex(vectors.tagSecret) });

describe('the tag secret', () => {
  it('becomes the next day’s of the vectors, and the old one is erased', () => {
    const secret = secretOf(vectors.day);
    const next = advanceSecret(secret, vectors.day + 1);
    expect(toHex(next.bytes)).toBe(vectors.tagSecretNextDay);
    expect(secret.bytes).toEqual(new Uint8Array(32));
  });

  it('does not move for a day that is past', () => {
    expect(advanceSecret(secretOf(5), 4)).toEqual(secretOf(5));
  });

  it('gives the epoch key of the vectors, by either signer', () => {
    for (const signerOf of [fastSigner, nobleSigner]) {
      const signer = epochSigner(secretOf(vectors.day), asEpoch(vectors.epoch), signerOf);
      expect(toHex(signer.publicKey)).toBe(vectors.epochPublicKeyA);
    }
  });

  it('gives no key of another day', () => {
    const sign = () => epochSigner(secretOf(vectors.day), asEpoch((vectors.day + 1) * 96), fastSigner);
    expect(sign).toThrow(expect.objectContaining({ code: 'epoch' }));
  });

  it('gives the public keys of days ahead without losing today’s', () => {
    const secret = secretOf(vectors.day);
    const keys = epochPublicKeys(secret, vectors.day, 3, fastSigner);
    expect(keys).toHaveLength(3 * 96);
    expect(secret).toEqual(secretOf(vectors.day));
    const later = advanceSecret(secretOf(vectors.day), vectors.day + 2);
    const last = epochSigner(later, asEpoch((vectors.day + 3) * 96 - 1), fastSigner);
    expect(keys.at(-1)).toEqual(last.publicKey);
  });

  it('gives none of a day whose secret is erased', () => {
    expect(() => epochPublicKeys(secretOf(10), 9, 1, fastSigner)).toThrow(
      expect.objectContaining({ code: 'day' }),
    );
  });
});
