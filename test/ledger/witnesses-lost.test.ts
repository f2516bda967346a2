/** A ledger that asked witnesses before and has lost the file of what it published. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { serveLedgerHttp } from '../../ledger/http.js';
import { silentLog } from '../../protocol/log.js';
import { openWitnessedCheckpoint } from '../../protocol/witness-policy.js';
import { logSigner, temporaryFolder } from './deployment.js';
import { hasPublished, policyOf, says, startLedger, submit, witnessNamed } from './witnessed-ledger.js';

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
