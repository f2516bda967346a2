/** `firebreak gateway refused`: what the ledger refused for good, listed and dropped. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { createKeyFile } from '../../cli/files/key-files.js';
import { signerFrom } from '../../cli/folder/deployment.js';
import { folderAt, gatewayFolder } from '../../cli/folder/folder.js';
import type { GatewayFolder } from '../../cli/folder/folder.js';
import { localTime } from '../../cli/terminal/times.js';
import { openLevelSpool } from '../../courier/spool-level.js';
import type { Spool } from '../../courier/spool.js';
import { asUnixMs } from '../../protocol/brands.js';
import { refusalNumber } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { attempt } from './in-process.js';

const NOON_MS = 1_700_049_600_000;

let dir: string;
let own: GatewayFolder;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-refused-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await attempt('authority', 'init', '--data-dir', dir);
  own = gatewayFolder(folderAt(dir), 'hub-2');
  await createKeyFile(own.key);
});

const spoolOfGateway = async (): Promise<Spool> =>
  openLevelSpool(own.spool, partyIdOf((await signerFrom(own.key)).publicKey));

/** Two of three entries refused; the third waits. */
async function keepAside(): Promise<void> {
  const spool = await spoolOfGateway();
  const payloads = [new Uint8Array(1_312), new Uint8Array(48)];
  await spool.append(payloads.map((payload, k) => ({ type: k + 1, timeMs: asUnixMs(NOON_MS), payload })));
  const batch = await spool.form({ maxItems: 9, maxBytes: 100_000 });
  const refused = [refusalNumber('day'), 99].map((reason, id) => ({ id, reason }));
  await spool.settle(batch?.seq ?? 0, { parked: [], refused });
  await spool.append([{ type: 1, timeMs: asUnixMs(NOON_MS), payload: new Uint8Array(8) }]);
  await spool.close();
}

const refused = (...more: string[]) =>
  attempt('gateway', 'refused', '--data-dir', dir, '--name', 'hub-2', ...more);

const LISTED = [
  '2 entries that the ledger refused for good are kept aside:',
  `  ${localTime(NOON_MS / 1000)}  tag report, 1,312 bytes; day: of a day that it may not be of`,
  `  ${localTime(NOON_MS / 1000)}  presence report, 48 bytes; reason 99, which this version does not know`,
];

it('lists what is kept aside, and keeps it', async () => {
  await keepAside();
  for (const { code, stdout } of [await refused(), await refused()]) {
    for (const line of LISTED) expect(stdout).toContain(line);
    expect(code).toBe(0);
  }
});

it('drops what it listed when told to, and nothing that waits', async () => {
  await keepAside();
  const cleared = await refused('--clear');
  for (const line of LISTED) expect(cleared.stdout).toContain(line);
  expect(cleared.stdout).toContain('dropped 2 entries; ');
  expect((await refused()).stdout).toBe('nothing is kept aside: the ledger refused nothing for good\n');
  expect((await refused('--clear')).stdout).not.toContain('dropped');
  const spool = await spoolOfGateway();
  expect(spool.depth()).toMatchObject({ entries: 1, refused: 0 });
  await spool.close();
});

it('says that a gateway that runs has to be stopped first', async () => {
  const held = await spoolOfGateway();
  onTestFinished(() => held.close());
  const { code, stderr } = await refused('--clear');
  expect(stderr).toContain(
    'gateway hub-2 runs, and holds what it keeps aside: stop it first, and start it again after',
  );
  expect(code).toBe(1);
});

it('makes no spool where none is', async () => {
  const { code, stderr } = await refused();
  expect(stderr).toContain(`gateway hub-2 keeps nothing here yet (${own.spool} is missing)`);
  expect(code).toBe(1);
  await expect(stat(own.spool)).rejects.toThrow('ENOENT');
});
