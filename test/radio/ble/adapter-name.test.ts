import { describe, expect, it } from 'vitest';
import { adapterText, parseAdapter } from '../../../radio/ble/adapter-name.js';

describe('the name of a Bluetooth adapter', () => {
  it.each([
    ['hci0', { kind: 'index', index: 0 }, 'hci0'],
    ['1', { kind: 'index', index: 1 }, 'hci1'],
    ['AA:bb:0c:dd:ee:FF', { kind: 'address', address: 'aabb0cddeeff' }, 'aa:bb:0c:dd:ee:ff'],
    ['unix:/tmp/bt-server-bredrle', { kind: 'unix', path: '/tmp/bt-server-bredrle' }, undefined],
    ['/dev/ttyUSB0', { kind: 'uart', port: '/dev/ttyUSB0', baudRate: 1_000_000 }, '/dev/ttyUSB0@1000000'],
    ['/dev/ttyAMA1@115200', { kind: 'uart', port: '/dev/ttyAMA1', baudRate: 115_200 }, undefined],
  ])('reads %s', (text, name, again) => {
    expect(parseAdapter(text)).toEqual(name);
    expect(adapterText(parseAdapter(text))).toBe(again ?? text);
  });

  it.each([
    '',
    'hci',
    'hci-1',
    'hci1000',
    '256',
    'aa:bb:cc:dd:ee',
    'unix:',
    '/tmp/x',
    '/dev/ttyUSB0@fast',
    'usb',
  ])('refuses %j with an example of each kind', (text) => {
    expect(() => parseAdapter(text)).toThrow(
      expect.objectContaining({
        code: 'input',
        message: expect.stringMatching(/hci0.*unix:.*ttyUSB0/) as unknown,
      }),
    );
  });
});
