import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../protocol/bytes.js';
import { fastSigner, signDomain } from '../../protocol/crypto/ed25519.js';
import { hpkeSeal } from '../../protocol/crypto/hpke.js';
import {
  checkPresenceReport,
  openPresenceReport,
  sealPresenceReport,
} from '../../protocol/session/presence-report.js';
import type { PresenceRecord } from '../../protocol/session/presence-report.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import { bytesOf, records } from './arbitraries.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { dayKeysOf, gateway, secret, session, vectors } from './tag-vectors.js';

const start = vectors.day * DAY_SECONDS;
const context = { ...session, gatewayPublicKey: gateway.publicKey };
const presences = (): fc.Arbitrary<PresenceRecord> =>
  fc.tuple(bytesOf(16), records(start, start + DAY_SECONDS - 1)).map(([ephId, record]) => ({
    ephId,
    start: record.start,
    durationSeconds: record.durationSeconds,
    samples: record.samples,
    minAttenuationDb: record.minAttenuationDb,
    medianAttenuationDb: record.medianAttenuationDb,
    peerTxPowerDbm: record.peerTxPowerDbm,
    proofA: record.proofA,
    proofB: record.proofB,
  }));

const given = {
  gateway,
  issuerId: vectors.issuerId,
  day: vectors.day,
  sealingPublicKey: vectors.sealingPublicKey,
  seq: 3,
  records: fc.sample(presences(), { numRuns: 3, seed: 7 }),
};
const bytes = sealPresenceReport(given);
const codeFor = (report: Uint8Array, changes = {}) =>
  codeOf(() => checkPresenceReport(report, { ...context, ...changes }));

/** A presence report properly sealed and signed around any plaintext. */
function around(plaintext: Uint8Array): Uint8Array {
  const aad = bytes.slice(0, 30);
  const info = new Uint8Array(Buffer.from('firebreak/presence/v1'));
  const { enc, ciphertext } = hpkeSeal({
    recipientPublicKey: vectors.sealingPublicKey,
    info,
    aad,
    plaintext,
  });
  const body = concat(aad, enc, Uint8Array.of(ciphertext.length >> 8, ciphertext.length & 0xff), ciphertext);
  return concat(body, signDomain(gateway, 'firebreak/presence/v1', body));
}

const openingCode = (plaintext: Uint8Array) =>
  codeOf(() => openPresenceReport(checkPresenceReport(around(plaintext), context), dayKeysOf));

describe('a presence report', () => {
  test('says the same after sealing, checking and opening', () => {
    fc.assert(
      fc.property(fc.array(presences(), { maxLength: 40 }), (list) => {
        const report = checkPresenceReport(sealPresenceReport({ ...given, records: list }), context);
        expect(report).toMatchObject({ day: vectors.day, seq: 3, gatewayId: vectors.gatewayId });
        expect(openPresenceReport(report, dayKeysOf)).toEqual(list);
      }),
      { numRuns: 20 },
    );
  });

  test('is as long as its bucket, not as its count', () => {
    expect(bytes).toHaveLength(30 + 32 + 2 + 16 + 2 + 42 * 8 + 64);
    expect(sealPresenceReport({ ...given, records: [] })).toHaveLength(bytes.length);
  });

  test('is refused with any single bit turned over', () => {
    for (let bit = 0; bit < bytes.length * 8; bit += 5) {
      if (codeFor(withFlippedBit(bytes, bit)) === undefined)
        expect.fail(`accepted with bit ${bit} turned over`);
    }
  });

  test('is refused for the reasons a report is', () => {
    expect(codeFor(bytes.subarray(1))).toBe('format');
    expect(codeFor(concat(bytes, Uint8Array.of(0)))).toBe('format');
    expect(codeFor(vectors.report_one.bytes)).toBe('format');
    expect(codeFor(around(new Uint8Array(2 + 42 * 9)))).toBe('format');
    expect(codeFor(bytes, { issuerPublicKey: secret('stranger') })).toBe('issuer');
    expect(codeFor(bytes, { gatewayPublicKey: fastSigner(secret('stranger')).publicKey })).toBe(
      'report-signature',
    );
    expect(codeFor(bytes, { receivedAtMs: session.receivedAtMs + 22 * 86_400_000 })).toBe('day');
    expect(codeFor(bytes, { gatewayId: new Uint8Array(16) })).toBe('session');
  });

  test('is refused on opening for bucket, padding, reserved byte, day and sealing', () => {
    const plain = new Uint8Array(2 + 42 * 8);
    const one = plain.slice();
    one[1] = 1;
    new DataView(one.buffer).setUint32(2 + 16, start);
    const changed = (at: number, value: number) => one.with(at, value);
    expect(openingCode(one)).toBeUndefined();
    expect(openingCode(concat(one, new Uint8Array(42 * 24)))).toBe('bucket');
    expect(openingCode(changed(1, 9))).toBe('bucket');
    expect(openingCode(changed(2 + 42, 1))).toBe('padding');
    expect(openingCode(changed(2 + 27, 1))).toBe('reserved');
    expect(openingCode(changed(2 + 16, 0))).toBe('record-day');
    expect(codeOf(() => openPresenceReport(checkPresenceReport(bytes, context), () => undefined))).toBe(
      'sealing',
    );
  });

  test('never holds more than 1,024 records', () => {
    const [record] = given.records;
    const many = Array.from({ length: 1025 }, () => record).filter((one) => one !== undefined);
    expect(codeOf(() => sealPresenceReport({ ...given, records: many }))).toBe('bucket');
  });
});
