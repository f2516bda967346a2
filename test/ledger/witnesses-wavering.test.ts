/** A witness that cosigns now and then, or a disk that takes nothing: what the log of the ledger says of it is bounded. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog, type LogFields } from '../../protocol/log.js';
import { temporaryFolder } from './deployment.js';
import { hasPublished, policyOf, servedBy, startLedger, submit, witnessNamed } from './witnessed-ledger.js';

const COMMITS = 60;

test('a witness that wavers does not fill the log of the ledger, nor keep lines about another from it', async () => {
  const said: string[] = [];
  const say = (message: string, fields?: LogFields) => {
    const about = fields?.['witness'];
    said.push(typeof about === 'string' ? `${about}: ${message}` : message);
  };
  const log = { ...silentLog, info: say, warn: say };
  const real = await Promise.all([witnessNamed('a'), witnessNamed('b')]);
  const fails = { a: true, b: false };
  const urlOf = (name: 'a' | 'b', post: (body: Uint8Array) => Promise<Response>, wavers: boolean) =>
    servedBy(async (body) => {
      const isFailing = fails[name];
      if (wavers) fails[name] = !isFailing;
      return isFailing ? new Response('', { status: 502 }) : post(body);
    });
  const [a, b] = real;
  if (!a || !b) throw new Error('two were started');
  const witnesses = [
    { ...a, url: await urlOf('a', a.post, true) },
    { ...b, url: await urlOf('b', b.post, false) },
  ];
  const ledger = await startLedger(await temporaryFolder(), policyOf(2, witnesses), { log });
  for (let seq = 0; seq < COMMITS; seq++) {
    await submit(ledger, seq);
    await hasPublished(ledger, seq + 1);
  }
  fails.b = true;
  await submit(ledger, COMMITS);
  await expect.poll(() => said).toContain('b: a witness does not cosign');
  fails.b = false;
  await hasPublished(ledger, COMMITS + 1);
  expect(said).toContain('b: a witness cosigns again');
  for (const kind of ['a: a witness does not cosign', 'a: a witness cosigns again']) {
    const lines = said.filter((line) => line === kind).length;
    expect(lines).toBeGreaterThanOrEqual(8);
    expect(lines).toBeLessThanOrEqual(8 + Math.log2(COMMITS));
  }
  expect(said).not.toContain('lines were left out');
  await ledger.close();
  expect(said).toContain('lines were left out');
});

test('a cosigned checkpoint that cannot be written does not fill the log of the ledger', async () => {
  const lines: { readonly message: string; readonly leftOut: number }[] = [];
  const error = (message: string, { leftOut = 0 }: LogFields = {}) =>
    void lines.push({ message, leftOut: Number(leftOut) });
  const dir = await temporaryFolder();
  const policy = policyOf(1, [await witnessNamed('a')]);
  const ledger = await startLedger(dir, policy, { log: { ...silentLog, error } });
  await mkdir(join(dir, 'published.new')); // in the way of what is written
  for (let seq = 0; seq < COMMITS; seq++) {
    await submit(ledger, seq);
    await expect
      .poll(() => ledger.status().publication.witnesses[0]?.cosignedSize, { timeout: 10_000, interval: 5 })
      .toBe(seq + 1);
  }
  await ledger.close();
  const told = lines.filter(({ message }) => message === 'a cosigned checkpoint cannot be published');
  const failed = told.length + lines.reduce((sum, { leftOut }) => sum + leftOut, 0);
  expect(failed).toBeGreaterThanOrEqual(COMMITS);
  expect(told.length).toBeLessThanOrEqual(8 + Math.log2(failed));
});
