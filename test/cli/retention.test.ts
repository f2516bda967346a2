/** A deployment whose days leave the window: what `authority retain` says and does, and that nothing else is harmed. */
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../cli/folder/config.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { openFolderClock, setFolderClock } from '../../cli/days/folder-clock.js';
import { folderAt, type DataFolder } from '../../cli/folder/folder.js';
import { startAuthority } from '../../cli/parts/authority.js';
import { toHex } from '../../protocol/bytes.js';
import { silentLog } from '../../protocol/log.js';
import { runFolderLedger } from './folder-ledger.js';
import { attempt } from './in-process.js';
import { filesUnder, openWorkshop, type Workshop } from './small-demo.js';

/** The demo's day, and a moment three weeks and a bit later. */
const DEMO_DAY = 19_676;
const AFTER_MS = (DEMO_DAY + 22) * 86_400_000 + 3_600_000;

let shop: Workshop;
let folder: DataFolder;
let secrets: Uint8Array[];
let stop: (() => Promise<void>) | undefined;

const inFolder = (...args: string[]) => attempt(...args, '--data-dir', folder.dir);

async function runLedger(): Promise<void> {
  const close = await runFolderLedger(folder);
  stop = async () => {
    stop = undefined;
    await close();
  };
}

/** Every secret of the days given, as the key files have it. */
async function secretsOf(days: readonly number[]): Promise<Uint8Array[]> {
  const store = dayKeyFiles(folder.authority.dayKeys);
  const keys = await Promise.all(days.map((day) => store.get(day)));
  return keys.flatMap((one) => (one ? [one.idKey, one.macKey, one.sealingSecretKey] : []));
}

/** Files anywhere in the folder that hold a secret: as bytes, as hex in either case, as base64 of either kind. */
async function filesHolding(wanted: readonly Uint8Array[]): Promise<string[]> {
  const forms = wanted.flatMap((secret) => {
    const bytes = Buffer.from(secret);
    const hex = toHex(secret);
    // Base64 of a longer text shifts with where the secret begins; what is in the middle of all three is looked for.
    const base64 = [0, 1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .slice(shift === 0 ? 0 : 4, 40),
    );
    const url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
    return [bytes, ...[hex, hex.toUpperCase(), ...base64, ...url].map((text) => Buffer.from(text, 'latin1'))];
  });
  const files = await filesUnder(folder.dir);
  const held = await Promise.all(
    files.map(async (file) => {
      const content = await readFile(file);
      return forms.some((form) => content.includes(form));
    }),
  );
  return files.filter((_, i) => held[i]);
}

beforeAll(async () => {
  shop = await openWorkshop();
  folder = folderAt(await shop.copy());
  secrets = await secretsOf([DEMO_DAY - 1, DEMO_DAY]);
});
afterAll(async () => {
  await stop?.();
  await shop?.remove();
});

describe('retention in a deployment', () => {
  const saved = { checkpoint: '', proof: '', vkey: '' };

  it('finds the secrets it looks for while they are there', async () => {
    expect(secrets).toHaveLength(6);
    expect(await filesHolding(secrets)).toHaveLength(2);
    await writeFile(join(folder.dir, 'note'), `x${Buffer.from(secrets[0] ?? []).toString('base64')}`);
    await writeFile(
      join(folder.dir, 'note2'),
      Buffer.concat([Buffer.from('y'), secrets[1] ?? Buffer.alloc(0)]).toString('base64'),
    );
    expect(await filesHolding(secrets)).toHaveLength(4);
    await Promise.all(['note', 'note2'].map((name) => rm(join(folder.dir, name))));
  });

  it('has nothing to end inside the window', async () => {
    const { code, text } = await inFolder('authority', 'retain', '--dry-run');
    expect(text).toContain('nothing: no older day has keys');
    expect(code).toBe(0);
  });

  it('says first what would go, and does nothing', async () => {
    saved.checkpoint = shop.path('old-checkpoint');
    saved.proof = shop.path('old.tlog-proof');
    saved.vkey = (await inFolder('ledger', 'vkey')).text.trim();
    const exported = shop.path('export');
    await inFolder('ledger', 'export', '--out', exported);
    await copyFile(join(exported, 'checkpoint'), saved.checkpoint);
    await inFolder('ledger', 'prove', '--index', '10', '--out', saved.proof);
    await setFolderClock(folder, AFTER_MS, 1);
    const alone = await inFolder('authority', 'retain', '--dry-run');
    expect(alone.text).toContain('2023-11-15  3 keys\n');
    expect(alone.text).toContain('the ledger cannot be asked');
    const traced = await inFolder('trace', '--case', '1');
    expect(traced.text).toMatch(
      /the clock says 2023-12-07 01:00 UTC, and the newest entry is of 2023-11-15 /,
    );
    expect(traced).toMatchObject({ code: 1 });
    await runLedger();
    expect((await inFolder('ledger', 'clock', '--yes')).text).toContain('the clock is right, you say');
    const { code, text } = await inFolder('authority', 'retain', '--dry-run');
    expect(text).toMatch(
      /2023-11-14 {2}3 keys; 0 payloads, 0 bytes\n.*2023-11-15 {2}3 keys; [1-9]\d* payloads, [\d,]+ bytes\n/,
    );
    expect(text).toContain('nothing was done: this was a dry run');
    expect(code).toBe(0);
    expect(await filesHolding(secrets)).toHaveLength(2);
  });

  it('asks first whether the clock is right, which leapt three weeks, and does nothing', async () => {
    const { code, text } = await inFolder('authority', 'retain');
    expect(text).toContain('the clock says 2023-12-07, and the newest day known to be past is 2023-11-1');
    expect(text).toContain('say that it is right with --yes');
    expect(code).toBe(1);
    expect(await filesHolding(secrets)).toHaveLength(2);
  });

  it('then ends those days, and says by which entries', async () => {
    const { code, text } = await inFolder('authority', 'retain', '--yes');
    expect(text).toMatch(/2023-11-15 {2}keys destroyed; payloads pruned by entry \d+\n/);
    expect(text).toContain('the ledger has removed the payloads from its files');
    expect(code).toBe(0);
    expect((await inFolder('authority', 'retain', '--dry-run')).text).toContain('nothing: no older day');
  });

  it('leaves no destroyed secret in any file of the folder, running or stopped', async () => {
    expect(await filesHolding(secrets)).toEqual([]);
    await stop?.();
    expect(await filesHolding(secrets)).toEqual([]);
    const kept = (await dayKeyFiles(folder.authority.dayKeys).list()).slice(0, 1);
    expect(await filesHolding(await secretsOf(kept))).toHaveLength(1);
  });

  it('lets the ledger, every proof and every checkpoint from before hold', async () => {
    const { code, text } = await inFolder('ledger', 'verify');
    expect(text).toMatch(/[1-9]\d* payloads of 2023-11-15 pruned on 2023-12-07, as entry \d+ says/);
    expect(text).not.toContain('without a stored payload');
    expect(code).toBe(0);
    const proof = await attempt('ledger', 'check-proof', saved.proof, '--vkey', saved.vkey);
    expect(proof.text).toContain('proved entry 10');
    const again = await inFolder('ledger', 'prove', '--index', '10', '--out', shop.path('new.tlog-proof'));
    expect(again.text).toMatch(/its payload, of 2023-11-15, was pruned on 2023-12-07 by entry \d+/);
    const under = ['--checkpoint', saved.checkpoint, '--out', shop.path('same.tlog-proof')];
    await inFolder('ledger', 'prove', '--index', '10', ...under);
    expect(await readFile(shop.path('same.tlog-proof'), 'utf8')).toBe(await readFile(saved.proof, 'utf8'));
    expect((await inFolder('ledger', 'consistency', '--old', saved.checkpoint)).text).toContain('consistent');
    const exported = ['ledger', 'verify', '--export', shop.path('export'), '--vkey', saved.vkey];
    expect(await attempt(...exported)).toMatchObject({ code: 0 });
  });

  it('leaves a tracer that says what it no longer knows', async () => {
    const { text } = await inFolder('trace', '--case', '1');
    expect(text).toMatch(/\d+ reports are of days that left the retention window/);
  });

  it('refuses a key file that somebody brings back, and removes it', async () => {
    const stray = join(folder.authority.dayKeys, `${DEMO_DAY}.key`);
    const original = join(shop.demo, 'authority', 'day-keys', `${DEMO_DAY}.key`);
    await copyFile(original, stray);
    await copyFile(original, join(folder.dir, 'copy of a key'));
    expect(await filesHolding(secrets)).toHaveLength(2);
    expect((await inFolder('authority', 'retain', '--dry-run')).text).toContain('nothing: no older day');
    await runLedger();
    const warned: unknown[] = [];
    const log = {
      ...silentLog,
      warn: (message: string, fields: unknown) => void warned.push(message, fields),
    };
    const { mqtt } = JSON.parse(await readFile(join(folder.run, 'ledger.json'), 'utf8')) as { mqtt: string };
    const context = { folder, config: await readConfig(folder), clock: await openFolderClock(folder) };
    const signal = new AbortController().signal;
    const running = await startAuthority({ ...context, log, signal }, mqtt);
    await expect.poll(() => warned).toContain('a copy of destroyed day keys was found and removed');
    await running.close();
    expect(await filesHolding(secrets)).toEqual([]);
    await stop?.();
  });
});

describe('a sunset', () => {
  it('is set with the deployment, shown, and refused when it is no date', async () => {
    const dir = shop.path('ending');
    const clock = ['--clock-start', '2027-01-01T12:00Z'];
    const given = ['authority', 'init', '--data-dir', dir, ...clock, '--sunset'];
    expect(await attempt(...given, '2027-02-30')).toMatchObject({ code: 2 });
    expect((await attempt(...given, '2027-06-30')).text).toContain('tracing ends with 2027-06-30');
    const { text } = await attempt('authority', 'status', '--data-dir', dir);
    expect(text).toContain('tracing ends with 2027-06-30: no keys are made');
    expect(text).toContain('no day has keys');
  });
});
