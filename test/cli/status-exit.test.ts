/** The exit code of each status, for whatever watches a party: 0 when its first line says well, 1 when it says anything else. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { writeAtomically } from '../../cli/files/atomic-file.js';
import { ownMark } from '../../cli/files/process-mark.js';
import { announce } from '../../cli/files/run-files.js';
import { folderAt, gatewayFolder, tagFolder } from '../../cli/folder/folder.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { takeOrders } from '../../cli/orders/order-desk.js';
import { buildProgram } from '../../cli/program.js';
import { dayOf } from '../../protocol/time.js';
import { until } from './firebreak-process.js';
import { attempt } from './in-process.js';
import type { Attempt } from './in-process.js';

let folder: DataFolder;
beforeEach(async () => {
  folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-exit-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  await attempt('authority', 'init', '--data-dir', folder.dir);
});

const GONE = { pid: 2 ** 31 - 1 };
const zeros = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 0]));
const today = dayOf(Date.now() / 1000);

const ledger = {
  ...{ origin: 'log.example', size: 9, gateways: 0, pendingBatches: 0 },
  publication: { size: 9, witnesses: [] },
};
const tag = {
  ...{ isOnAir: true, isClockLost: false, warnings: [] },
  ...zeros('timeMs', 'heard', 'logged', 'delivered', 'reports', 'refused', 'open', 'waiting', 'dropped'),
  ...zeros('sessions', 'failedSessions'),
};
const gateway = {
  ...{ name: 'hub-1', clockMs: Date.now() },
  gateway: {
    ...zeros('openSessions', 'sessions', 'turnedAway', 'timedOut', 'broken', 'reportsAccepted', 'upSinceMs'),
    ...zeros('beaconsHeard', 'tagsInReach', 'presenceReported', 'presenceLost'),
    ...{ certificateToDay: today + 5, gatewayId: 'a0'.repeat(16), reportsRefused: {} },
    statementDays: [today - 1, today, today + 1],
  },
  courier: { online: true, ...zeros('delivered', 'depth', 'refused', 'parked', 'keptAside') },
};

const inTrouble = { ...gateway, gateway: { ...gateway.gateway, trouble: 'it has no certificate' } };
const unreached = { ...gateway, courier: { ...gateway.courier, online: false } };

describe('a status that is kept in a file', () => {
  it.each<[string, readonly string[], (of: DataFolder) => string, object, 0 | 1]>([
    ['well', ['ledger'], (of) => of.ledger.status, ledger, 0],
    ['failed', ['ledger'], (of) => of.ledger.status, { ...ledger, failure: 'its disk is full' }, 1],
    ['well', ['tag', '--number', '3'], (of) => tagFolder(of, 3).status, tag, 0],
    ['silent', ['tag', '--number', '3'], (of) => tagFolder(of, 3).status, { ...tag, isOnAir: false }, 1],
    ['well', ['gateway'], (of) => gatewayFolder(of, 'hub-1').status, gateway, 0],
    ['serving nobody', ['gateway'], (of) => gatewayFolder(of, 'hub-1').status, inTrouble, 1],
    ['serving, with no ledger', ['gateway'], (of) => gatewayFolder(of, 'hub-1').status, unreached, 1],
    [
      'starting',
      ['gateway'],
      (of) => gatewayFolder(of, 'hub-1').status,
      { name: 'hub-1', isStarting: true },
      1,
    ],
  ])(
    '%s, of %j, ends with its own code, and with 1 once it is stopped',
    async (_, words, fileOf, status, code) => {
      const [party = '', ...which] = words;
      const file = fileOf(folder);
      await mkdir(dirname(file), { recursive: true });
      const codeWith = async (mark: object): Promise<Attempt> => {
        await writeAtomically(file, JSON.stringify({ ...mark, wallMs: Date.now(), status }));
        return attempt(party, 'status', '--data-dir', folder.dir, ...which);
      };
      expect(await codeWith(await ownMark())).toMatchObject({ code, stderr: '' });
      const stopped = await codeWith(GONE);
      expect(stopped).toMatchObject({ code: 1, stderr: '' });
      expect(stopped.stdout).toContain('not running; last seen 0 s ago');
    },
  );
});

it('a tag that ended says what for, as it was last', async () => {
  const { status: file } = tagFolder(folder, 3);
  await mkdir(dirname(file), { recursive: true });
  const status = { ...tag, endedWhy: 'the air is gone; start it and the tag again' };
  await writeAtomically(file, JSON.stringify({ ...GONE, wallMs: Date.now(), status }));
  const { text } = await attempt('tag', 'status', '--data-dir', folder.dir, '--number', '3');
  expect(text).toContain(
    'not running; last seen 0 s ago; then: the air is gone; start it and the tag again\n',
  );
});

it.each([
  ['well; 1 entry waits, the oldest for 1 s', 0],
  ['the ledger cannot be reached: 1 entry waits, the oldest for 1 min', 1],
] as const)('an authority that says “%s” ends its status with %i', async (health, code) => {
  await announce(folder, 'authority', { http: 'http://127.0.0.1:1' });
  let isEnded = false;
  const asked = attempt('authority', 'status', '--data-dir', folder.dir).finally(() => (isEnded = true));
  await until('the status to end', async () => {
    await takeOrders(folder, async () => `${health}\nthe rest`);
    return isEnded;
  });
  expect(await asked).toMatchObject({ code, stdout: `${health}\nthe rest\n`, stderr: '' });
});

describe('a tracer', () => {
  it.each([
    ['could read on', null, 0],
    ['could not read on when it tried last', 'the ledger cannot be reached', 1],
  ] as const)('that %s ends its status with %i', async (_, failure, code) => {
    const health = {
      ...{
        well: true,
        problems: [],
        warnings: [],
        failure,
        memoryBytes: zeros('resident', 'heap', 'buffers'),
      },
      ...zeros(
        'followsSince',
        'ledgerSeenAt',
        'grewAt',
        'readOnAt',
        'entries',
        'behind',
        'contacts',
        'people',
      ),
    };
    const http = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(health));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => http.close(() => resolve())));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    await announce(folder, 'tracer', { http: url });
    const asked = await attempt('tracer', 'status', '--data-dir', folder.dir);
    expect(asked).toMatchObject({ code, stderr: '' });
  });

  it('that does not run ends it with 1', async () => {
    const asked = await attempt('tracer', 'status', '--data-dir', folder.dir);
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('no tracer runs') as string });
  });
});

it('is told by the help of each status', () => {
  const parties = buildProgram().commands.filter(({ commands }) =>
    commands.some((one) => one.name() === 'status'),
  );
  expect(parties.map((party) => party.name()).sort()).toEqual([
    'authority',
    'gateway',
    'ledger',
    'tag',
    'tracer',
  ]);
  for (const { commands } of parties)
    expect(commands.find((one) => one.name() === 'status')?.description()).toContain(
      'exit code: 0 when the first line says well, 1 when it says anything else',
    );
});
