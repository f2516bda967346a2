/** A ledger that is not what it was: verify, run and export say so and end with exit code 1. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../cli/folder/config.js';
import { folderAt } from '../../cli/folder/folder.js';
import { readKeyFile } from '../../cli/files/key-files.js';
import { openFolderReader } from '../../cli/parts/ledger.js';
import { announce } from '../../cli/files/run-files.js';
import { serveLedgerHttp } from '../../ledger/http/server.js';
import { toHex } from '../../protocol/bytes.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { silentLog } from '../../protocol/log.js';
import { entriesOf } from '../../protocol/tlog/tile.js';
import { runFirebreak, startFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';
import { filesUnder, openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

let shop: Workshop;
let folder: string;
beforeAll(async () => void (shop = await openWorkshop()));
beforeEach(async () => void (folder = await shop.copy()));
afterAll(() => shop?.remove());

const verify = () => attempt('ledger', 'verify', '--data-dir', folder);
const storeFiles = () => filesUnder(join(folder, 'ledger', 'store'));

/** Where a young store has all its rows. */
async function largestFile(): Promise<string> {
  const files = await Promise.all(
    (await storeFiles()).map(async (file) => ({ file, length: (await readFile(file)).length })),
  );
  return files.sort((x, y) => y.length - x.length)[0]?.file ?? '';
}

async function flip(file: string, at: number, mask = 1): Promise<void> {
  const bytes = await readFile(file);
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  await writeFile(file, bytes);
}

describe('a ledger’s store', () => {
  it('is refused when a bit of what it holds has turned', async () => {
    const file = await largestFile();
    await flip(file, Math.floor((await readFile(file)).length / 2));
    const { code, text } = await verify();
    expect(text).toMatch(/^firebreak: /);
    expect(text).not.toContain('verified');
    expect(code).toBe(1);
  });

  it('is verified to its end when a payload in its files is damaged, and refused with the entry', async () => {
    const kept = join(folder, 'ledger', 'store', 'payloads', 'kept');
    await flip(kept, (await readFile(kept)).length - 1);
    const { code, text } = await verify();
    expect(text).toMatch(
      /^firebreak: the log of 12 entries in .* is whole, but 1 payload is damaged: that of entry \d+\. /,
    );
    expect(code).toBe(1);
  });

  it('is refused, and not started on, when its newest data is lost', async () => {
    const file = await largestFile();
    await writeFile(file, (await readFile(file)).subarray(0, -200));
    for (const command of ['verify', 'run']) {
      const { code, text } = await attempt('ledger', command, '--data-dir', folder);
      expect(text).toContain('holds 11 entries but answered for 12: its newest data is lost');
      expect(code).toBe(1);
    }
  });

  it('is refused, and not begun anew, when nothing is left in it', async () => {
    await writeFile(await largestFile(), '');
    expect(await verify()).toMatchObject({ code: 1 });
    const { code, text } = await attempt('ledger', 'run', '--data-dir', folder);
    expect(text).toContain('is empty but its head file is not. Leave the folder as it is: ');
    expect(code).toBe(1);
  });

  it('is refused when parts of it are missing', async () => {
    await rm(join(folder, 'ledger', 'store', 'store', 'CURRENT'));
    const { code, text } = await verify();
    expect(text).toContain("parts of the ledger's store in");
    expect(code).toBe(1);
  });

  it('is missed when it is not there', async () => {
    await rm(join(folder, 'ledger', 'store'), { recursive: true });
    const { code, text } = await verify();
    expect(text).toContain(`there is no ledger in ${join(folder, 'ledger', 'store')}`);
    expect(code).toBe(1);
  });

  it('is refused when it is another deployment’s', async () => {
    const other = shop.path('other');
    await attempt('demo', '--contacts', shop.contacts, '--data-dir', other);
    await rm(join(folder, 'ledger', 'store'), { recursive: true });
    await cp(join(other, 'ledger', 'store'), join(folder, 'ledger', 'store'), { recursive: true });
    const { code, text } = await verify();
    expect(text).not.toContain('verified');
    expect(code).toBe(1);
  });
});

describe('an exported log', () => {
  let vkey: string;
  let exported: string;
  beforeEach(async () => {
    vkey = (await attempt('ledger', 'vkey', '--data-dir', folder)).text.trim();
    exported = join(folder, '..', `export-of-${folder.split('-').at(-1)}`);
    expect(await attempt('ledger', 'export', '--data-dir', folder, '--out', exported)).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^12 entries exported to .*: \d+ files written, 0 removed\n$/) as string,
    });
  });
  const verifyExport = (key = vkey) => attempt('ledger', 'verify', '--export', exported, '--vkey', key);

  it('verifies with nothing but the public key', async () => {
    const { code, text } = await verifyExport();
    expect(code).toBe(0);
    expect(text).toContain('verified 12 entries');
  });

  it('does not when any one bit of it has turned', async () => {
    for (const file of await filesUnder(exported)) {
      const whole = await readFile(file);
      const places = Array.from({ length: 8 }, (_, k) => Math.floor(((k + 0.5) * whole.length) / 8));
      for (const at of places) {
        await flip(file, at);
        const { code, text } = await verifyExport();
        expect(text, `${file} at ${at}`).not.toContain('verified');
        expect(code).toBe(1);
        await writeFile(file, whole);
      }
    }
    expect(await verifyExport()).toMatchObject({ code: 0 });
  });

  it('does not when a file of it is missing, or with the key of another log', async () => {
    const other = shop.path(`other-${folder.split('-').at(-1)}`);
    await attempt('authority', 'init', '--data-dir', other);
    const otherKey = (await attempt('ledger', 'vkey', '--data-dir', other)).text.trim();
    expect(await verifyExport(otherKey)).toMatchObject({ code: 1 });
    const [tile = ''] = (await filesUnder(exported)).filter((file) => file.includes('entries'));
    await rm(tile);
    expect(await verifyExport()).toMatchObject({ code: 1 });
  });

  it('is not looked for where there is no folder', async () => {
    const { code, text } = await attempt('ledger', 'verify', '--export', shop.path('no'), '--vkey', vkey);
    expect({ code, text }).toEqual({ code: 1, text: `firebreak: there is no folder ${shop.path('no')}` });
  });

  it('is not written over something else', async () => {
    const { code, text } = await attempt('ledger', 'export', '--data-dir', folder, '--out', shop.dir);
    expect(text).toContain(`${shop.dir} is not empty and not an exported log`);
    expect(code).toBe(1);
  });
});

/** Hashes of payloads, in hex, by their entries. */
async function payloadsByIndex(): Promise<readonly string[]> {
  const data = folderAt(folder);
  const reader = await openFolderReader(data, await readConfig(data));
  const bundle = await reader.entryBundle(0, 12);
  await reader.close();
  return entriesOf(bundle, 12).map((entry) => toHex(decodeEntry(entry).payloadSha256));
}

/** The HTTP of a ledger that runs on the folder, with another reader behind it. */
async function standIn(change: (reader: LedgerReader) => LedgerReader): Promise<() => Promise<void>> {
  const data = folderAt(folder);
  const reader = await openFolderReader(data, await readConfig(data));
  const payloadToken = toHex(await readKeyFile(data.ledger.readToken));
  const http = await serveLedgerHttp({ reader: change(reader), port: 0, payloadToken, log: silentLog });
  const withdraw = await announce(data, 'ledger', { mqtt: 'mqtt://127.0.0.1:1', http: http.url });
  return async () => {
    await withdraw();
    await http.close();
    await reader.close();
  };
}

describe('a ledger that runs', () => {
  it('lets no second one start on its folder, answers readers, and ends well', async () => {
    const first = startFirebreak(['ledger', 'run', '--data-dir', folder]);
    try {
      await first.says('is up');
      const second = await runFirebreak('ledger', 'run', '--data-dir', folder);
      expect(second.stderr).toContain(
        `the ledger in ${join(folder, 'ledger', 'store')} is open in another process`,
      );
      expect(second.code).toBe(1);
      expect(await verify()).toMatchObject({ code: 0 });
    } finally {
      first.child.kill('SIGTERM');
    }
    expect(await first.ended).toEqual({ code: 0, signal: null });
  });

  it('is not verified when it has lost payloads', async () => {
    const end = await standIn((reader) => ({
      ...reader,
      payloads: async (hashes) =>
        (await reader.payloads(hashes)).map((found, i) => (i === 3 || i > 9 ? undefined : found)),
    }));
    const { code, text } = await verify();
    await end();
    expect(text).toContain('but 3 payloads are neither stored nor pruned: those of entries 3 10 11.');
    expect(text).toContain('firebreak ledger fsck');
    expect(text).not.toContain('verified');
    expect(code).toBe(1);
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it('is not verified when payloads are damaged: it goes on, counts and names them, and those that are lost too', async () => {
    const own = await payloadsByIndex();
    const end = await standIn((reader) => ({
      ...reader,
      payloads: async (hashes) => {
        const asked = hashes.map((hash) => own.indexOf(toHex(hash)));
        if (asked.includes(2) || asked.includes(7))
          throw new FirebreakError('damaged-payload', 'one of them');
        return (await reader.payloads(hashes)).map((found, i) => (asked[i] === 10 ? undefined : found));
      },
    }));
    const { code, text } = await verify();
    await end();
    expect(text).toContain(
      'is whole, but 2 payloads are damaged: those of entries 2 7; 1 payload is neither stored nor pruned: that of entry 10. ' +
        'Leave the folder as it is: with the ledger stopped, firebreak ledger fsck',
    );
    expect(text).not.toContain('verified');
    expect(code).toBe(1);
  });

  it('is not exported further after the first Ctrl-C', async () => {
    const out = join(folder, '..', `cut-${folder.split('-').at(-1)}`);
    const end = await standIn((reader) => ({
      ...reader,
      entryBundle: async (index, width) => {
        exporting.child.kill('SIGINT');
        await new Promise((resolve) => setTimeout(resolve, 300));
        return reader.entryBundle(index, width);
      },
    }));
    const exporting = startFirebreak(['ledger', 'export', '--data-dir', folder, '--out', out]);
    expect(await exporting.ended).toEqual({ code: 130, signal: null });
    expect(exporting.stderr()).toContain('stopped before it was done');
    await end();
    expect(await filesUnder(out)).not.toContain(join(out, 'checkpoint'));
    expect(await attempt('ledger', 'export', '--data-dir', folder, '--out', out)).toMatchObject({ code: 0 });
  });

  it.each(['--mqtt-port', '--http-port'])('says that its %s is taken', async (option) => {
    const taker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taker.once('listening', resolve));
    const { port } = taker.address() as AddressInfo;
    const { code, text } = await attempt('ledger', 'run', '--data-dir', folder, option, String(port));
    taker.close();
    expect(text).toContain(`cannot use 127.0.0.1:${port}: the port is in use`);
    expect(code).toBe(1);
    expect(await verify()).toMatchObject({ code: 0 }); // its lock is given back
  });
});
