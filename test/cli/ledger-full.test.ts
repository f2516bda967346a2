/** A ledger whose disk takes no more ends, and says what to do; started again with room, it goes on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import { readKeyFile } from '../../cli/files/key-files.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { batchOf, noticeItem } from '../ledger/deployment.js';
import { connectWriter } from '../ledger/mqtt-writer.js';
import { FIREBREAK, program } from '../program.js';
import { PROJECT_ROOT, runFirebreak, startFirebreak, until } from './firebreak-process.js';

/** RLIMIT_FSIZE: no file may grow beyond it. */
const LIMIT_KIB = 300;

function startLimited(dir: string) {
  const command = `ulimit -f ${LIMIT_KIB} && exec "$0" "$1" ledger run --data-dir "$2"`;
  const child = spawn('bash', ['-c', command, process.execPath, program(FIREBREAK), dir], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, said: () => said };
}

it('ends with exit code 1 and says what to do when its disk is full, and goes on after that', async () => {
  const base = await mkdtemp(join(tmpdir(), 'firebreak-full-'));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const dir = join(base, 'data');
  expect((await runFirebreak('authority', 'init', '--data-dir', dir)).code).toBe(0);
  const { child, said } = startLimited(dir);
  await until('the ledger to be up', () => said().includes('the ledger is up') || undefined);
  const url = /mqtt:\/\/[\d.:]+/.exec(said())?.[0] ?? '';
  const signer = fastSigner(await readKeyFile(folderAt(dir).tracer.writerKey));
  const writer = await connectWriter(url, signer);
  const ended = once(child, 'close');
  const appending = (async () => {
    for (let seq = 0; ; seq++) {
      const items = Array.from({ length: 64 }, (_, i) => noticeItem(`${seq}/${i}`));
      await writer.publish(batchOf(signer, seq, items));
    }
  })();
  appending.catch(() => undefined);
  expect(await ended).toEqual([1, null]);
  writer.client.end(true);
  expect(said()).toMatch(
    /firebreak: the ledger stopped, its store failed: .* is full: make room, then start again/,
  );

  const again = startFirebreak(['ledger', 'run', '--data-dir', dir]);
  onTestFinished(() => again.kill());
  await again.says('the ledger is up');
  again.child.kill('SIGTERM');
  expect(await again.ended).toEqual({ code: 0, signal: null });
  expect((await runFirebreak('ledger', 'verify', '--data-dir', dir)).code).toBe(0);
});
