/** Our witness and a log that is not ours: signed by note.Sign, proved by tlog.ProveTree, opened by note.Open. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { noteSigner, noteSignerKey, noteVerifierKey } from '../../protocol/tlog/note.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { startWitness } from '../witness/running-witness.js';
import { buildGo } from './go-auditor.js';

const run = promisify(execFile);
const NAME = 'go.example/log';
const SEED = Buffer.alloc(32, 5);
const signer = noteSigner(NAME, fastSigner(SEED));
let workDir: string;
let program: string;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'firebreak-interop-'));
  program = await buildGo('log', workDir);
});

afterAll(() => rm(workDir, { recursive: true, force: true }));

describe('a log on golang.org/x/mod', () => {
  const keys = ['-skey', noteSignerKey(NAME, SEED), '-vkey', noteVerifierKey(NAME, signer.publicKey)];

  it('is cosigned by our witness as it grows, and verifies what it gets', async () => {
    const { cosigner, url } = await startWitness('w1', { logs: [signer], nowSeconds: () => 1_790_000_000 });
    const sizes = [1, 2, 3, 3, 7, 8, 64, 65, 255, 256, 257, 1000, 1024, 4097];
    const args = [...keys, '-witness', formatCosignerKey(cosigner), url, ...sizes.map(String)];
    const { stdout } = await run(program, args, { timeout: 60_000 });
    expect(stdout).toBe(sizes.map((size) => `cosigned ${size} at 1790000000\n`).join(''));
  });

  it('is told 409 when it begins again at another size', async () => {
    const { cosigner, url } = await startWitness('w1', { logs: [signer] });
    const args = [...keys, '-witness', formatCosignerKey(cosigner), url];
    await run(program, [...args, '5'], { timeout: 60_000 });
    await expect(run(program, [...args, '9'], { timeout: 60_000 })).rejects.toMatchObject({
      code: 1,
      stderr: 'not ok: size 9: status 409: 5\n\n',
    });
  });
});
