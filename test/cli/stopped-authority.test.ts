/** What is told of an authority that does not run: as it was last, from disk. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { keepAuthorityStatus } from '../../cli/commands/authority-status.js';
import { makeRunFolder } from '../../cli/files/run-files.js';
import { folderAt } from '../../cli/folder/folder.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { asTagNumber } from '../../protocol/brands.js';
import { enrolled, newAuthority, TODAY } from '../authority/fixture.js';
import { until } from './firebreak-process.js';
import { attempt } from './in-process.js';

const COURIER = {
  ...{ online: false, offlineWhy: undefined, depth: 0, bytes: 0, oldestUnsentMs: undefined },
  ...{ parked: 0, keptAside: 0, keptAsideReasons: {}, delivered: 0, refused: 0, resent: 0, renumbered: 0 },
  ...{ strayReceipts: 0, lastReceiptMs: undefined, lastIndex: undefined },
};

let folder: DataFolder;
beforeEach(async () => {
  folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-stopped-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  await attempt('authority', 'init', '--data-dir', folder.dir);
});

it('names what a start would show where it never ran', async () => {
  const { text, code } = await attempt('authority', 'status', '--data-dir', folder.dir);
  expect(text).toBe(
    'not running\nno day has keys\nno last day of tracing is set (sunset in firebreak.json)\n' +
      'start it to see tags, gateways and notices\n',
  );
  expect(code).toBe(1);
});

it('shows what was last known of one that was killed: above all the notice that waits', async () => {
  const { authority, world } = await newAuthority();
  await enrolled(world, [asTagNumber(17)]);
  world.ledger = () => new Promise(() => undefined);
  const stop = new AbortController();
  const { signal } = stop;
  await makeRunFolder(folder);
  const courier = { status: () => ({ ...COURIER, depth: 1, oldestUnsentMs: world.clock.nowMs() - 61_000 }) };
  const carriers = { authority, courier, clock: world.clock, signal };
  let end = async (): Promise<unknown> => undefined;
  const kept = keepAuthorityStatus({ folder, signal, onClose: (close) => void (end = close) }, carriers);
  await authority.notify({ day: TODAY, code: 1, tags: [asTagNumber(17)] });
  const saved = await until('the notice to be in the status', async () => {
    const text = await readFile(folder.authority.status, 'utf8').catch(() => '');
    return text.includes('last notice: 1') ? text : undefined;
  });
  stop.abort();
  await kept;
  await end();
  const killed = { ...(JSON.parse(saved) as object), pid: 2 ** 31 - 1 };
  await writeFile(folder.authority.status, JSON.stringify(killed));
  const { text, code } = await attempt('authority', 'status', '--data-dir', folder.dir);
  expect(text).toMatch(
    /^not running; last seen \d+ s ago; then: the ledger cannot be reached: 1 entry waits, the oldest for 1 min; 1 notice among them warns nobody yet\n1 tag enrolled, 0 gateways certified\n/,
  );
  expect(text).toMatch(/last notice: 1, given .*, waits for the ledger; 0 notices on offer to tags\n/);
  expect(text).toContain('now, without it: no day has keys');
  expect(text).toContain('start it before you give one again');
  expect(code).toBe(1);
});
