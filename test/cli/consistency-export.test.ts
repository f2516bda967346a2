/** `firebreak ledger consistency --export`: whoever has an exported log and its key compares it with a checkpoint kept before. */
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { exportLog } from '../../ledger/export/export-log.js';
import { openLedger } from '../../ledger/ledger.js';
import { noteVerifierKey } from '../../protocol/tlog/note.js';
import { batchOf, ledgerDeps, logSigner, noticeItem, officer } from '../ledger/deployment.js';
import { runFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';

const VKEY = noteVerifierKey(logSigner.name, logSigner.publicKey);
const POLICY = `log ${VKEY}
witness hospital hospital.example/witness+fa41a81f+BDaQZGY7sySyJE51T4h/XpfG+uBVKmiSika/O80tBBln
quorum hospital
`;

let dir: string;
const inDir = (name: string) => join(dir, name);

/** Exports a log under the one key at 200 entries and again at 300, and keeps both checkpoints. What stands in it is `name`'s own. */
async function exportTwice(name: string): Promise<void> {
  const ledger = await openLedger(ledgerDeps(inDir(`${name}.ledger`)));
  for (const seq of [0, 1, 2]) {
    const items = Array.from({ length: 100 }, (_, i) => noticeItem(`${name} ${seq * 100 + i}`));
    await ledger.submit(batchOf(officer, seq, items));
    if (seq === 0) continue;
    await exportLog(ledger.reader(), inDir(name), logSigner);
    if (seq === 1) await cp(inDir(name), inDir(`${name}.earlier`), { recursive: true });
    await cp(join(inDir(name), 'checkpoint'), inDir(`${name}.${(seq + 1) * 100}`));
  }
  await ledger.close();
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-consistency-'));
  await exportTwice('log');
  await exportTwice('fork');
  return () => rm(dir, { recursive: true, force: true });
});

const compared = (log: string, old: string, ...more: readonly string[]) =>
  attempt('ledger', 'consistency', '--export', inDir(log), '--vkey', VKEY, '--old', inDir(old), ...more);

async function spoiltCopy(spoil: (copy: string) => Promise<void>): Promise<void> {
  await cp(inDir('log'), inDir('copy'), { recursive: true });
  onTestFinished(() => rm(inDir('copy'), { recursive: true }));
  await spoil(inDir('copy'));
}

describe('an exported log', () => {
  it('is shown to continue a checkpoint that was kept, by a process that has the key alone', async () => {
    const args = ['--export', inDir('log'), '--vkey', VKEY, '--old', inDir('log.200')];
    const { code, stdout, stderr } = await runFirebreak('ledger', 'consistency', ...args);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/consistent .* of 300 entries begins with the 200/);
    expect(code).toBe(0);
  });

  it('is read up to a newer checkpoint that was kept', async () => {
    const { code, stdout } = await compared('log', 'log.200', '--new', inDir('log.300'));
    expect(stdout).toMatch(/of 300 entries begins with the 200/);
    expect(code).toBe(0);
  });

  it.each([
    ['has grown', 'log.200', 'the log was rewritten or forked'],
    ['is as long', 'log.300', 'signed two different roots for 300 entries'],
  ])('that is a fork and %s is refused with what to keep', async (_what, old, words) => {
    const { code, stdout, stderr } = await compared('fork', old);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(words);
    expect(stderr).toContain('Keep both files');
  });

  it('of before the checkpoint may be just that, and is said to be', async () => {
    const { code, stderr } = await compared('log.earlier', 'log.300');
    expect(stderr).toContain('the log has 200 entries now, and a checkpoint it signed says 300');
    expect(stderr).toContain('or the export is of before');
    expect(code).toBe(1);
  });

  it('needs the witnesses of a policy', async () => {
    await writeFile(inDir('policy'), POLICY);
    const { code, stderr } = await compared('log', 'log.200', '--policy', inDir('policy'));
    expect(stderr).toContain('does not have the witnesses it needs');
    expect(code).toBe(1);
  });

  it('that lacks a tile is named with it', async () => {
    await spoiltCopy((copy) => rm(join(copy, 'tile/0/000')));
    const { code, stderr } = await compared('copy', 'log.200');
    expect(stderr).toMatch(/^firebreak: tile\/0\/000 is missing in /);
    expect(code).toBe(1);
  });

  it.each(['checkpoint', 'tile/0/000'])('whose file %s is larger than any is not read', async (file) => {
    await spoiltCopy((copy) => truncate(join(copy, file), 2 ** 28));
    const { code, stderr } = await compared('copy', 'log.200');
    expect(stderr).toContain(`${file} in ${inDir('copy')} is over 16777472 bytes: it is no file of a log`);
    expect(code).toBe(1);
  });
});

it('an exported log whose checkpoint is a pipe is refused, not waited for', async () => {
  await spoiltCopy(async (copy) => {
    await rm(join(copy, 'checkpoint'));
    expect(spawnSync('mkfifo', [join(copy, 'checkpoint')]).status).toBe(0);
  });
  const { code, stderr } = await compared('copy', 'log.200');
  expect(stderr).toContain(`checkpoint in ${inDir('copy')} is no file`);
  expect(code).toBe(1);
});

describe('consistency', () => {
  const OLD = ['--old', 'x'];
  it.each([
    ['no log is named', OLD, '--export DIR'],
    ['an export has no key', ['--export', 'x', ...OLD], '--export needs --vkey KEY'],
    ['two logs are named', ['--export', 'x', '--data-dir', 'x', '--vkey', VKEY, ...OLD], 'not both'],
  ])('ends with 2 when %s', async (_what, args, words) => {
    const { code, stderr } = await attempt('ledger', 'consistency', ...args);
    expect(stderr).toContain(words);
    expect(code).toBe(2);
  });

  it('says that there is no such folder', async () => {
    const { code, stderr } = await compared('gone', 'log.200');
    expect(stderr).toBe(`firebreak: there is no folder ${inDir('gone')}`);
    expect(code).toBe(1);
  });
});
