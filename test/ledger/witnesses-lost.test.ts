/** A ledger that asked witnesses before, and the file of what it published is lost or damaged. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { serveLedgerHttp } from '../../ledger/http/server.js';
import { openLedgerFolder } from '../../ledger/readers/reader-level.js';
import { readPublished } from '../../ledger/witnesses/published-file.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { silentLog } from '../../protocol/log.js';
import { openWitnessedCheckpoint } from '../../protocol/tlog/witness-policy.js';
import { logSigner, ORIGIN, temporaryFolder } from './deployment.js';
import { cosignerNamed } from '../witness/running-witness.js';
import {
  hasPublished,
  NOWHERE,
  policyOf,
  publishedSize,
  says,
  startLedger,
  submit,
  witnessNamed,
} from './witnessed-ledger.js';

test('a ledger that lost what it published shows readers nothing, with words, until witnesses cosign again', async () => {
  const dir = await temporaryFolder();
  const witness = await witnessNamed('a');
  const policy = policyOf(1, [witness]);
  const before = await startLedger(dir, policy);
  await submit(before, 0, 5);
  await hasPublished(before, 5);
  await before.close();
  await witness.stop();
  await rm(join(dir, 'published'));

  const after = await startLedger(dir, policy, { wasWitnessed: true });
  const http = await serveLedgerHttp({ reader: after.reader(), port: 0, log: silentLog });
  onTestFinished(() => http.close());
  await says(after, 'a', 'cannot be reached');
  const answer = await fetch(`${http.url}/checkpoint`);
  expect([answer.status, await answer.text()]).toEqual([
    503,
    expect.stringContaining('until witnesses cosign'),
  ]);
  expect((await fetch(`${http.url}/tile/0/000.p/5`)).status).toBe(503);
  const lost = after.status().publication;
  expect([lost.size, lost.failure]).toEqual([0, expect.stringContaining('is lost')]);

  await witnessNamed('a', { dir: witness.dir, port: Number(new URL(witness.url).port) });
  const checkpoint = () => fetch(`${http.url}/checkpoint`);
  await expect.poll(async () => (await checkpoint()).status, { timeout: 5_000 }).toBe(200);
  const cosigned = await (await checkpoint()).text();
  expect(openWitnessedCheckpoint(cosigned, logSigner, policy).size).toBe(5);
  expect(after.status().publication).toMatchObject({ size: 5, failure: undefined });
});

test('a stopped ledger that lost what it published is not opened for others to read', async () => {
  const dir = await temporaryFolder();
  const witness = await witnessNamed('a');
  const ledger = await startLedger(dir, policyOf(1, [witness]));
  await submit(ledger, 0, 5);
  await hasPublished(ledger, 5);
  await witness.stop();
  await submit(ledger, 1, 2);
  await ledger.close();
  const identity = { origin: ORIGIN, logPublicKey: logSigner.publicKey };
  const open = () => openLedgerFolder(dir, identity, { wasWitnessed: true });
  const reader = await open();
  expect(openCheckpoint(await reader.checkpoint(), logSigner).size).toBe(5);
  await reader.close();
  await rm(join(dir, 'published'));
  await expect(open()).rejects.toMatchObject({
    code: 'witness',
    message: expect.stringMatching(/published is lost.*start the ledger/) as string,
  });
  await (await openLedgerFolder(dir, identity)).close(); // and was let go
});

test.each([
  ['another letter', (byte: number) => (byte === 65 ? 66 : 65)],
  ['no letter of base64', () => '*'.charCodeAt(0)],
  ['no UTF-8', () => 0xff],
  ['the end of a line', () => 0x0a],
])(
  'a cosignature that was damaged on the disk, with %s in it, is asked for again, though nothing is new',
  async (_, damage) => {
    const dir = await temporaryFolder();
    const witnesses = await Promise.all([witnessNamed('a'), witnessNamed('b')]);
    const policy = policyOf(2, witnesses);
    const before = await startLedger(dir, policy);
    await submit(before, 0, 5);
    await hasPublished(before, 5);
    await before.close();
    const file = join(dir, 'published');
    const published = await readFile(file);
    expect(() => openWitnessedCheckpoint(published, logSigner, policy)).not.toThrow();
    const at = published.length - 20;
    published[at] = damage(published[at] ?? 0);
    await writeFile(file, published);
    expect(() => openWitnessedCheckpoint(published, logSigner, policy)).toThrow();

    const identity = { origin: ORIGIN, logPublicKey: logSigner.publicKey };
    const reader = await openLedgerFolder(dir, identity, { wasWitnessed: true });
    expect(openCheckpoint(await reader.checkpoint(), logSigner).size).toBe(5);
    await reader.close();

    const after = await startLedger(dir, policy, { wasWitnessed: true });
    const shown = async () => {
      const note = await after.reader().checkpoint();
      try {
        return openWitnessedCheckpoint(note, logSigner, policy).size;
      } catch (error) {
        return (error as Error).message;
      }
    };
    await expect.poll(shown, { timeout: 5_000 }).toBe(5);
    await after.close();
    expect(openWitnessedCheckpoint(await readFile(file), logSigner, policy).size).toBe(5);
  },
);

test('a damaged cosignature costs readers no others, though the log went on and the quorum is away', async () => {
  const dir = await temporaryFolder();
  const witnesses = await Promise.all([witnessNamed('a'), witnessNamed('b')]);
  const before = await startLedger(dir, policyOf(2, witnesses));
  await submit(before, 0, 5);
  await hasPublished(before, 5);
  for (const witness of witnesses) await witness.stop();
  await submit(before, 1, 2);
  await before.close();
  const file = join(dir, 'published');
  const published = await readFile(file);
  const at = published.length - 20;
  published[at] = published[at] === 65 ? 66 : 65;
  await writeFile(file, published);
  const oneOfTwo = policyOf(1, witnesses);
  expect(() => openWitnessedCheckpoint(published, logSigner, oneOfTwo)).toThrow('is not valid');

  const after = await startLedger(dir, policyOf(2, witnesses), { wasWitnessed: true });
  const shown = await after.reader().checkpoint();
  expect(openWitnessedCheckpoint(shown, logSigner, oneOfTwo).size).toBe(5);
  expect(after.status().size).toBe(7);
  expect(await readFile(file, 'utf8')).toBe(shown);
});

test('a file of what was published that is of no use is named, with what to do, and the ledger goes on without it', async () => {
  const dir = await temporaryFolder();
  const witness = await witnessNamed('a');
  const policy = policyOf(1, [witness]);
  const before = await startLedger(dir, policy);
  await submit(before, 0, 5);
  await hasPublished(before, 5);
  await before.close();
  const file = join(dir, 'published');
  const published = await readFile(file);
  published[2] = 0xff;
  await writeFile(file, published);
  await expect(startLedger(dir, policy, { wasWitnessed: true })).rejects.toMatchObject({
    code: 'damaged',
    message:
      `${file} is not a checkpoint of this log. Nothing of the log is lost by that: with the policy of the ledger kept, ` +
      'remove this file, and readers are shown nothing until witnesses cosign again',
  });
  await rm(file);
  const after = await startLedger(dir, policy, { wasWitnessed: true });
  await expect.poll(() => after.status().publication.size, { timeout: 5_000 }).toBe(5);
});

test('witnesses must cosign also where the kept policy is lost and what was published is damaged, once it was given again', async () => {
  const dir = await temporaryFolder();
  const policy = policyOf(1, [{ name: 'a', cosigner: cosignerNamed('a'), url: NOWHERE }]);
  const before = await startLedger(dir);
  await submit(before, 0, 5);
  await before.close();
  const witnessed = await startLedger(dir, policy);
  await submit(witnessed, 1, 2);
  expect(await publishedSize(witnessed)).toBe(5);
  await witnessed.close();
  const file = join(dir, 'published');
  const published = await readFile(file);
  published[2] = 0xff;
  await writeFile(file, published);

  await expect(startLedger(dir)).rejects.toMatchObject({
    code: 'input',
    message: expect.stringMatching(/the policy .* is missing/) as string,
  });
  let wasWitnessed = false; // as the kept policy says
  const keepPolicy = async () => void (wasWitnessed = true);
  await expect(startLedger(dir, policy, { keepPolicy, wasWitnessed })).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringContaining('with the policy of the ledger kept, remove this file') as string,
  });
  await rm(file); // as told
  const after = await startLedger(dir, policy, { wasWitnessed });
  expect(after.status().publication.size).toBe(0);
});

test('a file of what was published that cannot be read is not taken for one that is missing, and it is said why', async () => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'published'));
  const held = { size: 0, reader: { tile: async () => new Uint8Array() }, verifier: logSigner };
  await expect(readPublished(dir, held)).rejects.toMatchObject({
    code: 'permission',
    message: expect.stringContaining('published cannot be read: it is a folder (EISDIR') as string,
  });
});
