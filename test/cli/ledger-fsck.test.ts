/** `firebreak ledger fsck`, as people and scripts run it. */
import { cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDeployment, signerFrom } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { announce } from '../../cli/files/run-files.js';
import { openLedger } from '../../ledger/ledger.js';
import { cosignerOf, formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { noteSigner, noteVerifierKey } from '../../protocol/tlog/note.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../ledger/deployment.js';
import { storedFiles } from '../ledger/fsck-folder.js';
import { runFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';

let dir: string;
let vkey: string;
const data = (name: string) => join(dir, name);

/** A folder whose log has 300 entries, and a copy of it in which one bit of the write-ahead log is flipped. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-fsck-'));
  const folder = folderAt(data('good'));
  const config = await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  vkey = config.logKey;
  const logSigner = noteSigner(config.origin, await signerFrom(folder.ledger.logKey));
  const ledger = await openLedger(ledgerDeps(folder.ledger.store, { logSigner }));
  await writeFile(data('empty.checkpoint'), await ledger.reader().checkpoint());
  for (const seq of [0, 1, 2])
    await ledger.submit(
      batchOf(
        officer,
        seq,
        Array.from({ length: 100 }, (_, i) => noticeItem(`${seq}/${i}`)),
      ),
    );
  await ledger.close();
  await cp(data('good'), data('bad'), { recursive: true });
  const store = folderAt(data('bad')).ledger.store;
  const log = (await storedFiles(store)).find(({ file }) => file.endsWith('.log'));
  const handle = await open(join(store, log?.file ?? ''), 'r+');
  await handle.write(Buffer.of((log?.bytes[5000] ?? 0) ^ 4), 0, 1, 5000);
  await handle.close();
  return () => rm(dir, { recursive: true, force: true });
});

describe('firebreak ledger fsck', () => {
  test('ends with 0 on a whole ledger, and says how much it checked', async () => {
    const whole = await runFirebreak('ledger', 'fsck', '--data-dir', data('good'));
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect(whole.stdout).toMatch(/clean {2}300 entries of .* 3 answered batches and 300 stored payloads/);
  });

  test('ends with 1 on a damaged one: findings first, then one line in plain words', async () => {
    const before = await readFile(join(folderAt(data('bad')).ledger.store, 'head'));
    const damaged = await runFirebreak('ledger', 'fsck', '--data-dir', data('bad'));
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toMatch(/damaged {2}files: store\/\d+\.log, byte 5000: .*one bit was flipped/);
    expect(damaged.stderr).toMatch(
      /^firebreak: the ledger in .* is damaged: \d+ things are wrong, .*\. Leave the folder as it is\. Before you start a copy, read docs\/ledger-fsck\.md: one that is too old forks the log\n$/,
    );
    expect(await readFile(join(folderAt(data('bad')).ledger.store, 'head'))).toEqual(before);
  });

  test('comes before all that opens the store of a copy: that drops what is damaged, and the file in which it was named', async () => {
    await cp(data('bad'), data('opened'), { recursive: true });
    const { store } = folderAt(data('opened')).ledger;
    const logs = async () => (await storedFiles(store)).flatMap(({ file }) => file.match(/.*\d\.log$/) ?? []);
    const [log] = await logs();
    const held = ['--data-dir', data('opened'), '--old', data('empty.checkpoint')];
    const opened = await attempt('ledger', 'consistency', ...held);
    expect([opened.code, opened.text]).toEqual([1, expect.stringContaining('its newest data is lost')]);
    expect(await logs()).not.toContain(log);
    const after = await attempt('ledger', 'fsck', '--data-dir', data('opened'));
    expect([after.code, after.text]).toEqual([1, expect.not.stringContaining('one bit was flipped')]);
    const page = await readFile(new URL('../../docs/ledger-fsck.md', import.meta.url), 'utf8');
    expect(page).toMatch(/\n2\. `firebreak ledger fsck [^]*\n3\. `firebreak ledger consistency /);
  });

  test('misses what was published in a folder that keeps a policy of witnesses', async () => {
    await cp(data('good'), data('unpublished'), { recursive: true });
    const witness = formatCosignerKey(cosignerOf('witness.example/one', officer.publicKey));
    const policy = `witness one ${witness} http://127.0.0.1:1/\nquorum one\n`;
    await writeFile(folderAt(data('unpublished')).ledger.policy, policy);
    const { code, stdout } = await attempt('ledger', 'fsck', '--data-dir', data('unpublished'));
    expect(stdout).toContain(
      'damaged  files: published is missing: readers are shown nothing until witnesses cosign again: start the ledger, with its ' +
        'policy, and they are asked\n',
    );
    expect(code).toBe(1);
    await writeFile(folderAt(data('unpublished')).ledger.policy, 'quorum none\n');
    expect(await attempt('ledger', 'fsck', '--data-dir', data('unpublished'))).toMatchObject({ code: 0 });
  });

  test('names a kept policy that cannot be read, and checks the rest', async () => {
    await cp(data('bad'), data('unread policy'), { recursive: true });
    const { policy } = folderAt(data('unread policy')).ledger;
    await writeFile(policy, 'quorum some\n');
    const unread = await attempt('ledger', 'fsck', '--data-dir', data('unread policy'));
    expect(unread.stdout).toContain(
      `damaged  files: the kept policy of witnesses cannot be read: ${policy}: `,
    );
    expect(unread.stdout).toMatch(/byte 5000: .*one bit was flipped/);
    expect(unread).toMatchObject({ code: 1 });
    const other = noteSigner('example.org/other', fastSigner(new Uint8Array(32).fill(9)));
    await writeFile(policy, `log ${noteVerifierKey(other.name, other.publicKey)}\nquorum none\n`);
    const ofOthers = await attempt('ledger', 'fsck', '--data-dir', data('unread policy'));
    expect(ofOthers.stdout).toContain('damaged  files: the kept policy of witnesses is of no use: ');
    expect(ofOthers.stdout).toMatch(/damaged {2}files: store\/\d+\.log, byte 5000/);
    await rm(policy);
    await mkdir(policy);
    const folder = await attempt('ledger', 'fsck', '--data-dir', data('unread policy'));
    expect(folder.stdout).toContain(`cannot be read: ${policy}: it is a folder`);
    expect(folder.stdout).toMatch(/byte 5000: .*one bit was flipped/);
  });

  test('says how a kept policy that cannot be read is put right, where nothing else is wrong', async () => {
    await cp(data('good'), data('only policy'), { recursive: true });
    await writeFile(folderAt(data('only policy')).ledger.policy, 'quorum some\n');
    const { code, stdout, stderr } = await attempt('ledger', 'fsck', '--data-dir', data('only policy'));
    expect(stdout).toMatch(/cannot be read: .*; give it again with ledger run --policy FILE\n/);
    expect(stderr).toContain('Nothing of the log is lost: do what is said above');
    expect(code).toBe(1);
  });

  test('misses the kept policy of a ledger that published, as the ledger does when it starts', async () => {
    await cp(data('good'), data('lost policy'), { recursive: true });
    const { store, policy } = folderAt(data('lost policy')).ledger;
    const exported = await attempt(
      'ledger',
      'export',
      '--data-dir',
      data('lost policy'),
      '--out',
      data('out'),
    );
    expect(exported).toMatchObject({ code: 0 });
    await cp(join(data('out'), 'checkpoint'), join(store, 'published'));
    const check = () => attempt('ledger', 'fsck', '--data-dir', data('lost policy'));
    const { code, stdout, stderr } = await check();
    expect(stdout).toContain(
      `damaged  files: the kept policy of witnesses is missing: ${policy}; give it again with ledger run --policy FILE\n`,
    );
    expect(stderr).toContain('one thing is wrong, and no entry is named. Nothing of the log is lost');
    expect(code).toBe(1);
    const started = await attempt('ledger', 'run', '--data-dir', data('lost policy'));
    expect([started.code, started.stderr]).toEqual([1, expect.stringContaining('is missing') as string]);
    await writeFile(policy, 'quorum none\n'); // was stopped before it removed the file
    expect(await check()).toMatchObject({ code: 0 });
  });

  test('checks a ledger’s folder alone, with the key of the log', async () => {
    const store = folderAt(data('good')).ledger.store;
    const alone = await attempt('ledger', 'fsck', '--ledger', store, '--vkey', vkey);
    expect(alone.code).toBe(0);
    expect(alone.text).toContain('what it says of gateways was not checked: give the --issuer KEY');
    const other = await attempt('ledger', 'fsck', '--ledger', dir, '--vkey', vkey);
    expect(other).toMatchObject({
      code: 1,
      text: expect.stringContaining('there is no ledger in') as string,
    });
  });

  test('names the ledger’s folder to whoever gave the one around it', async () => {
    const around = join(data('good'), 'ledger');
    const { code, text } = await attempt('ledger', 'fsck', '--ledger', around, '--vkey', vkey);
    expect(text).toContain(`${around} is the folder around the ledger’s: --ledger ${join(around, 'store')}`);
    expect(code).toBe(2);
  });

  test('says how it is used', async () => {
    expect((await attempt('ledger', 'fsck')).code).toBe(2);
    expect((await attempt('ledger', 'fsck', '--ledger', dir)).text).toContain('--ledger needs --vkey KEY');
    expect((await attempt('ledger', 'fsck', '--data-dir', dir, '--issuer', '12')).code).toBe(2);
    const help = await runFirebreak('ledger', 'fsck', '--help');
    expect(help).toMatchObject({ code: 0 });
    expect(help.stdout).toContain('Exit codes: 0 clean, 1 damaged');
  });

  test('does not check a ledger that runs', async () => {
    const end = await announce(folderAt(data('good')), 'ledger', {
      mqtt: 'mqtt://127.0.0.1:1',
      http: 'http://127.0.0.1:1',
    });
    const running = await attempt('ledger', 'fsck', '--data-dir', data('good'));
    await end();
    expect(running).toMatchObject({
      code: 1,
      text: expect.stringContaining('is running: stop it') as string,
    });
  });
});
