/** The ledger's folder put back from a copy, where witnesses cosign: what one of them saw is held against it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { createDeployment, signerFrom } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { openLedger } from '../../ledger/ledger.js';
import { readNote, noteSigner } from '../../protocol/tlog/note.js';
import { parsePolicy } from '../../protocol/tlog/policy-file.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../ledger/deployment.js';
import { NOWHERE, TIMING } from '../ledger/witnessed-ledger.js';
import { startFirebreak, until } from './firebreak-process.js';
import { attempt } from './in-process.js';

let dir: string;
let vkey: string;
const inDir = (name: string) => join(dir, name);
const origin = () => vkey.split('+')[0] ?? '';

async function keyOf(witness: string): Promise<string> {
  await attempt('witness', 'init', inDir(witness), '--name', `${witness}.example/witness`);
  await attempt('witness', 'trust', inDir(witness), '--log', vkey);
  const { text } = await attempt('witness', 'show', inDir(witness));
  return /public key (\S+)/.exec(text)?.[1] ?? '';
}

/** Two witnesses must cosign, and one of them can be reached: it cosigns five entries, which readers are not shown. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-copy-'));
  const folder = folderAt(inDir('data'));
  const config = await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  vkey = config.logKey;
  const lines = [`log ${vkey}\n`];
  lines.push(`witness away ${await keyOf('away')} ${NOWHERE}\n`);
  const key = await keyOf('there');
  const witness = startFirebreak(['witness', 'run', inDir('there'), '--port', '0']);
  try {
    await witness.says('the witness is up');
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(witness.stderr())?.[0] ?? '';
    lines.push(`witness there ${key} ${url}\n`, 'group all 2 away there\n', 'quorum all\n');
    await writeFile(inDir('two.policy'), lines.join(''));
    const logSigner = noteSigner(config.origin, await signerFrom(folder.ledger.logKey));
    const policy = parsePolicy(lines.join(''));
    const deps = ledgerDeps(folder.ledger.store, { logSigner, policy, publicationTiming: TIMING });
    const ledger = await openLedger(deps);
    const items = Array.from({ length: 5 }, (_, i) => noticeItem(`${i}`));
    await ledger.submit(batchOf(officer, 0, items));
    await until(
      'one to cosign',
      async () =>
        ledger.status().publication.witnesses.some(({ cosignedSize }) => cosignedSize === 5) || undefined,
    ).finally(() => ledger.close());
  } finally {
    await witness.kill();
  }
  return () => rm(dir, { recursive: true, force: true });
});

test('a witness writes out the checkpoint that it cosigned last, and a good folder is shown to continue it', async () => {
  const shown = await attempt('witness', 'show', inDir('there'), '--checkpoint', origin());
  expect([shown.code, shown.stderr]).toEqual([0, '']);
  const { text, signatures } = readNote(shown.stdout);
  expect(text).toMatch(new RegExp(`^${origin()}\n5\n`));
  expect(signatures.map(({ name }) => name)).toEqual([origin(), 'there.example/witness']);
  await writeFile(inDir('saved'), shown.stdout);

  const held = ['ledger', 'consistency', '--data-dir', inDir('data'), '--old', inDir('saved')];
  const whole = await attempt(...held);
  expect([whole.code, whole.stderr]).toEqual([0, '']);
  const cosigned = await attempt(...held, '--policy', inDir('two.policy'));
  expect([cosigned.code, cosigned.text]).toEqual([1, expect.stringContaining('missing away, there')]);
  await writeFile(inDir('none.policy'), 'quorum none\n');
  expect(await attempt(...held, '--policy', inDir('none.policy'))).toMatchObject({ code: 0 });
  const { size } = await verified();
  expect(size).toBe('0'); // readers are shown what two cosigned, and nothing beyond
  expect(await readFile(inDir('saved'), 'utf8')).toBe(shown.stdout);
});

async function verified() {
  const { text } = await attempt('ledger', 'verify', '--data-dir', inDir('data'));
  return { size: /(\d+) entr/.exec(text)?.[1] };
}

test('a witness that has no such checkpoint says so', async () => {
  const nothing = await attempt('witness', 'show', inDir('away'), '--checkpoint', origin());
  expect([nothing.code, nothing.stdout]).toEqual([1, '']);
  expect(nothing.stderr).toContain(`nothing of ${origin()} was cosigned yet`);
  const other = await attempt('witness', 'show', inDir('there'), '--checkpoint', 'other.example');
  expect([other.code, other.stdout]).toEqual([1, '']);
  expect(other.stderr).toContain('other.example is not a log that this witness trusts');
});
