import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ACCESS_QUESTIONS, ATTENUATION_CLASSES } from '../../protocol/payload/access-question.js';
import { asTagNumber } from '../../protocol/brands.js';
import { fromHex } from '../../protocol/bytes.js';
import { hpkeDecap, hpkeOpenWith } from '../../protocol/crypto/hpke.js';
import {
  joinAccess,
  openAccessPart,
  readAccessQuestion,
  sealAccess,
  type AccessRecord,
} from '../../protocol/payload/access.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { codeOf, withFlippedBit } from './errors-of.js';

const audit = x25519KeyPair(new Uint8Array(32).fill(8));
const to = () => ({
  look: new Uint8Array(randomBytes(16)),
  salt: () => new Uint8Array(randomBytes(16)),
  recipientPublicKey: audit.publicKey,
});
const record: AccessRecord = {
  officer: 'Dr. Ada Example',
  purpose: 'outbreak on ward 7',
  question: 'both',
  cases: [asTagNumber(4242)],
  hops: 3,
  from: 1_728_000_000,
  to: 1_728_086_400,
  minSeconds: 900,
  latentSeconds: 172_800,
  infectiousSeconds: null,
  attenuation: 'near',
  presence: false,
  reached: [1, 17, 300].map(asTagNumber),
};
const reaching = (count: number, apart = 1): AccessRecord => ({
  ...record,
  reached: Array.from({ length: count }, (_, k) => asTagNumber(k * apart)),
});
const tags = fc.nat(2 ** 31).map(asTagNumber);
const records: fc.Arbitrary<AccessRecord> = fc.record({
  officer: fc.string({ unit: 'grapheme', maxLength: 20 }),
  purpose: fc.string({ unit: 'grapheme', maxLength: 100 }),
  question: fc.constantFrom(...ACCESS_QUESTIONS),
  cases: fc.array(tags, { minLength: 1, maxLength: 64 }),
  hops: fc.nat(16),
  from: fc.maxSafeNat(),
  to: fc.maxSafeNat(),
  minSeconds: fc.nat(),
  latentSeconds: fc.nat(),
  infectiousSeconds: fc.option(fc.nat()),
  attenuation: fc.constantFrom(...ATTENUATION_CLASSES),
  presence: fc.boolean(),
  reached: fc.uniqueArray(tags, { maxLength: 300 }).map((all) => all.sort((x, y) => x - y)),
});
const payloadsOf = (one: AccessRecord) => sealAccess(one, to()).map(({ payload }) => payload);
const opened = (payloads: readonly Uint8Array[]) =>
  joinAccess(payloads.map((payload) => openAccessPart(payload, audit.secretKey)));
const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));

describe('an access record (type 6)', () => {
  test('comes back to who holds the audit key, and is a power of two long', () => {
    fc.assert(
      fc.property(records, (one) => {
        const payloads = payloadsOf(one);
        expect(payloads).toHaveLength(1);
        expect(isPowerOfTwo(payloads[0]?.length ?? 0)).toBe(true);
        expect(opened(payloads)).toEqual(one);
      }),
      { numRuns: 60 },
    );
  });

  test('of more tags than a payload holds comes back from several, all of one length', () => {
    for (const [count, parts] of [
      [65_000, 1],
      [66_000, 2],
      [190_000, 4],
      [300_000, 8],
    ] as const) {
      const one = reaching(count);
      const payloads = payloadsOf(one);
      expect(payloads.map(({ length }) => length)).toEqual(Array<number>(parts).fill(65_536));
      expect(opened(payloads).reached.length).toBe(count);
      expect(opened(payloads)).toEqual(one);
    }
  });

  test('of numbers from the whole range comes back', () => {
    const far = reaching(70_000, 4_000_000_001);
    expect(opened(payloadsOf(far))).toEqual(far);
  });

  test('shows by its length no more than a power of two', () => {
    const lengthOf = (count: number): number => payloadsOf(reaching(count))[0]?.length ?? 0;
    expect([0, 1, 50, 100].map(lengthOf)).toEqual([512, 512, 512, 512]);
    expect([600, 700, 1_300, 1_600].map(lengthOf)).toEqual([1024, 2048, 2048, 2048]);
    const longer = { ...record, purpose: `${record.purpose}, second request` };
    expect(payloadsOf(longer)[0]?.length).toBe(512);
  });

  test('has parts that belong together, or is refused', () => {
    const one = reaching(140_000);
    const [mine, theirs] = [payloadsOf(one), payloadsOf(one)];
    const [first = new Uint8Array(), second = new Uint8Array(), ...rest] = mine;
    for (const wrong of [
      [],
      [first, second],
      [second, first, ...rest],
      [first, first, ...rest],
      [first, ...theirs.slice(1)],
    ])
      expect(codeOf(() => opened(wrong))).toBe('format');
  });

  test('is refused by another key, and with any bit turned over', () => {
    const [bytes = new Uint8Array()] = payloadsOf(record);
    expect(codeOf(() => openAccessPart(bytes, new Uint8Array(32).fill(9)))).toBe('sealing');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const isPlain = bit >> 3 === 16 || bit >> 3 === 17; // the version, and the size of the head
      const code = codeOf(() => openAccessPart(withFlippedBit(bytes, bit), audit.secretKey));
      expect(code).toMatch(isPlain ? /^(format|sealing)$/ : /^sealing$/);
    }
  });

  test('of several parts is refused with a bit of any of them turned over', () => {
    const payloads = payloadsOf(reaching(66_000));
    for (const [place, payload] of payloads.entries())
      for (let bit = place; bit < payload.length * 8; bit += 40_009)
        expect(codeOf(() => opened(payloads.with(place, withFlippedBit(payload, bit))))).toMatch(/^(format|sealing)$/); // prettier-ignore
  });

  test('is refused in a length that none has', () => {
    const [bytes = new Uint8Array()] = payloadsOf(record);
    for (const wrong of [
      new Uint8Array(),
      bytes.subarray(1),
      bytes.subarray(0, 256),
      new Uint8Array(131_072).fill(2),
    ])
      expect(codeOf(() => openAccessPart(wrong, audit.secretKey))).toBe('format');
  });

  test('is not made out of its bounds', () => {
    const most: AccessRecord = {
      ...record,
      officer: 'ä'.repeat(128),
      purpose: 'p'.repeat(2048),
      cases: Array.from({ length: 64 }, (_, k) => asTagNumber(2 ** 47 + k)),
    };
    expect(opened(payloadsOf(most))).toEqual(most);
    const refused: readonly Partial<AccessRecord>[] = [
      { officer: 'ä'.repeat(129) },
      { purpose: 'p'.repeat(2049) },
      { cases: [] },
      { cases: Array.from({ length: 65 }, (_, k) => asTagNumber(k)) },
      { reached: [2, 1].map(asTagNumber) },
      { from: -1 },
      { hops: 1.5 },
    ];
    for (const changes of refused) expect(codeOf(() => payloadsOf({ ...record, ...changes }))).toBe('format');
    expect(codeOf(() => sealAccess(record, { ...to(), salt: () => new Uint8Array(15) }))).toBe('format');
    expect(codeOf(() => sealAccess(record, { ...to(), look: new Uint8Array(17) }))).toBe('format');
  });

  test('shows its question, and not its tags, to who has the shared secret of its head', () => {
    const [sealed] = sealAccess(record, to());
    const { payload, sharedSecret } = sealed ?? { payload: new Uint8Array(), sharedSecret: new Uint8Array() };
    const { reached, ...asked } = record;
    expect(readAccessQuestion(payload, sharedSecret)).toEqual({ ...asked, reachedCount: reached.length });
    const tagsAt = 18 + 48 + 256;
    const sealedTags = {
      info: Buffer.from('firebreak/access-tags/v2'),
      aad: payload.subarray(0, tagsAt),
      ciphertext: payload.subarray(tagsAt + 32),
    };
    expect(codeOf(() => hpkeOpenWith(sharedSecret, sealedTags))).toBe('sealing');
    const ofTags = hpkeDecap({ recipientSecretKey: audit.secretKey }, payload.slice(tagsAt, tagsAt + 32));
    expect([...hpkeOpenWith(ofTags, sealedTags).subarray(0, 8)]).toEqual([0, 0, 0, 3, 1, 16, 155, 2]);
    const [, further] = sealAccess(reaching(66_000), to());
    expect(codeOf(() => readAccessQuestion(further?.payload ?? payload, further?.sharedSecret ?? sharedSecret))).toBe('format'); // prettier-ignore
  });
});

const kept = z
  .object({ auditSecretKey: z.string().transform(fromHex), access: z.string().transform(fromHex) })
  .parse(JSON.parse(readFileSync(new URL('../vectors/access-first-version.json', import.meta.url), 'utf8')));

describe('an access record of the first version', () => {
  const sharedSecret = hpkeDecap(
    { recipientSecretKey: kept.auditSecretKey },
    new Uint8Array(kept.access.subarray(16, 48)),
  );

  test('still shows its question, for evidence that was made with it', () => {
    expect(readAccessQuestion(kept.access, sharedSecret)).toEqual({
      officer: 'officer@example.org',
      purpose: 'case 12, ward 7',
      question: 'forward',
      cases: [4242],
      hops: 3,
      from: 1_727_913_600,
      to: 1_728_086_400,
      minSeconds: 900,
      latentSeconds: 172_800,
      infectiousSeconds: null,
      attenuation: 'near',
      presence: false,
      reachedCount: 17,
    });
    expect(codeOf(() => readAccessQuestion(kept.access, new Uint8Array(32)))).toBe('sealing');
    expect(codeOf(() => readAccessQuestion(kept.access.subarray(1), sharedSecret))).toBe('format');
    for (let bit = 0; bit < kept.access.length * 8; bit += 1)
      if (bit < 16 * 8 || bit >= 48 * 8)
        expect(codeOf(() => readAccessQuestion(withFlippedBit(kept.access, bit), sharedSecret))).toBe('sealing'); // prettier-ignore
  });

  test('names no tags, and says so', () => {
    expect(() => openAccessPart(kept.access, kept.auditSecretKey)).toThrow('the first named no tags');
  });
});
