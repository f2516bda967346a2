/** What a person reads when Bluetooth cannot be had: one sentence, with what mends it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { adapterError } from '../../../radio/ble/wire-driver.js';
import { program } from '../../program.js';

const run = promisify(execFile);
const PROGRAM = new URL('./open-once.ts', import.meta.url);
const HIDE_PACKAGES = fileURLToPath(new URL('./hide-packages.cjs', import.meta.url));
const report = z.object({ outcome: z.object({ code: z.string() }), message: z.string() });

async function failure(args: readonly string[], preload: readonly string[] = []) {
  const options = [...preload, program(PROGRAM), ...args];
  const { stdout } = await run(process.execPath, options, { timeout: 20_000 });
  const { outcome, message } = report.parse(JSON.parse(stdout));
  return { code: outcome.code, message };
}

const isOneSentence = (message: string): void => {
  expect(message).not.toMatch(/\n|\. [A-Z]/);
  expect(message.length).toBeLessThan(220);
};

describe('opening a Bluetooth radio', () => {
  it.each([
    ['abandonware', /npm install @abandonware\/noble\S* bleno@npm:@abandonware\/bleno/],
    ['stoprocent', /npm install @stoprocent\/noble\S* @stoprocent\/bleno/],
  ])('says how to install the packages of %s', async (stack, command) => {
    const hide = ['--require', HIDE_PACKAGES];
    const { code, message } = await failure([stack, 'unix:/nowhere', 'unix:/nowhere'], hide);
    expect({ code, message }).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(command) as unknown,
    });
    isOneSentence(message);
  });

  it.each(['abandonware', 'stoprocent'])(
    'says that the kernel has no Bluetooth, or else no such adapter, with %s',
    async (stack) => {
      const { code, message } = await failure([stack, 'hci250', 'hci251']);
      const expected = existsSync('/sys/class/bluetooth')
        ? { code: 'not-found', message: 'there is no adapter hci250; list them with: hciconfig -a' }
        : {
            code: 'unreachable',
            message: expect.stringMatching(/kernel has no Bluetooth.*sudo modprobe/) as unknown,
          };
      expect({ code, message }).toEqual(expected);
      isOneSentence(message);
    },
  );

  it.each([
    ['there is no such adapter', 'ENODEV', 'not-found', /no adapter hci7; list them with: hciconfig/],
    ['it may not use it', 'EPERM', 'permission', /sudo setcap cap_net_raw\+eip/],
  ])('says that %s', (_, errno, code, command) => {
    const error = adapterError(7, Object.assign(new Error('bind'), { code: errno }));
    expect(error).toMatchObject({ code, message: expect.stringMatching(command) as unknown });
    isOneSentence(error.message);
  });

  it.each([
    [
      'one adapter for both roles',
      ['abandonware', 'hci0', 'hci0'],
      'usage',
      /two adapters.*--adapters hci0,hci1/,
    ],
    [
      'a serial port with the wrong stack',
      ['abandonware', '/dev/ttyUSB0', 'hci1'],
      'usage',
      /--ble-stack stoprocent/,
    ],
    [
      'a serial port that is not there',
      ['stoprocent', '/dev/ttyNONE', 'hci1'],
      'unreachable',
      /check the port/,
    ],
    [
      'a socket with nothing behind it',
      ['abandonware', 'unix:/nowhere', 'unix:/nowhere'],
      'unreachable',
      /btvirt -s/,
    ],
  ])('refuses %s', async (_, args, code, command) => {
    const refused = await failure(args);
    expect(refused).toMatchObject({ code, message: expect.stringMatching(command) as unknown });
    isOneSentence(refused.message);
  });
});
