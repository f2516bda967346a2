import fc from 'fast-check';
import { expect, it } from 'vitest';
import { staticAddressOf } from '../../radio/static-address.js';

it('makes a random static address of any six bytes, and keeps their other 46 bits', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 10 }), (random) => {
      const address = staticAddressOf(random);
      expect(address).toMatch(/^[c-f][0-9a-f]{11}$/);
      const value = Array.from(random.slice(0, 6)).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
      expect(BigInt(`0x${address}`)).toBe(value | (3n << 46n));
    }),
  );
});
