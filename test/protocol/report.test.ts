import { describe, expect, test } from 'vitest';
import { asEpoch } from '../../protocol/brands.js';
import { concat } from '../../protocol/bytes.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import { encodeCredentialRequest } from '../../protocol/tag/credential-request.js';
import { fastSigner, signDomain } from '../../protocol/crypto/ed25519.js';
import { makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { checkReport } from '../../protocol/tag/report-check.js';
import { openReport, openSealed, resolveReporter } from '../../protocol/tag/report-open.js';
import {
  decodeReport,
  MAX_REPORT_BYTES,
  REPORT_KINDS,
  reportHash,
  sealReport,
} from '../../protocol/tag/report.js';
import { EPOCH_SECONDS } from '../../protocol/time.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import {
  atTheLedger,
  dayKeys,
  dayKeysOf,
  epochSigner,
  issuer,
  secret,
  session,
  vectors,
} from './tag-vectors.js';

const { report_one: one } = vectors;
const report = decodeReport(one.bytes);
const codeFor = (bytes: Uint8Array, changes = {}) =>
  codeOf(() => checkReport(bytes, { ...session, ...changes }));

/** Report one with some of its parts replaced, sealed and signed anew. */
const sealed = (changes: Partial<Parameters<typeof sealReport>[0]> = {}) =>
  sealReport({
    issuerId: vectors.issuerId,
    day: vectors.day,
    sealingPublicKey: vectors.sealingPublicKey,
    credential: report.credential,
    gatewayId: vectors.gatewayId,
    nonce: vectors.gatewayNonce,
    plaintext: one.plaintext,
    signer: epochSigner,
    ephemeralSecretKey: one.hpkeEphemeralSecretKey,
    ...changes,
  });

const credentialOf = (epoch: number) =>
  issueCredential(issuer, {
    epoch: asEpoch(epoch),
    ephId: makeEphemeralId(dayKeys.idKey, vectors.tagA, asEpoch(epoch)),
    epochPublicKey: epochSigner.publicKey,
  });

describe.each(['report_empty', 'report_one', 'report_nine'] as const)('%s of the vectors', (name) => {
  const { bytes, plaintext, sha256, seq, hpkeEphemeralSecretKey } = vectors[name];

  test('is sealed byte for byte', () => {
    expect(sealed({ plaintext, ephemeralSecretKey: hpkeEphemeralSecretKey })).toEqual(bytes);
    expect(reportHash(bytes)).toEqual(sha256);
  });

  test('is accepted by gateway and ledger, and opened by the tracer', () => {
    expect(checkReport(bytes, atTheLedger)).toEqual(checkReport(bytes, session));
    const opened = openReport(checkReport(bytes, session), dayKeysOf);
    expect(opened.tag).toBe(vectors.tagA);
    expect(opened.plaintext.seq).toBe(seq);
    expect(opened.plaintextBytes).toEqual(plaintext);
  });
});

describe('a gateway', () => {
  test.each(Object.entries(vectors.refusedByGateway))('refuses %s', (_, { bytes, reason }) => {
    expect(codeFor(bytes)).toBe(reason.replace(' ', '-'));
  });

  test('refuses a report with any single bit turned over', () => {
    for (let bit = 0; bit < one.bytes.length * 8; bit += 7) {
      if (codeFor(withFlippedBit(one.bytes, bit)) === undefined)
        expect.fail(`accepted with bit ${bit} turned over`);
    }
  });

  test('refuses a report cut short anywhere as format', () => {
    for (let length = 0; length < one.bytes.length; length++)
      expect(codeFor(one.bytes.subarray(0, length))).toBe('format');
  });

  test('gives the first reason that holds, in the order of §7', () => {
    const wrong = { issuer: secret('stranger'), receivedAtMs: 0, gatewayId: new Uint8Array(16) };
    const { issuer: issuerPublicKey, ...later } = wrong;
    const noVersion = concat(Uint8Array.of(9), one.bytes.subarray(1));
    const badCredential = withFlippedBit(one.bytes, 8 * 100);
    const badSignature = withFlippedBit(one.bytes, one.bytes.length * 8 - 200);
    expect(codeFor(noVersion, { issuerPublicKey, ...later })).toBe('format');
    expect(codeFor(badCredential, { issuerPublicKey, ...later })).toBe('issuer');
    expect(codeFor(withFlippedBit(badCredential, one.bytes.length * 8 - 200), later)).toBe(
      'credential-signature',
    );
    expect(codeFor(badSignature, later)).toBe('report-signature');
    expect(codeFor(one.bytes, later)).toBe('epoch');
    expect(codeFor(sealed({ day: 0 }), { gatewayId: wrong.gatewayId })).toBe('day');
    expect(codeFor(one.bytes, { gatewayId: wrong.gatewayId })).toBe('session');
  });

  test('takes a credential of the epoch before and after its clock, to the second', () => {
    const begin = vectors.epoch * EPOCH_SECONDS * 1000;
    const span = EPOCH_SECONDS * 1000;
    const codeAt = (receivedAtMs: number) => codeFor(one.bytes, { receivedAtMs });
    expect(codeAt(begin - span - 1)).toBe('epoch');
    expect(codeAt(begin - span)).toBeUndefined();
    expect(codeAt(begin + 2 * span - 1)).toBeUndefined();
    expect(codeAt(begin + 2 * span)).toBe('epoch');
  });

  test('takes days from retention to tomorrow', () => {
    const codeOfDay = (offset: number) => codeFor(sealed({ day: vectors.day + offset }));
    expect([-22, -21, 0, 1, 2].map(codeOfDay)).toEqual(['day', undefined, undefined, undefined, 'day']);
  });

  test('knows the session by gateway and nonce, the ledger by gateway alone', () => {
    const foreign = sealed({ nonce: secret('another nonce', 16) });
    expect(codeFor(foreign)).toBe('session');
    expect(codeOf(() => checkReport(foreign, atTheLedger))).toBeUndefined();
    expect(codeOf(() => checkReport(foreign, { ...atTheLedger, gatewayId: new Uint8Array(16) }))).toBe(
      'session',
    );
  });

  test('refuses signed bytes that are no bucket, and a request sealed under the kind of a report', () => {
    expect(codeFor(sealed({ plaintext: new Uint8Array(38 + 50 * 9) }))).toBe('format');
    expect(codeFor(sealed({ kind: REPORT_KINDS.request }))).toBe('format');
    const relabelled = one.bytes.slice(0, -64);
    relabelled[1] = 3;
    expect(codeFor(concat(relabelled, signDomain(epochSigner, 'firebreak/request/v1', relabelled)))).toBe(
      'format',
    );
  });

  test('takes the largest report there is', () => {
    const largest = sealed({ plaintext: new Uint8Array(38 + 50 * 1024) });
    expect(largest).toHaveLength(MAX_REPORT_BYTES);
    expect(codeFor(largest)).toBeUndefined();
  });
});

describe('the tracer', () => {
  test.each(Object.entries(vectors.refusedByTracer))('refuses %s', (_, { bytes, reason }) => {
    const checked = checkReport(bytes, session);
    expect(codeOf(() => openReport(checked, dayKeysOf))).toBe(reason.replace(' ', '-'));
  });

  test('refuses a report whose day key is destroyed, or that was sealed to another key', () => {
    expect(codeOf(() => openReport(report, () => undefined))).toBe('sealing');
    const { publicKey } = fastSigner(secret('stranger'));
    const misdirected = checkReport(sealed({ sealingPublicKey: publicKey }), session);
    expect(codeOf(() => openReport(misdirected, dayKeysOf))).toBe('sealing');
  });

  test("resolves a credential with the keys of its own epoch's day, not of the report's", () => {
    const yesterday = decodeReport(sealed({ day: vectors.day - 1 }));
    const keys = [{ ...dayKeys, day: vectors.day - 1, idKey: secret('another id key') }, dayKeys];
    const keysOf = (day: number) => keys.find((key) => key.day === day);
    expect(codeOf(() => openReport(yesterday, keysOf))).toBe('record-day');
    expect(resolveReporter(yesterday, keysOf)).toBe(vectors.tagA);
  });

  test('refuses an ID of the same tag in another epoch', () => {
    const shifted = { ...credentialOf(vectors.epoch), ephId: credentialOf(vectors.epoch + 1).ephId };
    const credential = issueCredential(issuer, shifted);
    expect(codeOf(() => openReport(checkReport(sealed({ credential }), session), dayKeysOf))).toBe(
      'ephemeral-id',
    );
  });
});

describe('a request of kind 3', () => {
  const request = { replyPublicKey: secret('reply'), firstDay: vectors.day + 1, days: 2 };
  const epochPublicKeys = Array.from({ length: 192 }, (_, i) => secret(`epoch key ${i}`));
  const plaintext = encodeCredentialRequest({ ...request, epochPublicKeys });
  const bytes = sealed({ kind: REPORT_KINDS.request, plaintext });

  test('is checked like a report, with a length of its own', () => {
    expect(bytes).toHaveLength(193 + 53 + 3072 * 2 + 64);
    expect(checkReport(bytes, session).kind).toBe(REPORT_KINDS.request);
    expect(codeFor(bytes, { gatewayId: new Uint8Array(16) })).toBe('session');
    expect(codeFor(bytes.subarray(1))).toBe('format');
    expect(codeFor(sealed({ kind: REPORT_KINDS.request, plaintext: new Uint8Array(37) }))).toBe('format');
    expect(codeFor(sealed({ kind: REPORT_KINDS.request, plaintext: new Uint8Array(37 + 3072 * 8) }))).toBe(
      'format',
    );
  });

  test('holds under its own domain only, so that no report can be read as one', () => {
    const body = bytes.subarray(0, -64);
    expect(codeFor(concat(body, signDomain(epochSigner, 'firebreak/report/v1', body)))).toBe(
      'report-signature',
    );
  });

  test('opens to what was asked, but not as a report', () => {
    const checked = checkReport(bytes, session);
    expect(openSealed(checked, dayKeysOf)).toEqual(plaintext);
    expect(resolveReporter(checked, dayKeysOf)).toBe(vectors.tagA);
    expect(codeOf(() => openReport(checked, dayKeysOf))).toBe('format');
  });
});
