/** Commands that messages name can be typed as the program was called: here as one of our npm scripts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { folderAt, gatewayFolder } from '../../cli/folder/folder.js';
import { waysToCertificate } from '../../cli/folder/gateway-certificate.js';
import { missingReportsLines } from '../../cli/present/missing-reports.js';
import { attempt } from './in-process.js';

const HERE = 'npm run --silent firebreak -- ';

let dir: string;
beforeEach(async () => {
  vi.stubEnv('npm_lifecycle_event', 'firebreak');
  dir = await mkdtemp(join(tmpdir(), 'firebreak-called-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

const textOf = async (...args: readonly string[]) => (await attempt(...args)).text;

async function inNewFolder(...args: readonly string[]): Promise<string> {
  await attempt('authority', 'init', '--data-dir', dir);
  return textOf(...args, '--data-dir', dir);
}

describe('a message that says what to run says it as it can be typed here', () => {
  it.each<[string, () => string | Promise<string>, string]>([
    ['a folder of nobody', () => textOf('ledger', 'status', '--data-dir', dir), 'authority init'],
    [
      'a clock that is set already',
      () => inNewFolder('authority', 'status', '--clock-rate', '2'),
      'authority init',
    ],
    [
      'contacts on a folder of live tags',
      () => inNewFolder('air', 'run', '--contacts', 'README.md'),
      'authority init --replay',
    ],
    ['a folder of no witness', () => textOf('witness', 'run', dir, '--port', '0'), 'witness init'],
    ['a folder without a city', () => textOf('trace-city', dir), 'city --out'],
    [
      'a gateway without a certificate',
      () => waysToCertificate(gatewayFolder(folderAt(dir), 'ward')),
      'authority run makes one',
    ],
    ['reports that are lost', () => missingReportsLines(1).join(), 'ledger fsck --data-dir DIR'],
  ])('of %s', async (_what, told, command) => {
    expect(await told()).toContain(`${HERE}${command}`);
  });
});
