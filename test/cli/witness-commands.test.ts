/** `firebreak witness …` and the policies of ledger and readers, as people run them: each party a process of its own. */
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeployment, signerFrom } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { openLedger } from '../../ledger/ledger.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../ledger/deployment.js';
import { runFirebreak, startFirebreak, until, type FirebreakProcess } from './firebreak-process.js';
import { attempt } from './in-process.js';

const NAMES = ['hospital', 'ombudsman', 'press'] as const;
let dir: string;
let vkey: string;
const running: FirebreakProcess[] = [];
const inDir = (...names: string[]) => join(dir, ...names);

function start(...args: readonly string[]): FirebreakProcess {
  const process = startFirebreak(args);
  running.push(process);
  return process;
}

/** Waits for its address. */
async function urlOf(witness: FirebreakProcess): Promise<string> {
  await witness.says('the witness is up');
  return /http:\/\/127\.0\.0\.1:\d+/.exec(witness.stderr())?.[0] ?? '';
}

async function keyOf(name: string): Promise<string> {
  const { text } = await attempt('witness', 'show', inDir(name));
  return /public key (\S+)/.exec(text)?.[1] ?? '';
}

/** A policy of all three; those without an address are not running. */
async function writePolicy(file: string, k: number, urls: readonly string[]): Promise<string> {
  const witnesses: string[] = [];
  for (const [i, name] of NAMES.entries())
    witnesses.push(`witness ${name} ${await keyOf(name)} ${urls[i] ?? 'http://127.0.0.1:9'}\n`);
  await writeFile(
    inDir(file),
    `log ${vkey}\n${witnesses.join('')}group all ${k} ${NAMES.join(' ')}\nquorum all\n`,
  );
  return inDir(file);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-witness-cli-'));
  const folder = folderAt(inDir('data'));
  const config = await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  vkey = config.logKey;
  const logSigner = noteSigner(config.origin, await signerFrom(folder.ledger.logKey));
  const ledger = await openLedger(ledgerDeps(folder.ledger.store, { logSigner }));
  await writeFile(inDir('empty.checkpoint'), await ledger.reader().checkpoint());
  const items = Array.from({ length: 40 }, (_, i) => noticeItem(`${i}`));
  await ledger.submit(batchOf(officer, 0, items));
  await ledger.close();
  for (const name of NAMES) {
    await attempt('witness', 'init', inDir(name), '--name', `${name}.example/witness`);
    await attempt('witness', 'trust', inDir(name), '--log', vkey);
  }
});

afterAll(async () => {
  for (const process of running) await process.kill();
  await rm(dir, { recursive: true, force: true });
});

describe('firebreak witness', () => {
  test('makes a witness with a private key, once', async () => {
    const made = await attempt('witness', 'init', inDir('new'), '--name', 'new.example');
    expect(made).toMatchObject({ code: 0 });
    expect(made.text).toMatch(/public key.*: new\.example\+[0-9a-f]{8}\+B/);
    expect((await stat(inDir('new', 'witness.key'))).mode & 0o077).toBe(0);
    const again = await attempt('witness', 'init', inDir('new'), '--name', 'new.example');
    expect(again).toMatchObject({ code: 1 });
    expect(again.text).toContain('not empty');
    const none = await attempt('witness', 'run', inDir('new'), '--port', '0');
    expect(none).toMatchObject({ code: 1 });
    expect(none.text).toContain('trusts no log yet: firebreak witness trust');
  });

  test('trusts a log by its key, once', async () => {
    const again = await attempt('witness', 'trust', inDir('press'), '--log', vkey);
    expect(again).toMatchObject({ code: 0 });
    expect(again.text).toContain('trusted already');
    expect(await attempt('witness', 'trust', inDir('press'), '--log', await keyOf('press'))).toMatchObject({
      code: 2,
    });
    expect((await attempt('witness', 'show', inDir('press'))).text).toContain('nothing cosigned yet');
  });

  test.each([
    [['init', 'DIR/x'], 2, '--name'],
    [['init', 'DIR/x', '--name', 'a b'], 2, 'white space'],
    [['trust', 'DIR/press', '--log', 'abc'], 2, 'ledger vkey'],
    [['run', 'DIR/press'], 2, '--port'],
    [['run', 'DIR/press', '--port', '70000'], 2, '65535'],
    [['run', 'DIR/data', '--port', '0'], 1, 'firebreak witness init'],
    [['show', 'DIR/nowhere'], 1, 'not the folder of a witness'],
  ])('says what is wrong with %j', async (args, code, words) => {
    const tried = await attempt('witness', ...args.map((arg) => arg.replace('DIR', dir)));
    expect(tried.code).toBe(code);
    expect(tried.text).toContain(words);
  });

  test('does not start where its state is gone', async () => {
    await attempt('witness', 'init', inDir('lost'), '--name', 'lost.example');
    await attempt('witness', 'trust', inDir('lost'), '--log', vkey);
    await rm(inDir('lost', 'state'), { recursive: true });
    for (const state of ['none', 'an empty one']) {
      const { code, text } = await attempt('witness', 'run', inDir('lost'), '--port', '0');
      expect([state, code]).toEqual([state, 1]);
      expect(text).toMatch(/no state of a witness|is lost/);
      await attempt('witness', 'trust', inDir('lost'), '--log', vkey); // does not begin it anew
      await mkdir(inDir('lost', 'state'), { recursive: true });
    }
  });
});

describe('a deployment with witnesses', () => {
  test('publishes what two of three cosigned, and readers who ask for more are told who is missing', async () => {
    const [hospital, ombudsman] = NAMES.map((name) =>
      name === 'press' ? undefined : start('witness', 'run', inDir(name), '--port', '0'),
    );
    if (!hospital || !ombudsman) throw new Error('two were started');
    const urls = [await urlOf(hospital), await urlOf(ombudsman)];
    const two = await writePolicy('two.policy', 2, urls);
    const three = await writePolicy('three.policy', 3, urls);

    const second = await runFirebreak('witness', 'run', inDir('hospital'), '--port', '0');
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toContain('another witness runs');

    const ledger = start('ledger', 'run', '--data-dir', inDir('data'), '--policy', two);
    await ledger.says('the ledger is up');
    const status = await until('both to have cosigned', async () => {
      const { text } = await attempt('ledger', 'status', '--data-dir', inDir('data'));
      return (
        (text.match(/cosigned 40 entries/g)?.length === 2 && text.includes('cannot be reached') && text) ||
        undefined
      );
    });
    expect(status).toContain('must cosign: 2 of hospital, ombudsman, press');
    expect(status).toMatch(/press has not cosigned.*cannot be reached/);

    const onFolder = ['--data-dir', inDir('data')];
    expect(await attempt('ledger', 'verify', ...onFolder, '--policy', two)).toMatchObject({ code: 0 });
    const proof = inDir('7.tlog-proof');
    expect(await attempt('ledger', 'prove', ...onFolder, '--index', '7', '--out', proof)).toMatchObject({
      code: 0,
    });
    const checked = await attempt('ledger', 'check-proof', proof, '--vkey', vkey, '--policy', two);
    expect(checked.text).toMatch(/cosigned by hospital 20\S+Z, ombudsman 20\S+Z$/m);
    const old = ['--old', inDir('empty.checkpoint')];
    expect(await attempt('ledger', 'consistency', ...onFolder, ...old, '--policy', two)).toMatchObject({
      code: 0,
    });
    expect(await attempt('ledger', 'export', ...onFolder, '--out', inDir('export'))).toMatchObject({
      code: 0,
    });

    const refused = [
      ['ledger', 'verify', ...onFolder],
      ['ledger', 'verify', '--export', inDir('export'), '--vkey', vkey],
      ['ledger', 'check-proof', proof, '--vkey', vkey],
      ['ledger', 'consistency', ...onFolder, ...old],
      ['tracer', 'run', ...onFolder],
      ['trace', ...onFolder, '--case', '1'],
    ];
    for (const command of refused) {
      const { code, text } = await attempt(...command, '--policy', three);
      expect([command[1], code]).toEqual([command[1], 1]);
      expect(text).toContain('(3 of hospital, ombudsman, press): missing press');
    }

    for (const process of [hospital, ombudsman, ledger]) process.child.kill('SIGTERM');
    for (const process of [hospital, ombudsman, ledger])
      expect(await process.ended).toEqual({ code: 0, signal: null });
    expect(hospital.stderr()).toContain('stopping');
    const { text: whole } = await attempt('ledger', 'verify', ...onFolder, '--policy', two);
    const [, root] = /root ([0-9a-f]{64})/.exec(whole) ?? [];
    const { text: cosigned } = await attempt('witness', 'show', inDir('hospital'));
    expect(cosigned).toContain(`40 entries with the root ${root}`); // to be compared by eye

    // the ledger keeps its policy, and the published checkpoint, without being told again
    const again = start('ledger', 'run', '--data-dir', inDir('data'));
    await again.says('2 of hospital, ombudsman, press');
    expect(await attempt('ledger', 'verify', ...onFolder, '--policy', two)).toMatchObject({ code: 0 });
    again.child.kill('SIGINT');
    expect(await again.ended).toEqual({ code: 0, signal: null });
    expect(await readFile(inDir('data', 'ledger', 'policy'), 'utf8')).toBe(await readFile(two, 'utf8'));

    // what was published got lost, and its witnesses are away
    const published = join(folderAt(inDir('data')).ledger.store, 'published');
    await rename(published, inDir('published'));
    const lost = start('ledger', 'run', ...onFolder);
    await lost.says('the ledger is up');
    const nothing = await attempt('ledger', 'verify', ...onFolder, '--policy', two);
    expect([nothing.code, nothing.text]).toEqual([1, expect.stringContaining('until witnesses cosign')]);
    lost.child.kill('SIGINT');
    expect(await lost.ended).toEqual({ code: 0, signal: null });
    const exported = await attempt('ledger', 'export', ...onFolder, '--out', inDir('lost-export'));
    expect([exported.code, exported.text]).toEqual([1, expect.stringContaining('published is lost')]);
    expect(await attempt('ledger', 'verify', ...onFolder)).toMatchObject({ code: 0 });
    await rename(inDir('published'), published);

    await rm(inDir('data', 'ledger', 'policy'));
    const without = await attempt('ledger', 'run', ...onFolder);
    expect(without).toMatchObject({ code: 1 });
    expect(without.text).toContain('start it with --policy FILE');
  });

  test('ends, and lets go of the ledger, when the folder cannot keep the policy', async () => {
    const data = inDir('full');
    const folder = folderAt(data);
    await createDeployment(folder, { settings: DEFAULT_SETTINGS });
    await mkdir(join(folder.ledger.policy, 'in the way'), { recursive: true });
    const policy = inDir('full.policy');
    await writeFile(policy, `witness w ${await keyOf('press')} http://127.0.0.1:9\nquorum w\n`);
    const { code, text } = await attempt('ledger', 'run', '--data-dir', data, '--policy', policy);
    expect([code, text]).toEqual([1, expect.stringContaining('policy cannot be written')]);
    expect(await attempt('ledger', 'verify', '--data-dir', data)).toMatchObject({ code: 0 });
  });

  test.each([
    ['no such file', undefined, 'there is no file'],
    ['a file that is none', 'hello\n', 'line 1 of the policy: it must begin with'],
    ['another log', 'log other.example+0+0\nquorum none\n', 'line 1'],
  ])('refuses a policy that is %s', async (_, content, words) => {
    const file = inDir('bad.policy');
    await rm(file, { force: true });
    if (content !== undefined) await writeFile(file, content);
    for (const command of [
      ['ledger', 'verify'],
      ['ledger', 'run'],
      ['tracer', 'run'],
      ['trace', '--case', '1'],
    ]) {
      const { code, text } = await attempt(...command, '--data-dir', inDir('data'), '--policy', file);
      expect(code).toBe(1);
      expect(text).toContain(words);
    }
  });
});
