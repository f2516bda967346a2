/** Folders and files that are not what they should be: the message names the file or the field, never what a key holds. */
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FIREBREAK, program } from '../program.js';
import { attempt } from './in-process.js';
import { filesUnder, openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

let shop: Workshop;
let folder: string;
beforeAll(async () => void (shop = await openWorkshop()));
beforeEach(async () => void (folder = await shop.copy()));
afterAll(() => shop?.remove());

const verify = () => attempt('ledger', 'verify', '--data-dir', folder);
const trace = () => attempt('trace', '--data-dir', folder, '--case', '1');

describe('a folder of something else', () => {
  const COMMANDS = [
    ['ledger', 'run'],
    ['ledger', 'verify'],
    ['ledger', 'vkey'],
    ['ledger', 'export', '--out', 'OUT'],
    ['authority', 'run'],
    ['authority', 'notify', '--person', '1'],
    ['gateway', 'run'],
    ['air', 'run'],
    ['tag', 'run', '--number', '1'],
    ['tracer', 'run'],
    ['tracer', 'token', '--name', 'Dr. Wu'],
    ['trace', '--case', '1'],
  ];

  it.each(COMMANDS.map((words) => [words.join(' '), words] as const))(
    'is refused by %s, and left as it was',
    async (_name, words) => {
      const foreign = shop.path('foreign');
      await mkdir(foreign, { recursive: true });
      await writeFile(join(foreign, 'notes.txt'), 'mine');
      const args = words.map((word) => (word === 'OUT' ? shop.path('out') : word));
      const { code, text } = await attempt(...args, '--data-dir', foreign);
      expect(text).toContain(`${foreign} is not a Firebreak folder (it has no firebreak.json)`);
      expect(text).toContain('bring firebreak.json from the authority’s folder');
      expect(code).toBe(1);
      expect(await readdir(foreign)).toEqual(['notes.txt']);
    },
  );

  it('is not made where there is none', async () => {
    const nowhere = shop.path('nowhere');
    const { code, text } = await attempt('ledger', 'run', '--data-dir', nowhere);
    expect(code).toBe(1);
    expect(text).toContain(`${nowhere} is not a Firebreak folder`);
    await expect(stat(nowhere)).rejects.toThrow('ENOENT');
  });

  it('cannot be taken for a new deployment', async () => {
    const before = await readFile(join(folder, 'firebreak.json'), 'utf8');
    const { code, text } = await attempt('authority', 'init', '--data-dir', folder);
    expect(code).toBe(1);
    expect(text).toContain(`${folder} is not empty`);
    expect(await readFile(join(folder, 'firebreak.json'), 'utf8')).toBe(before);
  });
});

it('a new deployment that a full disk cuts short leaves nothing behind', async () => {
  const dir = shop.path(`cut-short`);
  const clock = ['--clock-start', '2027-01-01', '--origin', `log.example/${'long/'.repeat(48)}`];
  const init = [program(FIREBREAK), 'authority', 'init', '--data-dir', dir, ...clock];
  const limited = `ulimit -f 1 && exec "$0" "$@"`; // RLIMIT_FSIZE: no file may grow beyond it
  const cut = spawnSync('bash', ['-c', limited, process.execPath, ...init], { encoding: 'utf8' });
  expect(cut.stderr).toContain('firebreak.json cannot be written');
  expect([cut.status, await readdir(dir)]).toEqual([1, []]);
  expect(await attempt('authority', 'init', '--data-dir', dir, ...clock)).toMatchObject({ code: 0 });
}, 60_000);

describe('a folder in whose making its process was killed', () => {
  const init = (dir: string) =>
    attempt('authority', 'init', '--data-dir', dir, '--clock-start', '2027-01-01');

  it('is told from any other at each point, with what to do, and left as it was', async () => {
    const whole = shop.path('whole');
    await init(whole);
    const keys = ['authority/issuer.key', 'authority/audit.key', 'ledger/log.key', 'ledger/receipt.key'];
    const others = ['ledger/read.token', 'tracer/writer.key', 'tracer/api.token', 'clock.json'];
    const made = [...keys, ...others, 'firebreak.json'];
    expect((await filesUnder(whole)).map((file) => relative(whole, file)).sort()).toEqual([...made].sort());
    for (const [count, next = ''] of made.entries()) {
      const dir = shop.path(`killed-${count}`);
      await mkdir(join(dir, 'run'), { recursive: true });
      for (const name of [...made.slice(0, count), next]) {
        const place = join(dir, name === next ? `${name}.4711.tmp` : name);
        await mkdir(dirname(place), { recursive: true });
        await copyFile(join(whole, name), place);
      }
      const before = await filesUnder(dir);
      const { code, text } = await init(dir);
      expect(text).toContain(`the deployment in ${dir} was not made to its end`);
      expect(text).toMatch(/if nothing ever ran with its keys, remove the folder, and begin again/);
      expect([code, await filesUnder(dir)]).toEqual([1, before]);
      await rm(dir, { recursive: true });
      expect(await init(dir)).toMatchObject({ code: 0 });
    }
  });

  it('is not taken for one that ran and has lost its firebreak.json', async () => {
    await rm(join(folder, 'firebreak.json'));
    const { code, text } = await init(folder);
    expect([code, text]).toEqual([1, expect.stringContaining(`${folder} is not empty`)]);
  });
});

describe('firebreak.json', () => {
  const spoil = async (change: (facts: Record<string, unknown>) => void): Promise<void> => {
    const file = join(folder, 'firebreak.json');
    const facts = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    change(facts);
    await writeFile(file, JSON.stringify(facts));
  };

  it.each([
    ['issuerPublicKey', (facts: Record<string, unknown>) => (facts['issuerPublicKey'] = 'zz')],
    ['origin', (facts: Record<string, unknown>) => delete facts['origin']],
    [
      'settings.retentionDays',
      (facts: Record<string, unknown>) =>
        (facts['settings'] = { ...(facts['settings'] as object), retentionDays: 0 }),
    ],
    [
      'writers.0.entryTypes',
      (facts: Record<string, unknown>) =>
        (facts['writers'] = [{ name: 'x', publicKey: '00'.repeat(32), entryTypes: 'all' }]),
    ],
    ['format', (facts: Record<string, unknown>) => (facts['format'] = 'firebreak-data-9')],
  ])('is refused by its field %s', async (field, change) => {
    await spoil(change);
    const { code, text } = await verify();
    expect(text).toContain(`${join(folder, 'firebreak.json')}: ${field} `);
    expect(code).toBe(1);
  });

  it('is refused when it is no JSON', async () => {
    await writeFile(join(folder, 'firebreak.json'), '{ nope');
    const { code, text } = await verify();
    expect(text).toContain(`${join(folder, 'firebreak.json')} is not JSON`);
    expect(text).toContain(': put it back from a copy');
    expect(code).toBe(1);
  });

  it.each([
    ['authority', 'issuer.key'],
    ['authority', 'audit.key'],
    ['tracer', 'writer.key'],
  ])('without its own key, %s/%s, does not wait for a ledger', async (party, key) => {
    const empty = shop.path(`without-${key}`);
    await attempt('authority', 'init', '--data-dir', empty);
    await rm(join(empty, party, key));
    const { code, text } = await attempt(party, 'run', '--data-dir', empty);
    expect(text).toContain(`${join(empty, party, key)} is missing: put it back from a copy`);
    expect(code).toBe(1);
  });
});

describe('the clock of a folder', () => {
  it('is refused by its field when the file is spoilt', async () => {
    await writeFile(join(folder, 'clock.json'), '{"startMs":1,"rate":"fast","anchorWallMs":1}');
    const { code, text } = await verify();
    expect(text).toContain(`${join(folder, 'clock.json')}: rate `);
    expect(code).toBe(1);
  });

  it('cannot be set again to something else', async () => {
    const { code, text } = await attempt('ledger', 'run', '--data-dir', folder, '--clock-rate', '5');
    expect(text).toContain('was set when it was made');
    expect(code).toBe(2);
  });
});

describe('a key file', () => {
  const logKey = () => join(folder, 'ledger', 'log.key');
  const runLedger = () => attempt('ledger', 'run', '--data-dir', folder);

  it.each([0o644, 0o640, 0o604])('is refused when others may touch it (mode %o)', async (mode) => {
    const secret = (await readFile(logKey(), 'utf8')).trim();
    await chmod(logKey(), mode);
    const { code, text } = await runLedger();
    expect(text).toContain(`${logKey()} is open to others (mode 0${mode.toString(8)}): run chmod 600`);
    expect(text).not.toContain(secret.slice(0, 16));
    expect(code).toBe(1);
  });

  it.each([
    ['too short', (secret: string) => secret.slice(0, 40)],
    ['too long', (secret: string) => `${secret}${secret}`],
    ['not hex', (secret: string) => `x${secret.slice(1)}`],
    ['empty', () => ''],
  ])('is refused when it is %s, and not shown', async (_what, spoilt) => {
    const secret = (await readFile(logKey(), 'utf8')).trim();
    const content = spoilt(secret);
    await writeFile(logKey(), content);
    const { code, text } = await runLedger();
    expect(text).toContain(
      `${logKey()} is not a key file: it must hold 64 hex digits, it has ${content.length} characters`,
    );
    expect(text).not.toContain(secret.slice(1, 17));
    expect(code).toBe(1);
  });

  it('is missed by name', async () => {
    await rm(logKey());
    expect(await runLedger()).toMatchObject({
      code: 1,
      text: `firebreak: ${logKey()} is missing: put it back from a copy`,
    });
  });

  it('is refused when it is another party’s', async () => {
    await writeFile(logKey(), await readFile(join(folder, 'authority', 'issuer.key')));
    const { code, text } = await runLedger();
    expect(text).toContain(`${logKey()} is not the key of the log that`);
    expect(code).toBe(1);
  });

  // What is said of it: tracer-day-keys.test.ts
  it('of a day keeps nobody from asking when others may touch it, or when it is cut short', async () => {
    const [first = ''] = await filesUnder(join(folder, 'authority', 'day-keys'));
    const content = await readFile(first);
    await chmod(first, 0o644);
    const open = await trace();
    await chmod(first, 0o600);
    await writeFile(first, content.subarray(0, 60));
    const cut = await trace();
    expect([open.code, cut.code]).toEqual([0, 0]);
  });
});

describe('other files of a folder', () => {
  it('are named when they are spoilt: the checkpoint a tracer saw last', async () => {
    const file = join(folder, 'tracer', 'checkpoint');
    await writeFile(file, 'junk');
    const { code, text } = await trace();
    expect(text).toContain(`${file} is not a checkpoint of this log`);
    expect(code).toBe(1);
  });

  it('are named when they cannot be read: a gateway’s certificate', async () => {
    const file = join(folder, 'gateways', 'hub-1', 'certificate');
    await rm(file, { force: true });
    await mkdir(file);
    const broker = ['--broker', 'mqtt://127.0.0.1:1'];
    const { code, text } = await attempt('gateway', 'run', '--data-dir', folder, ...broker);
    expect(text).toContain(`firebreak: ${file} is there, but cannot be read`);
    expect(code).toBe(1);
  });

  it('are named when they are spoilt: a status', async () => {
    const file = join(folder, 'gateways', 'hub-1', 'status.json');
    await writeFile(file, '{"pid":1,"wallMs":1,"status":{}}');
    const { code, text } = await attempt('gateway', 'status', '--data-dir', folder);
    expect(text).toContain(`${file} is not a status of this version`);
    expect(code).toBe(1);
  });
});

describe('a command that needs another process', () => {
  it('says which one to start', async () => {
    const { code, text } = await attempt('authority', 'notify', '--data-dir', folder, '--person', '1');
    expect(text).toContain('no authority runs on');
    expect(text).toContain(`firebreak authority run --data-dir ${folder}`);
    expect(code).toBe(1);
  });

  it.each([
    ['gateway hub-1', ['gateway', 'status']],
    ['tag 9', ['tag', 'status', '--number', '9']],
  ])('has no status of %s to show before it ran', async (who, words) => {
    const { code, text } = await attempt(...words, '--data-dir', folder);
    expect(text).toContain(`${who} has not run on this folder`);
    expect(code).toBe(1);
  });

  it.each([['gateway'], ['tag', '--number', '9'], ['ledger']])(
    'says that the folder is none of ours when the status of a %s is asked for there',
    async (party, ...words) => {
      const mistyped = `${folder} mistyped`;
      const { code, text } = await attempt(party, 'status', ...words, '--data-dir', mistyped);
      expect(text).toContain(`${mistyped} is not a Firebreak folder`);
      expect(code).toBe(1);
    },
  );
});
