import { decode } from 'cborg';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { concat } from '../../protocol/bytes.js';
import { CborWriter } from '../../protocol/cbor.js';
import { fastSigner, signDomain } from '../../protocol/crypto/ed25519.js';
import { decodeEvidence, encodeEvidence, requireEvidenceSignature } from '../../protocol/evidence/bundle.js';
import type { EvidenceBundle } from '../../protocol/evidence/bundle.js';
import { codeOf, withFlippedBit } from './errors-of.js';

const signer = fastSigner(new Uint8Array(32).fill(3));
const other = fastSigner(new Uint8Array(32).fill(4));
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const whole = fc.maxSafeNat();
const place = fc.nat(8_191);

const logged = fc.record({
  index: whole,
  entry: fc.uint8Array({ maxLength: 140 }),
  proof: fc.array(bytesOf(32), { maxLength: 4 }),
  payload: fc.uint8Array({ maxLength: 300 }),
  sharedSecret: bytesOf(32),
});
const row = fc.record({
  person: fc.nat(2 ** 31).map((n) => asTagNumber(n * 131_071)),
  earliestAt: whole,
  score: fc.double({ min: 0, max: 1, noNaN: true }).map((score) => score + 0), // no −0
  steps: fc.array(fc.record({ contact: place, supports: fc.array(place, { maxLength: 3 }) }), {
    maxLength: 3,
  }),
});
const proven = logged.map(({ index, entry, proof, payload }) => ({ index, entry, proof, payload }));
const cited = fc.record({
  report: place,
  record: fc.nat(1_023),
  beacons: fc.constantFrom(1 as const, 2 as const),
});
const side = fc.array(place, { maxLength: 3 });
const presence = fc.record({
  certificates: fc.array(proven, { maxLength: 2 }),
  reports: fc.array(logged, { maxLength: 2 }),
  sightings: fc.array(cited, { maxLength: 3 }),
  copresences: fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 3 }),
});
const contents: fc.Arbitrary<Omit<EvidenceBundle, 'tracerPublicKey'>> = fc.record({
  issuerPublicKey: bytesOf(32),
  sampleHoldSeconds: fc.nat(900),
  retentionDays: fc.nat(365),
  checkpoint: fc.string({ unit: 'grapheme', maxLength: 200 }),
  access: logged,
  reports: fc.array(logged, { maxLength: 3 }),
  names: fc.array(
    fc.record({ ephId: bytesOf(16), tag: fc.nat(999).map(asTagNumber), epoch: fc.nat(2 ** 31).map(asEpoch) }),
    { maxLength: 4 },
  ),
  contacts: fc.array(fc.array(cited, { maxLength: 3 }), { maxLength: 3 }),
  sources: fc.array(row, { maxLength: 2 }),
  reached: fc.array(row, { maxLength: 3 }),
});
/** The same, with steps by presence. */
const withPresence = fc
  .record({ content: contents, presence, copresences: fc.array(place, { minLength: 1, maxLength: 3 }) })
  .map(({ content, presence: shown, copresences }) => ({
    ...content,
    presence: shown,
    reached: content.reached.map((one) => ({
      ...one,
      steps: [...one.steps, ...copresences.map((copresence) => ({ copresence }))],
    })),
  }));
const either = fc.oneof(contents, withPresence);
const [empty] = fc.sample(
  contents.map((one) => ({ ...one, reports: [], names: [], contacts: [], sources: [], reached: [] })),
  { numRuns: 1, seed: 1 },
);
if (empty === undefined) throw new Error('a sample has one');

describe('an evidence bundle', () => {
  test('is what was put in, and encodes to the same bytes again', () => {
    fc.assert(
      fc.property(either, (content) => {
        const bytes = encodeEvidence(content, signer);
        const decoded = decodeEvidence(bytes);
        expect(decoded).toEqual({ ...content, tracerPublicKey: signer.publicKey });
        expect(encodeEvidence(decoded, signer)).toEqual(bytes);
        expect(() => requireEvidenceSignature(bytes, decoded)).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });

  test('is CBOR that another reader reads', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const body = decode(encodeEvidence(content, signer).subarray(0, -64), { strict: true }) as unknown[];
        expect(body.slice(0, 6)).toEqual([
          'firebreak/evidence/v1',
          ...[signer.publicKey, content.issuerPublicKey, content.sampleHoldSeconds],
          ...[content.retentionDays, content.checkpoint],
        ]);
        const { index, entry, proof, payload, sharedSecret } = content.access;
        expect(body[6]).toEqual([index, entry, proof, payload, sharedSecret]);
        expect(body[8]).toEqual(content.names.map(({ ephId, tag, epoch }) => [ephId, tag, epoch]));
        expect(body).toHaveLength(12);
      }),
      { numRuns: 20 },
    );
  });

  test('with any bit turned over is not what was signed, and never another encoding of the same', () => {
    fc.assert(
      fc.property(either, fc.nat(), (content, position) => {
        const bytes = encodeEvidence(content, signer);
        const bent = withFlippedBit(bytes, position % (bytes.length * 8));
        const unsigned = { ...content, tracerPublicKey: signer.publicKey };
        expect(codeOf(() => requireEvidenceSignature(bent, unsigned))).toBe('signature');
        const read = codeOf(() =>
          expect(encodeEvidence(decodeEvidence(bent), signer)).toHaveLength(bent.length),
        );
        expect(['format', 'size', undefined]).toContain(read);
      }),
      { numRuns: 300 },
    );
  });

  test('is not signed by somebody else, nor as something else', () => {
    const bytes = encodeEvidence(empty, signer);
    expect(codeOf(() => requireEvidenceSignature(bytes, { tracerPublicKey: other.publicKey }))).toBe(
      'signature',
    );
    const body = bytes.subarray(0, -64);
    const elsewhere = concat(body, signDomain(signer, 'firebreak/report/v1', body));
    expect(codeOf(() => requireEvidenceSignature(elsewhere, { tracerPublicKey: signer.publicKey }))).toBe(
      'signature',
    );
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['less than a signature', new Uint8Array(63)],
    ['another version', new CborWriter(40).array(12).text('firebreak/evidence/v3').finish()],
    ['a second version with too little', new CborWriter(40).array(12).text('firebreak/evidence/v2').finish()],
    ['a first version with too much', new CborWriter(40).array(13).text('firebreak/evidence/v1').finish()],
    ['something else', Buffer.from('c2sp.org/tlog-proof@v1\nindex 0\n\n'.repeat(9))],
  ])('is not %s', (_what, bytes) => {
    expect(codeOf(() => decodeEvidence(concat(bytes, new Uint8Array(64))))).toBe('format');
  });

  test('is of the second version where it shows presence, and of the first where it does not', () => {
    fc.assert(
      fc.property(withPresence, (content) => {
        const body = decode(encodeEvidence(content, signer).subarray(0, -64), { strict: true }) as unknown[];
        expect([body[0], body.length]).toEqual(['firebreak/evidence/v2', 13]);
        const { certificates, reports, sightings, copresences } = content.presence;
        expect(body[12]).toEqual([
          certificates.map(({ index, entry, proof, payload }) => [index, entry, proof, payload]),
          reports.map((one) => [one.index, one.entry, one.proof, one.payload, one.sharedSecret]),
          sightings.map(({ report, record, beacons }) => [report, record, beacons]),
          copresences,
        ]);
        const nothing = { ...content, reached: [], presence: { ...content.presence, copresences: [] } };
        expect(codeOf(() => decodeEvidence(encodeEvidence(nothing, signer)))).toBe('format');
        const misplaced = encodeEvidence({ ...empty, reached: content.reached }, signer);
        expect(codeOf(() => decodeEvidence(misplaced))).toBe(
          content.reached.length > 0 ? 'format' : undefined,
        );
      }),
      { numRuns: 20 },
    );
  });

  test.each([NaN, -0, -0.1, 1.1, Infinity])('has no score of %d', (score) => {
    const steps = [{ contact: 0, supports: [] }];
    const reached = [{ person: asTagNumber(1), earliestAt: 1, score, steps }];
    expect(codeOf(() => decodeEvidence(encodeEvidence({ ...empty, reached }, signer)))).toBe('format');
  });

  test('holds so much and no more', () => {
    const over = (changes: Partial<EvidenceBundle>) =>
      codeOf(() => encodeEvidence({ ...empty, ...changes }, signer));
    const { access } = empty;
    const payload = new Uint8Array(65_536);
    expect(over({ reports: Array.from({ length: 260 }, () => ({ ...access, payload })) })).toBe('size');
    expect(over({ reports: Array.from({ length: 8_193 }, () => access) })).toBe('size');
    const record = { report: 0, record: 0, beacons: 1 as const };
    expect(over({ contacts: [Array.from({ length: 1_025 }, () => record)] })).toBe('size');
    const step = { contact: 0, supports: [] };
    const person = { person: asTagNumber(1), earliestAt: 0, score: 0 };
    expect(over({ reached: [{ ...person, steps: Array.from({ length: 17 }, () => step) }] })).toBe('size');
    expect(over({ reached: [{ ...person, steps: Array.from({ length: 16 }, () => step) }] })).toBe(undefined);
    const shown = { certificates: [], reports: [], sightings: [], copresences: [] };
    const long = Array.from({ length: 4_097 }, (_, k) => k);
    expect(over({ presence: { ...shown, copresences: [[long, []]] } })).toBe('size');
    expect(over({ presence: { ...shown, copresences: [[long.slice(1), []]] } })).toBe(undefined);
    expect(over({ presence: { ...shown, reports: Array.from({ length: 8_193 }, () => access) } })).toBe(
      'size',
    );
    expect(codeOf(() => decodeEvidence(new Uint8Array((16 << 20) + 1)))).toBe('size');
  });
});
