/** A folder of another version of the program is that program's: this one says so and leaves it as it is. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../../protocol/log.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import { temporaryFolder } from './stage.js';
import { wordOf } from './story.js';

let dir = '';
const opened = () =>
  openContactStore(dir, {
    log: silentLog,
    startThread: inlineTasks(NODE_STORE_DISK),
    ...{ tableRows: 4, leastRows: 1, waitingTables: 0 },
  });

beforeEach(async () => {
  dir = await temporaryFolder();
  const store = await opened();
  for (let k = 0; k < 9; k++) store.add([wordOf(1, 2 + k, k)]);
  await store.settled();
  await store.save({ size: 1 });
  await store.close();
});

/** Changes bytes of a file, and what vouches for them in the manifest: the checksum of the state, and its own. */
async function rewrite(kind: RegExp, change: (bytes: Buffer) => void): Promise<void> {
  const name = (await readdir(dir)).find((one) => kind.test(one)) ?? 'none of that kind';
  const bytes = await readFile(join(dir, name));
  change(bytes);
  await writeFile(join(dir, name), bytes);
  if (!name.startsWith('state')) return;
  await changeManifest((text) =>
    text.replace(/("checksum": )\d+(\s*\}\s*,\s*"parts")/, `$1${crc32(bytes)}$2`),
  );
}

async function changeManifest(change: (text: string) => string): Promise<void> {
  const path = join(dir, 'manifest.json');
  const text = change(await readFile(path, 'utf8'));
  const { checksum, ...content } = JSON.parse(text) as Record<string, unknown>;
  expect(checksum).toEqual(expect.any(Number));
  await writeFile(path, JSON.stringify({ checksum: crc32(JSON.stringify(content)), ...content }));
}

const filesIn = async () =>
  Promise.all((await readdir(dir)).sort().map(async (name) => [name, await readFile(join(dir, name))]));

async function expectLeftAlone(): Promise<void> {
  const before = await filesIn();
  const refused = opened();
  await expect(refused).rejects.toMatchObject({ code: 'format' });
  await expect(refused).rejects.toThrow(
    /another version of this program wrote .*version [1236].* or remove the folder/,
  );
  expect(await filesIn()).toEqual(before);
}

test('a manifest of another version is left alone', async () => {
  for (const version of [2, 6]) {
    await changeManifest((text) => text.replace(/"version":\s*\d/, `"version":${version}`));
    await expectLeftAlone();
  }
});

test.each([3, 4])(
  'a manifest of version %i, which differs in what it can say alone, is gone on with',
  async (version) => {
    await changeManifest((text) =>
      text
        .replace('"version": 5', `"version": ${version}`)
        .replace('"size": 1\n', '"size": 1, "note": "a note"\n'),
    );
    expect(await readFile(join(dir, 'manifest.json'), 'utf8')).toContain('a note');
    const store = await opened();
    expect([store.position.size, store.status().contacts]).toEqual([1, 9]);
    await store.save({ size: 2 });
    await store.close();
    expect(await readFile(join(dir, 'manifest.json'), 'utf8')).toContain('"version": 5');
  },
);

test('a segment of another version is left alone', async () => {
  await rewrite(/\.segment$/, (bytes) => {
    const head = bytes.subarray(0, 4096);
    head.writeUInt32LE(2, 4);
    head.writeUInt32LE(0, 36);
    head.writeUInt32LE(crc32(head), 36);
  });
  await expectLeftAlone();
});

test('evidence of another version is left alone', async () => {
  await rewrite(/\.evidence$/, (bytes) => {
    const head = bytes.subarray(0, 64);
    head.writeUInt32LE(2, 4);
    head.writeUInt32LE(0, 32);
    head.writeUInt32LE(crc32(head), 32);
  });
  await expectLeftAlone();
});

test('a state of another version is left alone', async () => {
  await rewrite(/^state-/, (bytes) => bytes.writeUInt32BE(2, 4));
  await expectLeftAlone();
});
