/** A ledger that begins or ends to ask witnesses, stopped between the policy that it keeps and what it publishes. */
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { openLedgerFolder } from '../../ledger/readers/reader-level.js';
import { openCheckpoint, signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { asTreeSize } from '../../protocol/brands.js';
import { NO_WITNESSES } from '../../protocol/tlog/witness-policy.js';
import { logSigner, ORIGIN, temporaryFolder } from './deployment.js';
import { foundIn } from './fsck-folder.js';
import { NOWHERE, policyOf, publishedSize, startLedger, submit } from './witnessed-ledger.js';
import { cosignerNamed } from '../witness/running-witness.js';

const asksOne = policyOf(1, [{ name: 'a', cosigner: cosignerNamed('a'), url: NOWHERE }]);
const stopped = async () => Promise.reject(new Error('stopped'));

async function unwitnessedFolder(entries: number): Promise<string> {
  const dir = await temporaryFolder();
  const ledger = await startLedger(dir);
  await submit(ledger, 0, entries);
  await ledger.close();
  return dir;
}

async function witnessedFolder(): Promise<string> {
  const dir = await unwitnessedFolder(5);
  const ledger = await startLedger(dir, asksOne);
  await submit(ledger, 1, 2);
  await ledger.close();
  return dir;
}

test('a first policy that was kept, and nothing after it, shows readers what they saw before', async () => {
  const dir = await unwitnessedFolder(5);
  await expect(startLedger(dir, asksOne, { keepPolicy: stopped })).rejects.toThrow('stopped');
  const after = await startLedger(dir, asksOne, { wasWitnessed: true });
  await submit(after, 1, 2);
  expect(await publishedSize(after)).toBe(5);
});

test('a first policy that was kept, and nothing after it, is no damage, and hides nothing that was shown before', async () => {
  const dir = await unwitnessedFolder(5);
  await expect(startLedger(dir, asksOne, { keepPolicy: stopped })).rejects.toThrow('stopped');
  const check = () => fsckLedger({ dir, verifier: logSigner, policy: asksOne, wasWitnessed: true });
  const report = await check();
  expect(foundIn(report)).toEqual([
    'interrupted files published.new will be published when the ledger is started with its policy',
  ]);
  expect(report.findings.damageCount).toBe(0);
  expect(report.counted).toMatchObject({ cosignaturesChecked: true });
  const identity = { origin: logSigner.name, logPublicKey: logSigner.publicKey };
  const reader = await openLedgerFolder(dir, identity, { wasWitnessed: true });
  expect(openCheckpoint(await reader.checkpoint(), logSigner).size).toBe(5);
  await reader.close();
  await access(join(dir, 'published.new')); // neither put it in its place
  const beyond = { origin: ORIGIN, size: asTreeSize(9), root: new Uint8Array(32) };
  await writeFile(join(dir, 'published.new'), signCheckpoint(beyond, logSigner));
  expect(foundIn(await check())).toContain(
    'damage state #5 and those behind it are lost: 9 entries were published',
  );
});

test('a first policy that was not kept leaves a ledger that publishes each commit, and begins anew with the next', async () => {
  const dir = await unwitnessedFolder(5);
  await expect(startLedger(dir, asksOne, { keepPolicy: stopped })).rejects.toThrow('stopped');
  const report = await fsckLedger({ dir, verifier: logSigner, wasWitnessed: false });
  expect(foundIn(report)).toEqual(['leftover files published.new was never put in its place']);
  const without = await startLedger(dir);
  await submit(without, 1, 2);
  expect(await publishedSize(without)).toBe(7);
  await without.close();
  expect(await publishedSize(await startLedger(dir, asksOne))).toBe(7);
});

test('a policy that ends witnessing, kept or not, is nothing until what was published is removed', async () => {
  const dir = await witnessedFolder();
  const ends = startLedger(dir, NO_WITNESSES, { keepPolicy: stopped, wasWitnessed: true });
  await expect(ends).rejects.toThrow('stopped');
  const notKept = await startLedger(dir, asksOne, { wasWitnessed: true });
  expect(await publishedSize(notKept)).toBe(5);
  await notKept.close();
  expect(await publishedSize(await startLedger(dir, NO_WITNESSES))).toBe(7);
  await expect(access(join(dir, 'published'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('what was prepared and is not whole, or was cosigned, is not taken for the first', async () => {
  const dir = await witnessedFolder();
  const note = await readFile(join(dir, 'published'), 'utf8');
  await rm(join(dir, 'published'));
  for (const left of [note.slice(0, -9), `${note}— b AAAAAAAA\n`]) {
    await writeFile(join(dir, 'published.new'), left);
    const ledger = await startLedger(dir, asksOne, { wasWitnessed: true });
    expect(ledger.status().publication).toMatchObject({ size: 0 });
    await ledger.close();
  }
});
