/** Our tlog-proof files, checked by golang.org/x/mod: note.Open and tlog.CheckRecord. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLogView, type LogView } from '../../ledger/readers/log-view.js';
import { proveEntry } from '../../ledger/proofs/prove.js';
import { readerOfFolder } from '../../ledger/readers/reader-folder.js';
import { decodeTlogProof, encodeTlogProof } from '../../protocol/tlog/tlog-proof.js';
import { logSigner, ORIGIN } from '../ledger/deployment.js';
import { exportLogOf, VKEY } from './exported-log.js';
import { buildAuditor, type Auditor } from './go-auditor.js';

const SIZE = 700;
let workDir: string;
let auditor: Auditor;
let view: LogView;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'firebreak-interop-'));
  auditor = await buildAuditor(workDir);
  await exportLogOf(SIZE, join(workDir, 'ledger'), join(workDir, 'log'));
  view = await openLogView(readerOfFolder(join(workDir, 'log')), logSigner);
});

afterAll(() => rm(workDir, { recursive: true, force: true }));

async function verdictOn(file: string) {
  const path = join(workDir, 'one.tlog-proof');
  await writeFile(path, file);
  return auditor.checkProof(path, VKEY);
}

describe('golang.org/x/mod', () => {
  it.each([0, 1, 127, 255, 256, 511, 512, 650, SIZE - 1])('accepts our proof of entry %i', async (index) => {
    const { file } = await proveEntry(view, logSigner, index);
    expect((await verdictOn(file)).said).toContain(`ok ${ORIGIN}: entry ${index} of ${SIZE}, leaf `);
  });

  it('refuses it for another entry, another index, and with a hash left out', async () => {
    const proof = decodeTlogProof((await proveEntry(view, logSigner, 300)).file);
    const other = decodeTlogProof((await proveEntry(view, logSigner, 301)).file);
    for (const forged of [
      { ...proof, extra: other.extra },
      { ...proof, index: 301 },
      { ...proof, hashes: proof.hashes.slice(1) },
    ]) {
      expect((await verdictOn(encodeTlogProof(forged))).said).toMatch(/^not ok: entry \d+: /);
    }
  });
});
