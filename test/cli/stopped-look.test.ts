/** Ctrl-C ends the wait for a tracer that works on a question, with a word on what may have become of it. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import { announce } from '../../cli/files/run-files.js';
import { startFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';

it.each(['trace', 'cluster'])('%s', async (command) => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-stopped-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await attempt('authority', 'init', '--data-dir', dir);
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await announce(folderAt(dir), 'tracer', { http: `http://127.0.0.1:${port}` });
  const cases = join(dir, 'cases.txt');
  await writeFile(cases, '1\n2\n');
  const asked = once(server, 'request');
  const who = ['--officer', 'Dr. Ada', '--purpose', 'ward'];
  const what = command === 'trace' ? ['--case', '1'] : ['--cases', cases];
  const asking = startFirebreak([command, '--data-dir', dir, ...what, ...who]);
  onTestFinished(() => asking.kill());
  await asked;
  asking.child.kill('SIGINT');
  expect(await asking.ended).toMatchObject({ code: 1 });
  expect(asking.stderr()).toContain('the look may have been recorded all the same');
});
