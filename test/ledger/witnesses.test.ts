/** What a ledger publishes when witnesses must cosign first: real witnesses over real HTTP. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exportLog } from '../../ledger/export/export-log.js';
import { serveLedgerHttp } from '../../ledger/http/server.js';
import { openLedger } from '../../ledger/ledger.js';
import { openLedgerReaderHttp } from '../../ledger/readers/reader-http.js';
import { openLedgerFolder } from '../../ledger/readers/reader-level.js';
import { verifyLog } from '../../ledger/verify/verify.js';
import { TLOG_SIZE_TYPE } from '../../protocol/tlog/add-checkpoint.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import type { FirebreakError } from '../../protocol/errors.js';
import { silentLog } from '../../protocol/log.js';
import { noteVerifierKey } from '../../protocol/tlog/note.js';
import { parsePolicy } from '../../protocol/tlog/policy-file.js';
import { openWitnessedCheckpoint } from '../../protocol/tlog/witness-policy.js';
import { until } from '../cli/firebreak-process.js';
import { cosignerNamed, startWitness } from '../witness/running-witness.js';
import {
  batchOf,
  ledgerDeps,
  logSigner,
  officer,
  openReceipt,
  ORIGIN,
  temporaryFolder,
} from './deployment.js';
import {
  cosignersOf,
  failuresOf,
  hasPublished,
  items,
  NOWHERE,
  policyOf,
  publishedSize,
  says,
  servedBy,
  silentServer,
  startLedger,
  startThree,
  submit,
  TIMING,
  witnessNamed,
} from './witnessed-ledger.js';

describe('a ledger with witnesses', () => {
  test('publishes what they cosigned, while receipts are given at commit', async () => {
    const policy = policyOf(2, await startThree());
    const ledger = await startLedger(await temporaryFolder(), policy);
    let size = 0;
    for (const [seq, count] of [1, 3, 252, 1].entries()) {
      const receipt = await submit(ledger, seq, count);
      size += count;
      expect(
        openCheckpoint(openReceipt(receipt, batchOf(officer, seq, items(seq, count))).checkpoint, logSigner)
          .size,
      ).toBe(size);
      await hasPublished(ledger, size);
      expect(openWitnessedCheckpoint(await ledger.reader().checkpoint(), logSigner, policy).size).toBe(size);
    }
    await until('all three', async () => (await cosignersOf(ledger, policy)).length === 3 || undefined);
    const { publication } = ledger.status();
    expect(publication).toMatchObject({
      size,
      quorum: '2 of hospital, ombudsman, press',
      failure: undefined,
    });
    for (const witness of publication.witnesses)
      expect(witness).toMatchObject({ cosignedSize: size, failure: undefined });
  });

  test('needs k of them: one down is fine, and back again it cosigns again', async () => {
    const [hospital, ombudsman, press] = await startThree();
    const policy = policyOf(
      2,
      [hospital, ombudsman, press].filter((one) => one !== undefined),
    );
    const ledger = await startLedger(await temporaryFolder(), policy);
    await press?.stop();
    await submit(ledger, 0);
    await hasPublished(ledger, 1);
    await says(ledger, 'press', 'cannot be reached');
    expect(failuresOf(ledger)).toMatchObject({ hospital: undefined, ombudsman: undefined });
    const port = Number(new URL(press?.url ?? '').port);
    await witnessNamed('press', { dir: press?.dir ?? '', port });
    await until('press', async () => (await cosignersOf(ledger, policy)).includes('press') || undefined);
    expect(failuresOf(ledger)['press']).toBeUndefined();
    expect(await publishedSize(ledger)).toBe(1);
  });

  test('goes on without any, keeps what it published, and catches up', async () => {
    const witnesses = await startThree();
    const policy = policyOf(2, witnesses);
    const ledger = await startLedger(await temporaryFolder(), policy);
    await submit(ledger, 0, 200);
    await submit(ledger, 1, 100);
    await hasPublished(ledger, 300);
    for (const witness of witnesses) await witness.stop();
    for (const seq of [2, 3, 4]) await submit(ledger, seq, 100);
    await says(ledger, 'hospital', 'cannot be reached');
    expect(ledger.status().size).toBe(600);
    expect(openWitnessedCheckpoint(await ledger.reader().checkpoint(), logSigner, policy).size).toBe(300);

    // what is published can be read whole, and nothing beyond it
    expect((await verifyLog(ledger.reader(), logSigner)).checkpoint.size).toBe(300);
    expect(await ledger.reader().tile(0, 1, 44)).toHaveLength(44 * 32);
    await expect(ledger.reader().tile(0, 1, 45)).rejects.toMatchObject({ code: 'not-found' });
    await expect(ledger.reader().entryBundle(2, 1)).rejects.toMatchObject({ code: 'not-found' });

    for (const { name, dir, url } of witnesses)
      await witnessNamed(name, { dir, port: Number(new URL(url).port) });
    await hasPublished(ledger, 600);
    expect((await verifyLog(ledger.reader(), logSigner)).checkpoint.size).toBe(600);
  });

  test('never takes back what it published: over a restart, for readers of the folder, over HTTP and in exports', async () => {
    const witnesses = await startThree();
    const policy = policyOf(2, witnesses);
    const dir = await temporaryFolder();
    const first = await startLedger(dir, policy);
    await submit(first, 0, 250);
    await submit(first, 1, 10);
    await hasPublished(first, 260);
    for (const witness of witnesses) await witness.stop();
    await submit(first, 2, 10);
    await first.close();
    const note = await readFile(join(dir, 'published'), 'utf8');

    const identity = { origin: ORIGIN, logPublicKey: logSigner.publicKey };
    const folder = await openLedgerFolder(dir, identity);
    expect(await folder.checkpoint()).toBe(note);
    expect((await verifyLog(folder, logSigner)).checkpoint.size).toBe(260);
    await folder.close();

    const second = await startLedger(dir, policy);
    expect(await second.reader().checkpoint()).toBe(note);
    const http = await serveLedgerHttp({ reader: second.reader(), port: 0, log: silentLog });
    onTestFinished(() => http.close());
    const reader = openLedgerReaderHttp({ url: http.url });
    expect(openWitnessedCheckpoint(await reader.checkpoint(), logSigner, policy).size).toBe(260);
    const out = join(dir, 'export');
    expect((await exportLog(reader, out, logSigner)).size).toBe(260);
    expect(await readFile(join(out, 'checkpoint'), 'utf8')).toBe(note);
    expect(second.status().size).toBe(270);
  });

  test('that had none before keeps showing what it showed', async () => {
    const dir = await temporaryFolder();
    const before = await startLedger(dir);
    await submit(before, 0, 5);
    await before.close();
    const down = policyOf(1, [{ name: 'a', cosigner: cosignerNamed('a'), url: NOWHERE }]);
    const after = await startLedger(dir, down);
    await submit(after, 1, 5);
    expect(await publishedSize(after)).toBe(5);
    expect(after.status().publication.size).toBe(5);
    await after.close();
    const none = await startLedger(dir, parsePolicy('quorum none\n'));
    expect(await publishedSize(none)).toBe(10);
    await none.close();
    const again = await startLedger(dir, down);
    expect(await publishedSize(again)).toBe(10);
  });

  test('says of each witness what keeps it from cosigning', async () => {
    const stranger = await startWitness('stranger'); // of another log
    const other = await witnessNamed('other');
    const misnamed = {
      name: 'misnamed',
      cosigner: cosignerNamed('somebody'),
      url: (await witnessNamed('misnamed')).url,
    };
    const slow = await silentServer();
    const policy = policyOf(1, [
      stranger,
      other,
      misnamed,
      { name: 'slow', cosigner: cosignerNamed('slow'), url: slow },
      { name: 'lost', cosigner: cosignerNamed('lost'), url: NOWHERE },
    ]);
    const ledger = await startLedger(await temporaryFolder(), policy, {
      publicationTiming: { ...TIMING, timeoutMs: 100 },
    });
    await submit(ledger, 0);
    await hasPublished(ledger, 1);
    await says(ledger, 'stranger', 'does not know this log');
    await says(ledger, 'misnamed', 'another key than the policy names');
    await says(ledger, 'slow', 'did not answer within 100 ms');
    await says(ledger, 'lost', 'cannot be reached');
    expect(failuresOf(ledger)['other']).toBeUndefined();
  });

  test('asks a witness again that named a size too large', async () => {
    const real = await witnessNamed('hospital');
    let asked = 0;
    const url = await servedBy(async (body) => {
      asked += 1;
      if (asked > 2) return real.post(body);
      return new Response('1000000\n', { status: 409, headers: { 'content-type': TLOG_SIZE_TYPE } });
    });
    const ledger = await startLedger(await temporaryFolder(), policyOf(1, [{ ...real, url }]));
    await submit(ledger, 0, 3);
    await hasPublished(ledger, 3);
    expect(failuresOf(ledger)).toEqual({ hospital: undefined });
  });

  test('refuses a policy it cannot keep', async () => {
    const dir = await temporaryFolder();
    const a = formatCosignerKey(cosignerNamed('a'));
    const codeOf = (text: string) =>
      openLedger(ledgerDeps(dir, { policy: parsePolicy(text) })).then(
        (ledger) => ledger.close(),
        (error: FirebreakError) => error.code,
      );
    expect(await codeOf(`witness a ${a}\nquorum a\n`)).toBe('input');
    expect(await codeOf(`witness a ${a} ftp://a\nquorum a\n`)).toBe('input');
    const other = noteVerifierKey('other.example', logSigner.publicKey);
    expect(await codeOf(`log ${other}\nquorum none\n`)).toBe('foreign');
    expect(await codeOf('quorum none\n')).toBeUndefined();
  });

  test('does not go on without them unless it is told to', async () => {
    const policy = policyOf(1, [await witnessNamed('a')]);
    const dir = await temporaryFolder();
    const ledger = await startLedger(dir, policy);
    await submit(ledger, 0, 5);
    await hasPublished(ledger, 5);
    await ledger.close();
    const note = await readFile(join(dir, 'published'), 'utf8');
    await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(/the policy .* is missing.*--policy.*"quorum none"/) as string,
    });
    expect(await readFile(join(dir, 'published'), 'utf8')).toBe(note);
    await (await startLedger(dir, parsePolicy('quorum none\n'))).close();
    await (await startLedger(dir)).close();
  });

  test('refuses a folder that does not hold what was published', async () => {
    const policy = policyOf(1, [await witnessNamed('a')]);
    const dir = await temporaryFolder();
    const ledger = await startLedger(dir, policy);
    await submit(ledger, 0, 5);
    await hasPublished(ledger, 5);
    await ledger.close();
    const file = join(dir, 'published');
    const note = await readFile(file, 'utf8');
    await writeFile(file, note.replace('\n5\n', '\n6\n'));
    await expect(openLedger(ledgerDeps(dir, { policy }))).rejects.toMatchObject({ code: 'damaged' });
    const elsewhere = await temporaryFolder();
    await (await startLedger(elsewhere)).close();
    await writeFile(join(elsewhere, 'published'), note);
    await expect(openLedger(ledgerDeps(elsewhere, { policy }))).rejects.toMatchObject({ code: 'damaged' });
    await rm(file);
    await (await startLedger(dir, policy)).close();
  });

  test('publishes under load, and the last commit in the end', async () => {
    const policy = policyOf(2, await startThree());
    const ledger = await startLedger(await temporaryFolder(), policy);
    const sizes = new Set<number>();
    let isDone = false;
    const watching = (async () => {
      while (!isDone) {
        sizes.add(
          openWitnessedCheckpoint(await ledger.reader().checkpoint(), logSigner, parsePolicy('quorum none\n'))
            .size,
        );
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    let seq = 0; // until enough was published meanwhile; the test's own time-out ends it
    while (seq < 150 || sizes.size <= 4) await submit(ledger, seq++, 3);
    await hasPublished(ledger, 3 * seq);
    isDone = true;
    await watching;
    expect([...sizes]).toEqual([...sizes].sort((a, b) => a - b));
    expect((await verifyLog(ledger.reader(), logSigner)).checkpoint.size).toBe(3 * seq);
  });

  test('closes at once though a witness does not answer', async () => {
    const policy = policyOf(1, [
      { name: 'slow', cosigner: cosignerNamed('slow'), url: await silentServer() },
    ]);
    const ledger = await startLedger(await temporaryFolder(), policy, {
      publicationTiming: { timeoutMs: 60_000 },
    });
    await submit(ledger, 0);
    await ledger.close();
    expect(failuresOf(ledger)['slow']).toBeUndefined();
  });
});
