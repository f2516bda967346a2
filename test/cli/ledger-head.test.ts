/** `firebreak ledger head`: a lost head file is made again on a person's word, and only a lost one. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { createDeployment, signerFrom } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { openLedger } from '../../ledger/ledger.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../ledger/deployment.js';
import { attempt } from './in-process.js';

let folder: DataFolder;
let headPath: string;
/** Of two entries. */
let saved: string;
const ledger = (...words: readonly string[]) =>
  attempt('ledger', words[0] ?? '', '--data-dir', folder.dir, ...words.slice(1));

beforeEach(async () => {
  folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-head-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  const config = await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  headPath = join(folder.ledger.store, 'head');
  const logSigner = noteSigner(config.origin, await signerFrom(folder.ledger.logKey));
  const running = await openLedger(ledgerDeps(folder.ledger.store, { logSigner }));
  await running.submit(batchOf(officer, 0, [noticeItem('a'), noticeItem('b')]));
  saved = join(folder.dir, 'saved');
  await writeFile(saved, await running.reader().checkpoint());
  await running.submit(batchOf(officer, 1, [noticeItem('c')]));
  await running.close();
});

it('makes it again, and the log can be compared and is clean', async () => {
  await rm(headPath);
  expect(await ledger('consistency', '--old', saved)).toMatchObject({ code: 1 });
  const asked = await ledger('head');
  expect(asked).toMatchObject({ code: 2, text: expect.stringContaining('docs/ledger-fsck.md') as string });
  const made = await ledger('head', '--yes');
  expect(made).toMatchObject({ code: 0, text: expect.stringContaining('says 3 entries now') as string });
  expect(await ledger('fsck')).toMatchObject({ code: 0 });
  expect(await ledger('consistency', '--old', saved)).toMatchObject({ code: 0 });
});

it('leaves one that is there as it is', async () => {
  const before = await readFile(headPath);
  const refused = await ledger('head', '--yes');
  expect(refused).toMatchObject({
    code: 1,
    text: expect.stringContaining('is there, and says 3 entries') as string,
  });
  expect((await readFile(headPath)).equals(before)).toBe(true);
});
