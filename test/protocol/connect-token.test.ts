import { describe, expect, test } from 'vitest';
import { checkConnectToken, makeConnectToken } from '../../protocol/mqtt/connect-token.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import { codeOf, withFlippedBit } from './errors-of.js';

const signer = fastSigner(new Uint8Array(32).fill(6));
const wallMs = 1_800_000_000_000;
const { username, password } = makeConnectToken(signer, wallMs, new Uint8Array(16).fill(1));
const check = { username, wallMs, toleranceMs: 1000 };

describe('a connect token', () => {
  test('shows the key of the writer that made it', () => {
    expect(username).toBe(Buffer.from(partyIdOf(signer.publicKey)).toString('hex'));
    expect(Buffer.from(checkConnectToken(password, check))).toEqual(Buffer.from(signer.publicKey));
  });

  test('is good as long as the tolerance, before and after', () => {
    for (const [offMs, code] of [
      [-1001, 'permission'],
      [-1000, undefined],
      [1000, undefined],
      [1001, 'permission'],
    ] as const) {
      expect(codeOf(() => checkConnectToken(password, { ...check, wallMs: wallMs + offMs }))).toBe(code);
    }
  });

  test('is refused under the user name of another', () => {
    expect(codeOf(() => checkConnectToken(password, { ...check, username: '0'.repeat(32) }))).toBe(
      'permission',
    );
    expect(codeOf(() => checkConnectToken(password, { ...check, username: username.toUpperCase() }))).toBe(
      'permission',
    );
  });

  test('is refused with any bit turned over', () => {
    const bytes = Buffer.from(password, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const mangled = Buffer.from(withFlippedBit(bytes, bit)).toString('base64url');
      expect(codeOf(() => checkConnectToken(mangled, check))).toMatch(/^(format|signature)$/);
    }
  });

  test('is refused in another form', () => {
    for (const other of [
      '',
      password.slice(0, -1),
      `${password}A`,
      `${password}=`,
      ` ${password}`,
      'secret',
    ]) {
      expect(codeOf(() => checkConnectToken(other, check))).toBe('format');
    }
  });

  test('is not made with a nonce of another length', () => {
    expect(codeOf(() => makeConnectToken(signer, wallMs, new Uint8Array(15)))).toBe('format');
  });
});
