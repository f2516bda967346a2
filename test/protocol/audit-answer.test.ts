import { describe, expect, test } from 'vitest';
import { openAuditAnswer, sealAuditAnswer, type AuditAnswer } from '../../protocol/tag/audit-answer.js';
import { asUnixMs } from '../../protocol/brands.js';
import { concat } from '../../protocol/bytes.js';
import { CborWriter } from '../../protocol/cbor.js';
import { fastSigner, signDomain } from '../../protocol/crypto/ed25519.js';
import { hpkeSeal } from '../../protocol/crypto/hpke.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { codeOf } from './errors-of.js';

const DOMAIN = 'firebreak/audit-answer/v1';
const issuer = fastSigner(new Uint8Array(32).fill(1));
const reply = x25519KeyPair(new Uint8Array(32).fill(2));
const requestHash = new Uint8Array(32).fill(3);
const leaf = new Uint8Array(32).fill(4);
const to = { requestHash, replySecretKey: reply.secretKey };

const asked = {
  officer: 'A. Officer',
  purpose: 'an outbreak',
  question: 'forward',
  hops: 2,
  from: 1_790_000_000,
  to: 1_790_086_400,
  minSeconds: 900,
  latentSeconds: 86_400,
  infectiousSeconds: null,
  attenuation: 'near',
  presence: true,
} as const;

const answer: AuditAnswer = {
  note: 'a note\n',
  looks: [
    {
      role: 'case',
      whole: 'yes',
      writtenAtMs: asUnixMs(1_790_000_000_000),
      appendedAtMs: asUnixMs(1_790_000_000_001),
      entries: [
        { index: 5, leaf },
        { index: 6, leaf },
      ],
      asked,
    },
    {
      role: 'reached',
      whole: 'unknown',
      writtenAtMs: asUnixMs(1_790_000_000_002),
      appendedAtMs: asUnixMs(1_790_000_000_003),
      entries: [{ index: 7, leaf }],
    },
  ],
  older: 0,
  unread: [{ index: 8, appendedAtMs: asUnixMs(1_790_000_000_004), why: 'pruned' }],
  unreadCount: 1,
};

/** An answer that its issuer signed, with one look of `entries` entries and `askedFields` fields of its question. */
function handWritten(entries: number, askedFields: number): Uint8Array {
  const body = new CborWriter(4_096).array(7).uint(1).bytes(requestHash).text('a note\n').array(1);
  body.array(6).uint(0).uint(1).uint(1_790_000_000_000).uint(1_790_000_000_001).array(entries);
  for (let i = 0; i < entries; i += 1) body.array(2).uint(i).bytes(leaf);
  body.array(askedFields);
  const bytes = body.uint(0).array(0).uint(0).finish();
  const padded = concat(bytes, new Uint8Array(4_096 - 64 - bytes.length));
  const plaintext = concat(padded, signDomain(issuer, DOMAIN, padded));
  const sealing = { info: Buffer.from(DOMAIN, 'latin1'), aad: requestHash };
  const { enc, ciphertext } = hpkeSeal({ ...sealing, recipientPublicKey: reply.publicKey, plaintext });
  return concat(enc, ciphertext);
}

describe('an audit answer', () => {
  test('comes back as it was sealed, with the question of a look and without', () => {
    const sealed = sealAuditAnswer(issuer, answer, { requestHash, replyPublicKey: reply.publicKey });
    expect(openAuditAnswer(sealed, to, issuer.publicKey)).toEqual(answer);
  });

  test('written by hand opens, when a look has one entry and no question', () => {
    const { looks } = openAuditAnswer(handWritten(1, 0), to, issuer.publicKey);
    expect(looks).toMatchObject([{ entries: [{ index: 0, leaf }] }]);
    expect(looks[0]).not.toHaveProperty('asked');
  });

  test('with a part of a question is refused, whatever follows it', () => {
    for (let fields = 1; fields <= 12; fields += 1)
      expect(codeOf(() => openAuditAnswer(handWritten(1, fields), to, issuer.publicKey))).toBe('format');
  });

  test('with a look of no entry, or of three, is refused', () => {
    for (const entries of [0, 3])
      expect(codeOf(() => openAuditAnswer(handWritten(entries, 0), to, issuer.publicKey))).toBe('format');
  });
});
