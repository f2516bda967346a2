/** `ledger run --policy` on a folder that cannot keep the policy: it is left as it was. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createDeployment, signerFrom } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { openLedger } from '../../ledger/ledger.js';
import { formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { parsePolicy } from '../../protocol/tlog/policy-file.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../ledger/deployment.js';
import { NOWHERE } from '../ledger/witnessed-ledger.js';
import { cosignerNamed } from '../witness/running-witness.js';
import { startFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';

const ASKS_ONE = `witness one ${formatCosignerKey(cosignerNamed('one'))} ${NOWHERE}\nquorum one\n`;

/** A folder with one entry; with a policy, one that published under it and keeps it. */
async function ledgerFolder(policy?: string) {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-kept-policy-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const folder = folderAt(join(dir, 'data'));
  const config = await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  const logSigner = noteSigner(config.origin, await signerFrom(folder.ledger.logKey));
  const asked = policy === undefined ? {} : { policy: parsePolicy(policy) };
  const ledger = await openLedger(ledgerDeps(folder.ledger.store, { logSigner, ...asked }));
  await ledger.submit(batchOf(officer, 0, [noticeItem('one')]));
  await ledger.close();
  if (policy !== undefined) await writeFile(folder.ledger.policy, policy);
  const named = join(dir, 'named.policy');
  const runWith = async (content: string) => {
    await writeFile(named, content);
    return attempt('ledger', 'run', '--data-dir', folder.dir, '--policy', named);
  };
  const published = join(folder.ledger.store, 'published');
  return { folder, published, runWith };
}

/** What is in the way of the file that is written beside the kept policy, by this process. */
const inTheWay = (policy: string): string => `${policy}.${process.pid}.tmp`;

async function startsWithoutOption(dataDir: string, words: string): Promise<void> {
  const ledger = startFirebreak(['ledger', 'run', '--data-dir', dataDir]);
  try {
    await ledger.says('the ledger is up');
    expect(ledger.stderr()).toContain(words);
  } finally {
    await ledger.kill();
  }
}

test('what was published stays when a policy that ends it could not be kept', async () => {
  const { folder, published, runWith } = await ledgerFolder(ASKS_ONE);
  const before = await readFile(published);
  await mkdir(inTheWay(folder.ledger.policy));
  const { code, text } = await runWith('quorum none\n');
  expect([code, text]).toEqual([1, expect.stringContaining('policy cannot be written')]);
  expect(await readFile(published)).toEqual(before);
  expect(await readFile(folder.ledger.policy, 'utf8')).toBe(ASKS_ONE);
  await startsWithoutOption(folder.dir, 'one');
});

test('a ledger without witnesses goes on without them when the first policy could not be kept', async () => {
  const { folder, published, runWith } = await ledgerFolder();
  await mkdir(inTheWay(folder.ledger.policy));
  const { code, text } = await runWith(ASKS_ONE);
  expect([code, text]).toEqual([1, expect.stringContaining('policy cannot be written')]);
  await expect(readFile(published)).rejects.toMatchObject({ code: 'ENOENT' });
  await startsWithoutOption(folder.dir, 'the ledger is up');
});
