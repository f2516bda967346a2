/** Ctrl-C ends the wait for a tracer that works on a question, with a word on what may have become of it. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { readConfig } from '../../cli/folder/config.js';
import { folderAt } from '../../cli/folder/folder.js';
import { announce } from '../../cli/files/run-files.js';
import { startTracer } from '../../cli/parts/tracer.js';
import { asUnixMs } from '../../protocol/brands.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { Tracer } from '../../tracer/tracer.js';
import { MemoryLog } from '../tracer/memory-log.js';
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
  expect(await asking.ended).toMatchObject({ code: 130 });
  expect(asking.stderr()).toContain('; the look may be recorded');
});

/** A tracer whose looks are on disk once `onPost` is called, and never heard of again. */
async function unconfirmed(onPost: () => void): Promise<Tracer> {
  const folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-stopped-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  await attempt('authority', 'init', '--data-dir', folder.dir);
  const courier = {
    post: async () => {
      onPost();
      return [{ delivered: () => new Promise<never>(() => undefined) }];
    },
    noCertificateFrom: () => expect.fail('not asked for'),
    drained: () => expect.fail('not asked for'),
    status: () => expect.fail('not asked for'),
    close: async () => undefined,
  };
  const quiet = () => undefined;
  const tracer = await startTracer({
    ...{ folder, courier, config: await readConfig(folder) },
    ...{ clock: { nowMs: () => asUnixMs(0), sleep: async () => undefined } },
    ...{ log: { info: quiet, warn: quiet, error: quiet }, reader: new MemoryLog().reader() },
  });
  onTestFinished(() => tracer.close());
  return tracer;
}

const window = { case: '17', direction: 'forward', hops: 1, from: 0, to: 9 } as const;
const request = { ...window, minSeconds: 0, latentSeconds: 0 };
const look = { officer: 'Dr. Ada', purpose: 'ward' };

it('ends the wait until a tracer of one’s own has recorded the look, too', async () => {
  const stop = new AbortController();
  const tracer = await unconfirmed(() =>
    stop.abort(new FirebreakError('closed', 'stopped before it was done')),
  );
  await expect(tracer.lookUp(request, look, undefined, stop.signal)).rejects.toMatchObject({
    code: 'closed',
    message: 'stopped before it was done; the look may be recorded',
  });
});

it('says of a look that the ledger does not confirm in time that it may stand', async () => {
  let onPost: () => void = () => undefined;
  const posted = new Promise<void>((resolve) => (onPost = resolve));
  const tracer = await unconfirmed(() => onPost());
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const refused = tracer.lookUp(request, look).then(() => undefined, asError);
  await posted;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await refused).toMatchObject({
    code: 'timeout',
    message:
      'the ledger has not said in time that it has this look, so there is no answer: see firebreak ledger status; the look may be recorded',
  });
});
