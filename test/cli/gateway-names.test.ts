/** What gateways are called in an answer: the folder that approves them knows. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { folderAt, gatewayFolder } from '../../cli/folder/folder.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { gatewayNames } from '../../cli/orders/gateway-names.js';
import { toHex } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';

let folder: DataFolder;
beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-names-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  folder = folderAt(dir);
});

const keyOf = (seed: number): Uint8Array => new Uint8Array(32).fill(seed);
const idOf = (seed: number): string => toHex(partyIdOf(keyOf(seed)));

async function approve(name: string, text: string): Promise<void> {
  const { dir, publicKey } = gatewayFolder(folder, name);
  await mkdir(dir, { recursive: true });
  await writeFile(publicKey, text);
}

it('are the names of their folders; of two keys of one name the one that is there now has it', async () => {
  await approve('hub-1', `${toHex(keyOf(1))}\n`);
  await approve('hub-2', toHex(keyOf(2)));
  await approve('spoilt', 'no key');
  expect(await gatewayNames(folder)).toEqual(new Map([[idOf(1), 'hub-1'], [idOf(2), 'hub-2']])); // prettier-ignore
  await approve('hub-1', toHex(keyOf(3)));
  expect(await gatewayNames(folder)).toEqual(new Map([[idOf(3), 'hub-1'], [idOf(2), 'hub-2']])); // prettier-ignore
});

it('are none where the folder has no gateways', async () => {
  expect(await gatewayNames(folder)).toEqual(new Map());
});
