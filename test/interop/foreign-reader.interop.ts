/** The log as people run it, read by C2SP software of others: torchwood, Tessera, transparency-dev/merkle. */
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { attempt } from '../cli/in-process.js';
import { cosignerNamed } from '../witness/running-witness.js';
import { exportLogOf, VKEY } from './exported-log.js';
import { buildReader, type Reader } from './go-reader.js';
import { witnessedDeployment, type WitnessedDeployment } from './witnessed-deployment.js';

const OLD_SIZE = 300;
const SIZE = 713;
let workDir: string;
let reader: Reader;
let deployment: WitnessedDeployment;
let url: string;
let exported: string;
let older: string;
const firebreak = (command: string, ...args: string[]) =>
  attempt('ledger', command, '--data-dir', deployment.dataDir, ...args);

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'firebreak-interop-'));
  reader = await buildReader(workDir);
  deployment = await witnessedDeployment();
  older = join(workDir, 'older.checkpoint');
  exported = join(workDir, 'export');
  await deployment.append(OLD_SIZE);
  const before = await deployment.runLedger(OLD_SIZE);
  await writeFile(older, await fetch(`${before}/checkpoint`).then((answer) => answer.text()));
  await deployment.stopLedger();
  await deployment.append(SIZE);
  url = await deployment.runLedger(SIZE);
  const { code, text } = await firebreak('export', '--out', exported);
  if (code !== 0) throw new Error(text);
});

afterAll(async () => {
  await deployment.close();
  await rm(workDir, { recursive: true, force: true });
});

const whole = (size: number, more = '') =>
  new RegExp(`^ok \\S+: ${size} entries, root \\S{44}, signed by .*, \\d+ proofs${more}$`);

describe('a log that litewitness and a witness of ours cosigned', () => {
  it('is read whole from the ledger over HTTP, under our policy file', async () => {
    const { said } = await reader.read(url, deployment.policy);
    expect(said).toMatch(whole(SIZE));
    expect(said).toContain('litewitness.example/w1 ombudsman.example/witness,');
  });

  it('is read whole from an exported folder, and continues a checkpoint that was saved before', async () => {
    const { said } = await reader.read(exported, deployment.policy, older);
    expect(said).toMatch(whole(SIZE, `, continues ${OLD_SIZE}`));
  });

  it('is not accepted by who asks for one witness more', async () => {
    const policy = join(workDir, 'three.policy');
    const third = formatCosignerKey(cosignerNamed('third'));
    const lines = (await readFile(deployment.policy, 'utf8')).replace(
      'group both all theirs ours',
      `witness third ${third}\ngroup both all theirs ours third`,
    );
    await writeFile(policy, lines);
    for (const where of [url, exported])
      expect((await reader.read(where, policy)).said).toMatch(/^not ok: checkpoint: .*policy components/);
    expect((await firebreak('verify', '--policy', policy)).text).toContain('missing third');
  });

  it.each([0, 255, 256, 512, 650, SIZE - 1])(
    'has a proof of entry %i that each takes from the other',
    async (index) => {
      const file = join(workDir, `${index}.tlog-proof`);
      await firebreak('prove', '--index', String(index), '--out', file);
      expect((await reader.checkProof(file, deployment.policy)).said).toMatch(/^ok leaf /);

      const theirs = await reader.prove(url, deployment.policy, index);
      expect(theirs).toBe(await readFile(file, 'utf8'));
      const keyed = ['--vkey', deployment.vkey, '--policy', deployment.policy];
      const { code, text } = await attempt('ledger', 'check-proof', file, ...keyed);
      expect([code, text]).toEqual([0, expect.stringMatching(/cosigned by theirs \S+Z, ours \S+Z$/m)]);
    },
  );

  it('has proofs that are refused with a cosignature, a hash or the entry changed', async () => {
    const file = join(workDir, 'whole.tlog-proof');
    await firebreak('prove', '--index', '300', '--out', file);
    const lines = (await readFile(file, 'utf8')).split('\n');
    const ends = [/^— litewitness/, /^— ombudsman/, /^extra /].map((start) =>
      lines.findIndex((line) => start.test(line)),
    );
    for (const at of [...ends, 3, 5]) {
      const line = lines[at] ?? '';
      const middle = line.length - 20;
      const other = line[middle] === 'A' ? 'B' : 'A';
      const changed = lines.with(at, line.slice(0, middle) + other + line.slice(middle + 1));
      await writeFile(file, changed.join('\n'));
      expect((await reader.checkProof(file, deployment.policy)).said, line).toMatch(/^not ok: /);
    }
  });
});

describe('torchwood and Tessera', () => {
  it.each([0, 1, 2, 255, 256, 257, 512, 65_600])(
    'accept an export of %i entries without witnesses',
    async (size) => {
      const dir = join(workDir, `of-${size}`);
      await exportLogOf(size, `${dir}-ledger`, dir);
      expect((await reader.read(dir, await policyWithoutWitnesses())).said).toMatch(whole(size));
    },
  );

  it.each<[string, (dir: string) => Promise<unknown>]>([
    ['a bundle has another byte', (dir) => flip(join(dir, 'tile/entries/001'), 5000)],
    ['a hash has another bit', (dir) => flip(join(dir, 'tile/0/001'), 100)],
    ['a tile above has another bit', (dir) => flip(join(dir, 'tile/1/000.p/2'), 40)],
    ['a tile is missing', (dir) => rm(join(dir, 'tile/0/002.p/201'))],
    [
      'the checkpoint is of another time',
      (dir) => cp(older, join(dir, 'checkpoint')).then(() => rm(join(dir, 'tile/0/001'))),
    ],
    [
      'two bundles are swapped',
      async (dir) => {
        await rename(join(dir, 'tile/entries/000'), join(dir, 'aside'));
        await rename(join(dir, 'tile/entries/001'), join(dir, 'tile/entries/000'));
        await rename(join(dir, 'aside'), join(dir, 'tile/entries/001'));
      },
    ],
  ])('refuse a log of which %s', async (_what, change) => {
    const dir = join(workDir, 'changed');
    await rm(dir, { recursive: true, force: true });
    await cp(exported, dir, { recursive: true });
    await change(dir);
    expect((await reader.read(dir, deployment.policy)).said).toMatch(/^not ok: /);
  });

  async function policyWithoutWitnesses(): Promise<string> {
    const policy = join(workDir, 'none.policy');
    await writeFile(policy, `log ${VKEY}\nquorum none\n`);
    return policy;
  }

  async function flip(file: string, at: number): Promise<void> {
    const bytes = await readFile(file);
    await writeFile(file, bytes.with(at, (bytes[at] ?? 0) ^ 4));
  }
});
