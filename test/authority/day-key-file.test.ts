import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DAY_KEY_FILE_LENGTH,
  decodeDayKeyFile,
  encodeDayKeyFile,
} from '../../authority/days/day-key-file.js';
import { newDayKeys } from '../../authority/days/day-keys.js';
import { toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { secretOf } from './fixture.js';

let drawn = 0;
const keysOf = (day: number) => newDayKeys(day, () => secretOf(`drawn ${(drawn += 1)}`));

function refusalOf(bytes: Uint8Array): FirebreakError {
  try {
    decodeDayKeyFile(bytes);
  } catch (error) {
    if (error instanceof FirebreakError) return error;
  }
  throw new Error('it was taken for a day key file');
}

describe('a day key file', () => {
  it('gives back the keys it was made of, and their public key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (day) => {
        const keys = keysOf(day);
        expect(decodeDayKeyFile(encodeDayKeyFile(keys))).toEqual(keys);
      }),
    );
  });

  it('is refused with any bit changed, and the message shows none of it', () => {
    const file = encodeDayKeyFile(keysOf(20_000));
    for (let bit = 0; bit < file.length * 8; bit += 1) {
      const mangled = Uint8Array.from(file, (byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      const { code, message } = refusalOf(mangled);
      expect(code).toBe('damaged');
      for (let at = 9; at < 105; at += 4) expect(message).not.toContain(toHex(mangled.slice(at, at + 4)));
    }
  });

  it.each([0, 1, 64, DAY_KEY_FILE_LENGTH - 1, DAY_KEY_FILE_LENGTH + 1])(
    'of %i bytes is refused by its length',
    (length) => {
      expect(refusalOf(new Uint8Array(length)).message).toContain(
        `it has ${length} bytes, a day key file has 137`,
      );
    },
  );

  it.each([
    ['the first bytes', 0, 'does not begin with FBDK'],
    ['the version', 4, 'version is 254'],
    ['the day', 5, 'checksum'],
    ['a key', 40, 'checksum'],
    ['the checksum', 136, 'checksum'],
  ])('with another value in %s says what is wrong', (_what, at, words) => {
    const file = encodeDayKeyFile(keysOf(20_000));
    file[at] = ~(file[at] ?? 0) & 0xff;
    expect(refusalOf(file).message).toContain(words);
  });
});
