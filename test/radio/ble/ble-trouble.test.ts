import { expect, it } from 'vitest';
import { bleTrouble } from '../../../radio/ble/ble-trouble.js';

const adapter = (index: number, isUp: boolean) => ({ name: { kind: 'index', index } as const, isUp });

it('what of a radio is not at work is said by what it does and by its name', () => {
  expect(bleTrouble(adapter(0, true), adapter(1, true))).toBeUndefined();
  const scan = 'the adapter that scans (hci0) is down or was pulled out';
  expect(bleTrouble(adapter(0, false), adapter(1, true))).toBe(scan);
  const failing = { ...adapter(1, true), isFailing: true };
  expect(bleTrouble(adapter(0, false), failing)).toBe(
    `${scan}, and the adapter that advertises (hci1) does not do as it is told`,
  );
});
