/** `firebreak ledger prove`, `check-proof` and `consistency`, as people and scripts run them. */
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDeployment, signerFrom } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { openLedger } from '../../ledger/ledger.js';
import { toHex } from '../../protocol/bytes.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { cosign, formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { noteSigner, readNote } from '../../protocol/tlog/note.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { decodeTlogProof } from '../../protocol/tlog/tlog-proof.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../ledger/deployment.js';
import { cosignerNamed } from '../witness/running-witness.js';
import { runFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';

let dir: string;
let vkey: string;
const inDir = (name: string) => join(dir, name);
const ledger = (command: string, ...args: readonly string[]) => attempt('ledger', command, ...args);
const onFolder = (command: string, ...args: readonly string[]) =>
  ledger(command, '--data-dir', inDir('data'), ...args);
/** By processes of their own: what one wrote is all that the other has. */
const inProcesses = (command: string, ...args: readonly string[]) => runFirebreak('ledger', command, ...args);

/** A folder whose log has 300 entries, and the checkpoint it had at 200. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-prove-'));
  const folder = folderAt(inDir('data'));
  const config = await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  vkey = config.logKey;
  const logSigner = noteSigner(config.origin, await signerFrom(folder.ledger.logKey));
  const store = await openLedger(ledgerDeps(folder.ledger.store, { logSigner }));
  for (const seq of [0, 1, 2]) {
    const items = Array.from({ length: 100 }, (_, i) => noticeItem(`${seq * 100 + i}`));
    await store.submit(batchOf(officer, seq, items));
    if (seq === 1) await writeFile(inDir('checkpoint.200'), await store.reader().checkpoint());
  }
  await store.close();
  return () => rm(dir, { recursive: true, force: true });
});

describe('firebreak ledger', () => {
  test('proves an entry to a file, which checks without the folder', async () => {
    const out = inDir('270.tlog-proof');
    const made = await inProcesses('prove', '--data-dir', inDir('data'), '--index', '270', '--out', out);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('entry 270');
    const checked = await inProcesses('check-proof', out, '--vkey', vkey);
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(checked.stdout).toContain('proved entry 270 is in the log');
    expect(checked.stdout).toContain(toHex(sha256(noticeItem('270').payload)));
    expect((await readdir(dir)).filter((name) => name.endsWith('.tmp'))).toEqual([]);

    await writeFile(inDir('270.entry'), decodeTlogProof(await readFile(out)).extra ?? '');
    expect(await ledger('check-proof', out, '--vkey', vkey, '--entry', inDir('270.entry'))).toMatchObject({
      code: 0,
    });
    await writeFile(inDir('other.entry'), 'other');
    const other = await ledger('check-proof', out, '--vkey', vkey, '--entry', inDir('other.entry'));
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toContain('about another entry');

    const text = await readFile(out, 'utf8');
    await writeFile(out, text.replace('index 270', 'index 271'));
    const forged = await inProcesses('check-proof', out, '--vkey', vkey);
    expect(forged).toMatchObject({ code: 1, stdout: '' });
    expect(forged.stderr).toContain('does not lead to the root');
  });

  test('proves the entry of a payload, under a saved checkpoint, to standard output', async () => {
    const hash = toHex(sha256(noticeItem('17').payload));
    const asked = ['--data-dir', inDir('data'), '--payload', hash, '--checkpoint', inDir('checkpoint.200')];
    const made = await inProcesses('prove', ...asked);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const proof = decodeTlogProof(made.stdout);
    expect(proof.index).toBe(17);
    expect(proof.checkpoint).toBe(await readFile(inDir('checkpoint.200'), 'utf8'));
  });

  test('shows readers with a policy when its witnesses cosigned, in a proof, an export and of what grew', async () => {
    const one = cosignerNamed('one');
    const policy = inDir('one.policy');
    await writeFile(policy, `log ${vkey}\nwitness hospital ${formatCosignerKey(one)}\nquorum hospital\n`);
    const cosignature = (note: string) => cosign(readNote(note).text, one, 1_790_000_000);
    const asked = ['--vkey', vkey, '--policy', policy];
    const line = '  cosigned by hospital 2026-09-21T14:13:20Z\n';

    const file = inDir('cosigned.tlog-proof');
    expect(await onFolder('prove', '--index', '5', '--out', file)).toMatchObject({ code: 0 });
    const { checkpoint: proved } = decodeTlogProof(await readFile(file));
    await appendFile(file, cosignature(proved));
    const checked = await ledger('check-proof', file, ...asked);
    expect([checked.code, checked.text]).toEqual([0, expect.stringContaining(line)]);

    expect(await onFolder('export', '--out', inDir('export'))).toMatchObject({ code: 0 });
    const checkpoint = join(inDir('export'), 'checkpoint');
    await appendFile(checkpoint, cosignature(await readFile(checkpoint, 'utf8')));
    const verified = await ledger('verify', '--export', inDir('export'), ...asked);
    expect([verified.code, verified.text]).toEqual([0, expect.stringContaining(line)]);
    const old = ['--old', inDir('checkpoint.200')];
    const grown = await ledger('consistency', '--export', inDir('export'), ...old, ...asked);
    expect([grown.code, grown.text]).toEqual([0, expect.stringContaining(line)]);
    const without = await ledger('verify', '--export', inDir('export'), '--vkey', vkey);
    expect([without.code, without.text]).toEqual([0, expect.not.stringContaining('cosigned')]);
  });

  test('takes the place of no file, and none in the data folder', async () => {
    const taken = inDir('taken');
    await writeFile(taken, 'what somebody keeps');
    const over = await onFolder('prove', '--index', '5', '--out', taken);
    expect(over).toMatchObject({ code: 1, stdout: '' });
    expect(over.stderr).toContain(`${taken} is there already`);
    expect(await readFile(taken, 'utf8')).toBe('what somebody keeps');
    const kept = folderAt(inDir('data')).config;
    expect((await onFolder('prove', '--index', '5', '--out', `${kept}.proof`)).code).toBe(2);
    const nowhere = await onFolder('prove', '--index', '5', '--out', inDir('gone/5.tlog-proof'));
    expect(nowhere.stderr).toContain(`there is no folder ${inDir('gone')}`);
    expect((await onFolder('prove', '--index', '5', '--out', dir)).stderr).toContain('is a folder');
  });

  test('says what it cannot prove', async () => {
    const late = await onFolder('prove', '--index', '200', '--checkpoint', inDir('checkpoint.200'));
    expect(late).toMatchObject({ code: 1, stdout: '' });
    expect(late.stderr).toContain('the entries 0 to 199');
    const unknown = await onFolder('prove', '--payload', '00'.repeat(32), '--out', inDir('none.tlog-proof'));
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('none of the 300 entries');
    expect(await readdir(dir)).not.toContain('none.tlog-proof');
  });

  test('proves that the log continues an older checkpoint', async () => {
    const grown = await onFolder('consistency', '--old', inDir('checkpoint.200'));
    expect(grown).toMatchObject({ code: 0, stderr: '' });
    expect(grown.stdout).toMatch(/of 300 entries begins with the 200/);
    await writeFile(
      inDir('bent'),
      (await readFile(inDir('checkpoint.200'), 'utf8')).replace('\n200\n', '\n199\n'),
    );
    const bent = await inProcesses('consistency', '--data-dir', inDir('data'), '--old', inDir('bent'));
    expect(bent).toMatchObject({ code: 1, stdout: '' });
    expect(bent.stderr).toContain('signature');
    const key = Buffer.from('— witness.example/one AAAAAAAA\n');
    key[key.indexOf('example')] = 0xff;
    await writeFile(inDir('no-text'), Buffer.concat([await readFile(inDir('checkpoint.200')), key]));
    const noText = await onFolder('consistency', '--old', inDir('no-text'));
    expect(noText).toMatchObject({ code: 1, stdout: '' });
    expect(noText.stderr).toContain('not UTF-8');
  });

  test.each([
    ['no entry is named', () => onFolder('prove'), 'either --index N or --payload HEX'],
    ['two are', () => onFolder('prove', '--index', '1', '--payload', '00'.repeat(32)), 'either'],
    ['- is the file', () => onFolder('prove', '--index', '1', '--out', '-'), 'leave --out away'],
    ['an index is none', () => onFolder('prove', '--index', '-1'), 'whole number'],
    ['a hash is none', () => onFolder('prove', '--payload', 'beef'), '64 hex digits'],
    ['a key is none', () => ledger('check-proof', 'x', '--vkey', 'x'), 'firebreak ledger vkey'],
    ['no older checkpoint is named', () => onFolder('consistency'), '--old'],
  ])('ends with 2 when %s', async (_what, run, words) => {
    const { code, stderr } = await run();
    expect(stderr).toContain(words);
    expect(code).toBe(2);
  });

  test('says that a file is not there, or is not what it should be', async () => {
    const gone = await ledger('check-proof', inDir('gone'), '--vkey', vkey);
    expect(gone).toMatchObject({ code: 1, stderr: `firebreak: there is no file ${inDir('gone')}` });
    const folder = await ledger('check-proof', dir, '--vkey', vkey);
    expect(folder.stderr).toMatch(new RegExp(`^firebreak: cannot read ${dir}: it is a folder`));
    expect(folder.code).toBe(1);
    await writeFile(inDir('huge'), Buffer.alloc(3 << 20));
    expect((await onFolder('consistency', '--old', inDir('huge'))).stderr).toContain('is over');
  });
});
