import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asUnixMs } from '../../protocol/brands.js';
import {
  credentialsRoot,
  decodeCredentialsPayload,
  encodeCredentialsPayload,
} from '../../protocol/payload/credentials.js';
import { decodeDayKeyPayload, encodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { decodeGatewayPayload, encodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { decodeNoticePayload, encodeNoticePayload } from '../../protocol/payload/notice.js';
import { decodePruningPayload, encodePruningPayload } from '../../protocol/payload/pruning.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { ReferenceTree } from './reference-tree.js';

const fixed = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => new Uint8Array(bytes));
const salt = new Uint8Array(16).fill(1);

describe('the payload of a gateway entry (type 3)', () => {
  test('comes back, enrolled or revoked', () => {
    const payloads = fc.oneof(
      fc.record({ kind: fc.constant('enrolled' as const), salt: fixed(16), certificate: fixed(109) }),
      fc.record({ kind: fc.constant('revoked' as const), salt: fixed(16), revocation: fixed(93) }),
    );
    fc.assert(
      fc.property(payloads, (payload) => {
        const bytes = encodeGatewayPayload(payload);
        expect(bytes).toHaveLength(payload.kind === 'enrolled' ? 125 : 109);
        expect(decodeGatewayPayload(bytes)).toEqual(payload);
      }),
    );
  });

  test('is refused in any other length', () => {
    for (let length = 0; length < 200; length++) {
      const code = length === 125 || length === 109 ? undefined : 'format';
      expect(codeOf(() => decodeGatewayPayload(new Uint8Array(length)))).toBe(code);
    }
    const certificate = new Uint8Array(108);
    expect(codeOf(() => encodeGatewayPayload({ kind: 'enrolled', salt, certificate }))).toBe('format');
    const revocation = new Uint8Array(93);
    expect(codeOf(() => encodeGatewayPayload({ kind: 'revoked', salt: salt.subarray(1), revocation }))).toBe(
      'format',
    );
  });
});

describe('the payload of a day-key entry (type 4)', () => {
  test('comes back, published or destroyed', () => {
    const payloads = fc.oneof(
      fc.record({ kind: fc.constant('published' as const), salt: fixed(16), statement: fixed(105) }),
      fc.record({
        kind: fc.constant('destroyed' as const),
        salt: fixed(16),
        day: fc.nat(2 ** 32 - 1),
        destroyedAtMs: fc.maxSafeNat().map(asUnixMs),
      }),
    );
    fc.assert(
      fc.property(payloads, (payload) => {
        const bytes = encodeDayKeyPayload(payload);
        expect(bytes).toHaveLength(payload.kind === 'published' ? 122 : 29);
        expect(decodeDayKeyPayload(bytes)).toEqual(payload);
      }),
    );
  });

  test('is refused cut short, drawn out or of another kind', () => {
    const statement = new Uint8Array(105);
    const bytes = encodeDayKeyPayload({ kind: 'published', salt, statement });
    const destroyed = encodeDayKeyPayload({
      kind: 'destroyed',
      salt,
      day: 20_000,
      destroyedAtMs: asUnixMs(5),
    });
    for (const whole of [bytes, destroyed]) {
      for (let length = 0; length < whole.length; length++) {
        expect(codeOf(() => decodeDayKeyPayload(whole.subarray(0, length)))).toBe('format');
      }
      expect(codeOf(() => decodeDayKeyPayload(Buffer.concat([whole, salt])))).toBe('format');
    }
    const other = new Uint8Array(bytes);
    other[16] = 3;
    expect(codeOf(() => decodeDayKeyPayload(other))).toBe('format');
    expect(codeOf(() => encodeDayKeyPayload({ kind: 'published', salt, statement: salt }))).toBe('format');
  });
});

describe('the payload of a pruning entry (type 10)', () => {
  const payloads = fc.record({
    salt: fixed(16),
    day: fc.nat(2 ** 32 - 1),
    prunedAtMs: fc.maxSafeNat().map(asUnixMs),
  });

  test('has 29 bytes and comes back', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const bytes = encodePruningPayload(payload);
        expect(bytes).toHaveLength(29);
        expect(decodePruningPayload(bytes)).toEqual(payload);
      }),
    );
  });

  test('is refused in another length, of another version, or at a time no clock shows', () => {
    const bytes = encodePruningPayload({ salt, day: 20_000, prunedAtMs: asUnixMs(5) });
    for (let length = 0; length < 40; length++) {
      const cut = new Uint8Array(length);
      cut.set(bytes.subarray(0, length));
      expect(codeOf(() => decodePruningPayload(cut))).toBe(length === 29 ? undefined : 'format');
    }
    for (const bit of [16 * 8, 16 * 8 + 7, 21 * 8])
      expect(codeOf(() => decodePruningPayload(withFlippedBit(bytes, bit)))).toBe('format');
    expect(
      codeOf(() => encodePruningPayload({ salt: salt.subarray(1), day: 1, prunedAtMs: asUnixMs(5) })),
    ).toBe('format');
  });
});

describe('the payload of a credentials entry (type 9)', () => {
  test('comes back, and is refused in any other length', () => {
    const payload = { salt, requestHash: new Uint8Array(32).fill(2), root: new Uint8Array(32).fill(3) };
    const bytes = encodeCredentialsPayload(payload);
    expect(bytes).toHaveLength(80);
    expect(decodeCredentialsPayload(bytes)).toEqual(payload);
    expect(codeOf(() => decodeCredentialsPayload(bytes.subarray(1)))).toBe('format');
    expect(codeOf(() => decodeCredentialsPayload(Buffer.concat([bytes, salt])))).toBe('format');
    expect(codeOf(() => encodeCredentialsPayload({ ...payload, root: salt }))).toBe('format');
    expect(codeOf(() => encodeCredentialsPayload({ ...payload, salt: payload.root }))).toBe('format');
  });

  test('has the RFC 6962 root over the credential bodies', () => {
    const bodies = Array.from({ length: 96 }, (_, i) => new Uint8Array(53).fill(i));
    expect(Buffer.from(credentialsRoot(bodies))).toEqual(Buffer.from(new ReferenceTree(bodies).root(96)));
    expect(codeOf(() => credentialsRoot([new Uint8Array(117)]))).toBe('format');
  });
});

describe('the payload of a notices entry (type 8)', () => {
  test('comes back', () => {
    const payload = { salt, notice: new Uint8Array(50).fill(7) };
    expect(decodeNoticePayload(encodeNoticePayload(payload))).toEqual(payload);
  });

  test('is refused without a notice or with a salt of another length', () => {
    expect(codeOf(() => decodeNoticePayload(salt))).toBe('format');
    expect(codeOf(() => encodeNoticePayload({ salt, notice: new Uint8Array() }))).toBe('format');
    expect(codeOf(() => encodeNoticePayload({ salt: new Uint8Array(15), notice: salt }))).toBe('format');
  });
});
