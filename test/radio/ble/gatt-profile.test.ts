import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FirebreakError, GATEWAY_REFUSALS } from '../../../protocol/errors.js';
import {
  ADMISSION_UUID,
  CHARACTERISTIC_UUIDS,
  SERVICE_UUID,
  attCodeOf,
  errorOfAtt,
} from '../../../radio/ble/gatt-profile.js';

describe('the service on Bluetooth', () => {
  it('has the UUIDs of docs/protocol.md', () => {
    const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| (\w+) +\| `([0-9a-f-]{36})` \|/gm)];
    const written = Object.fromEntries(
      rows.map(([, name = '', uuid = '']): [string, string] => [name, uuid.replaceAll('-', '')]),
    );
    expect({ service: SERVICE_UUID, ...CHARACTERISTIC_UUIDS, admission: ADMISSION_UUID }).toEqual(written);
  });

  it.each(GATEWAY_REFUSALS.map((code, i) => [code, 0x81 + i] as const))(
    'says %s in one byte and hears it again',
    (code, byte) => {
      expect(attCodeOf(new FirebreakError(code, 'why'))).toBe(byte);
      expect(errorOfAtt(byte)).toMatchObject({ name: 'FirebreakError', code });
    },
  );

  it('says nothing else of what went wrong', () => {
    expect(attCodeOf(new Error('a secret'))).toBe(0x0e);
    expect(attCodeOf(new FirebreakError('size', 'too long'))).toBe(0x0e);
  });

  it.each([0x00, 0x01, 0x0e, 0x80, 0x89, 0xff])('takes the byte %i for no refusal', (byte) => {
    expect(errorOfAtt(byte)).toMatchObject({ code: 'unreachable' });
  });
});
