/** What the issuer signs, and the hello and receipt of a gateway. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asUnixMs } from '../../protocol/brands.js';
import { concat } from '../../protocol/bytes.js';
import {
  decodeCredential,
  encodeCredential,
  issueCredential,
  verifyCredential,
} from '../../protocol/tag/credential.js';
import {
  decodeDayKeyStatement,
  encodeDayKeyStatement,
  issueDayKeyStatement,
  verifyDayKeyStatement,
} from '../../protocol/session/day-key-statement.js';
import { fastSigner, signDomain } from '../../protocol/crypto/ed25519.js';
import { FirebreakError, GATEWAY_REFUSALS } from '../../protocol/errors.js';
import {
  decodeGatewayCertificate,
  encodeGatewayCertificate,
  issueGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { decodeHello, openHello, signHello } from '../../protocol/session/hello.js';
import { openRevocation, signRevocation } from '../../protocol/session/revocation.js';
import { openTagReceipt, signTagReceipt } from '../../protocol/session/tag-receipt.js';
import { bytesOf, epochs, times, u32 } from './arbitraries.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { epochSigner, gateway, issuer, secret, vectors } from './tag-vectors.js';

const stranger = fastSigner(secret('stranger'));

/** Whether `check` accepts these bytes; a `format` refusal is a no. */
function accepts(check: (bytes: Uint8Array) => boolean, bytes: Uint8Array): boolean {
  try {
    return check(bytes);
  } catch (error) {
    if (error instanceof FirebreakError) return false;
    throw error;
  }
}

const isCredential = (bytes: Uint8Array) => verifyCredential(issuer.publicKey, decodeCredential(bytes));
const isStatement = (bytes: Uint8Array) =>
  verifyDayKeyStatement(issuer.publicKey, decodeDayKeyStatement(bytes));
const isCertificate = (bytes: Uint8Array) =>
  verifyGatewayCertificate(issuer.publicKey, decodeGatewayCertificate(bytes), vectors.day);
const isHello = (bytes: Uint8Array) => openHello(bytes, issuer.publicKey).timeMs > 0;
const isReceipt = (bytes: Uint8Array) => openTagReceipt(bytes, gateway.publicKey).receivedAtMs > 0;
const revocation = signRevocation(issuer, {
  gatewayId: vectors.gatewayId,
  fromMs: asUnixMs(1_728_040_000_000),
});
const isRevocation = (bytes: Uint8Array) => openRevocation(bytes, issuer.publicKey).fromMs > 0;

describe.each([
  { what: 'a credential', bytes: vectors.credentialA, check: isCredential, length: 117 },
  { what: 'a day-key statement', bytes: vectors.dayKeyStatement, check: isStatement, length: 105 },
  { what: 'a gateway certificate', bytes: vectors.gatewayCertificate, check: isCertificate, length: 109 },
  { what: 'a hello', bytes: vectors.hello, check: isHello, length: 408 },
  { what: 'a receipt', bytes: vectors.receipt, check: isReceipt, length: 122 },
  { what: 'a revocation', bytes: revocation, check: isRevocation, length: 93 },
])('$what', ({ bytes, check, length }) => {
  test('is accepted as it was signed', () => {
    expect(bytes).toHaveLength(length);
    expect(check(bytes)).toBe(true);
  });

  test('is refused with any single bit turned over', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      if (accepts(check, withFlippedBit(bytes, bit))) expect.fail(`accepted with bit ${bit} turned over`);
    }
  });

  test('is refused when a byte is missing or too many', () => {
    expect(codeOf(() => check(bytes.subarray(0, -1)))).toBe('format');
    expect(codeOf(() => check(concat(bytes, Uint8Array.of(0))))).toBe('format');
    expect(codeOf(() => check(new Uint8Array(0)))).toBe('format');
  });
});

describe('a credential', () => {
  test('is issued as in the vectors', () => {
    const body = { epoch: vectors.epoch, ephId: vectors.ephIdA, epochPublicKey: epochSigner.publicKey };
    expect(encodeCredential(issueCredential(issuer, body))).toEqual(vectors.credentialA);
  });

  test('is the same after encoding and decoding', () => {
    const any = fc.record({
      epoch: epochs(),
      ephId: bytesOf(16),
      epochPublicKey: bytesOf(32),
      signature: bytesOf(64),
    });
    fc.assert(
      fc.property(any, (credential) => {
        expect(decodeCredential(encodeCredential(credential))).toEqual(credential);
      }),
    );
  });
});

describe('a day-key statement', () => {
  test('is issued as in the vectors', () => {
    const statement = issueDayKeyStatement(issuer, vectors.day, vectors.sealingPublicKey);
    expect(encodeDayKeyStatement(statement)).toEqual(vectors.dayKeyStatement);
    expect(decodeDayKeyStatement(vectors.dayKeyStatementYesterday).day).toBe(vectors.day - 1);
  });

  test('is the same after encoding and decoding, and holds under its issuer only', () => {
    fc.assert(
      fc.property(u32(), bytesOf(32), (day, key) => {
        const statement = issueDayKeyStatement(issuer, day, key);
        expect(decodeDayKeyStatement(encodeDayKeyStatement(statement))).toEqual(statement);
        expect(verifyDayKeyStatement(stranger.publicKey, statement)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a gateway certificate', () => {
  const days = { fromDay: vectors.day, toDay: vectors.day + 6 };

  test('is issued as in the vectors', () => {
    const certificate = issueGatewayCertificate(issuer, { gatewayPublicKey: gateway.publicKey, ...days });
    expect(encodeGatewayCertificate(certificate)).toEqual(vectors.gatewayCertificate);
    expect(decodeGatewayCertificate(vectors.gatewayCertificate)).toEqual(certificate);
  });

  test('holds on its first and its last day, not before and not after', () => {
    const certificate = decodeGatewayCertificate(vectors.gatewayCertificate);
    const verdicts = [-1, 0, 6, 7].map((i) =>
      verifyGatewayCertificate(issuer.publicKey, certificate, vectors.day + i),
    );
    expect(verdicts).toEqual([false, true, true, false]);
  });

  test('is never issued or decoded for more than seven days, or for none', () => {
    const issue = (fromDay: number, toDay: number) => () =>
      issueGatewayCertificate(issuer, { gatewayPublicKey: gateway.publicKey, fromDay, toDay });
    expect(codeOf(issue(5, 11))).toBeUndefined();
    expect(codeOf(issue(5, 12))).toBe('format');
    expect(codeOf(issue(5, 4))).toBe('format');
    const long = vectors.gatewayCertificate.slice();
    long[44] = (long[44] ?? 0) + 1;
    expect(codeOf(() => decodeGatewayCertificate(long))).toBe('format');
  });
});

describe('a hello', () => {
  const hello = decodeHello(vectors.hello);

  test('is signed as in the vectors', () => {
    expect(hello.timeMs).toBe(vectors.receivedAt * 1000);
    expect(hello.nonce).toEqual(vectors.gatewayNonce);
    expect(signHello(gateway, hello)).toEqual(vectors.hello);
    expect(openHello(vectors.hello, issuer.publicKey)).toEqual(hello);
  });

  const issuedBy = (signer: typeof issuer) =>
    issueGatewayCertificate(signer, {
      gatewayPublicKey: gateway.publicKey,
      fromDay: vectors.day,
      toDay: vectors.day,
    });
  const codeFor = (changes: Partial<typeof hello>, signer = gateway) =>
    codeOf(() => openHello(signHello(signer, { ...hello, ...changes }), issuer.publicKey));

  test('is refused, with the reason, for each thing a rogue gateway could put into it', () => {
    const foreign = issueDayKeyStatement(stranger, vectors.day, vectors.sealingPublicKey);
    const tomorrow = issueDayKeyStatement(issuer, vectors.day + 1, vectors.sealingPublicKey);
    expect(codeFor({})).toBeUndefined();
    expect(codeFor({ certificate: issuedBy(stranger) })).toBe('certificate');
    expect(codeFor({ timeMs: asUnixMs((vectors.day + 7) * 86_400_000) })).toBe('certificate');
    expect(codeFor({}, stranger)).toBe('signature');
    expect(codeFor({ today: foreign })).toBe('issuer');
    expect(codeFor({ today: tomorrow })).toBe('day');
    expect(codeFor({ yesterday: hello.today })).toBe('day');
    expect(codeFor({ timeMs: asUnixMs((vectors.day + 1) * 86_400_000) })).toBe('day');
  });
});

describe('a receipt', () => {
  const accepted = openTagReceipt(vectors.receipt, gateway.publicKey);

  test('is signed as in the vectors', () => {
    expect(accepted).toMatchObject({ refusal: undefined, reportHash: vectors.report_one.sha256 });
    expect(signTagReceipt(gateway, accepted)).toEqual(vectors.receipt);
  });

  test.each(GATEWAY_REFUSALS)('says %s and is read so', (refusal) => {
    const receipt = { ...accepted, refusal };
    const bytes = signTagReceipt(gateway, receipt);
    expect(openTagReceipt(bytes, gateway.publicKey)).toEqual(receipt);
    expect([bytes[0], bytes[57]]).toEqual([1, GATEWAY_REFUSALS.indexOf(refusal) + 1]);
  });

  /** A receipt properly signed whose status and reason were set by hand. */
  function signedWith(status: number, reason: number, signer = gateway): Uint8Array {
    const body = vectors.receipt.slice(0, 58);
    body[0] = status;
    body[57] = reason;
    return concat(body, signDomain(signer, 'firebreak/receipt/v1', body));
  }

  test('is refused when status and reason contradict each other, or a gateway has no such reason', () => {
    expect(openTagReceipt(signedWith(0, 0), gateway.publicKey)).toEqual(accepted);
    for (const [status, reason] of [
      [0, 1],
      [1, 0],
      [2, 0],
      [2, 1],
      [1, 9],
      [1, 14],
      [1, 255],
    ] as const) {
      expect(codeOf(() => openTagReceipt(signedWith(status, reason), gateway.publicKey))).toBe('format');
    }
  });

  test("is refused when another gateway signed it, or it names another one's id", () => {
    expect(codeOf(() => openTagReceipt(signedWith(0, 0, stranger), gateway.publicKey))).toBe('signature');
    expect(codeOf(() => openTagReceipt(signedWith(0, 0, stranger), stranger.publicKey))).toBe('signature');
  });
});

describe('a revocation', () => {
  test('says the same after signing and opening, under its issuer only', () => {
    fc.assert(
      fc.property(bytesOf(16), times(), (gatewayId, fromMs) => {
        const bytes = signRevocation(issuer, { gatewayId, fromMs });
        expect(openRevocation(bytes, issuer.publicKey)).toEqual({ gatewayId, fromMs });
        expect(codeOf(() => openRevocation(bytes, stranger.publicKey))).toBe('issuer');
      }),
      { numRuns: 20 },
    );
  });
});
