/** A folder that another process holds: who that is, and what to do. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openLevelRecords } from '../../authority/records/records-level.js';
import { folderAt, gatewayFolder, type DataFolder } from '../../cli/folder/folder.js';
import { orWhoHolds } from '../../cli/folder/in-use.js';
import { startAuthority } from '../../cli/parts/authority.js';
import { startWriter } from '../../cli/parts/writer.js';
import { createDeployment } from '../../cli/folder/deployment.js';
import { openLevelSpool } from '../../courier/spool-level.js';
import { liveClock } from '../../host/clock-live.js';
import { partyIdOf } from '../../protocol/keys.js';
import { silentLog } from '../../protocol/log.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { announce } from '../../cli/files/run-files.js';
import { issuer } from '../authority/fixture.js';

let folder: DataFolder;
beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-held-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  folder = folderAt(dir);
});

async function context() {
  const config = await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  return { folder, config, clock: liveClock(), log: silentLog, signal: new AbortController().signal };
}
const NOWHERE = 'mqtt://127.0.0.1:1';

describe('what another process holds', () => {
  it('is, of an authority, left to the process that announced itself', async () => {
    const given = await context();
    const held = await openLevelRecords(folder.authority.registry, issuer.publicKey.slice(0, 4));
    onTestFinished(() => held.close());
    onTestFinished(await announce(folder, 'authority', { http: 'http://127.0.0.1:1' }));
    await expect(startAuthority(given, NOWHERE)).rejects.toMatchObject({
      code: 'locked',
      message:
        `${folder.authority.registry} is in use by another process: firebreak authority run runs on this folder ` +
        `(process ${process.pid}). Leave it to that one, or stop it first`,
    });
  });

  it.each([
    ['authority', 'firebreak authority run or firebreak authority retain'],
    ['tracer', 'firebreak tracer run or firebreak trace or firebreak cluster'],
    ['gateway', 'firebreak gateway run or firebreak gateway refused'],
  ] as const)('is, of the spool of %s, held by a command that can hold it', async (party, holders) => {
    const given = await context();
    const spoolDir = party === 'gateway' ? gatewayFolder(folder, 'hub-1').spool : folder[party].spool;
    const held = await openLevelSpool(spoolDir, partyIdOf(issuer.publicKey));
    onTestFinished(() => held.close());
    const starting = startWriter(given, { signer: issuer, spoolDir, mqttUrl: NOWHERE });
    await expect(starting).rejects.toMatchObject({
      code: 'locked',
      message:
        `${spoolDir} is in use by another process: ${holders} is under way on this folder. ` +
        'Wait until it has ended, or stop it, then start again',
    });
  });

  it('is, of a gateway, left to the process that writes its status', async () => {
    const given = await context();
    const own = gatewayFolder(folder, 'hub-1');
    const held = await openLevelSpool(own.spool, partyIdOf(issuer.publicKey));
    onTestFinished(() => held.close());
    await writeFile(own.status, JSON.stringify({ pid: process.ppid, wallMs: 0, status: {} }));
    const starting = startWriter(given, { signer: issuer, spoolDir: own.spool, mqttUrl: NOWHERE });
    await expect(starting).rejects.toThrow(
      `firebreak gateway run runs on this folder (process ${process.ppid})`,
    );
  });

  it('is told from any other failure', async () => {
    const failing = Promise.reject(new Error('else'));
    await expect(orWhoHolds(failing, folder.authority.registry, folder)).rejects.toThrow(/^else$/);
  });
});
