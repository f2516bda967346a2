/** What an officer has the running authority do: warn a tag, and revoke a gateway. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { gatewayFolder } from '../../cli/folder/folder.js';
import { toHex } from '../../protocol/bytes.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import { runFirebreak } from '../cli/firebreak-process.js';
import { untilIn } from './deployment.js';
import type { Deployment } from './deployment.js';

/** Gives a notice for a tag, which sees it at its next gateway. */
export async function warn(deployment: Deployment, tag: number, code: number): Promise<void> {
  const told = await tell(deployment, 'notify', '--person', String(tag), '--code', String(code));
  expect(told).toContain('notice 1, for 1 tag, is published');
  const warnings = await untilIn(deployment, 'the warning', async () => {
    const { warnings: seen } = await deployment.tagStatus(tag);
    return seen.length > 0 ? seen : undefined;
  });
  expect(warnings).toMatchObject([{ number: 1, code }]);
}

/** Approves a gateway that never runs, so that no report is on its way to it, and revokes it once it is certified. */
export async function approveAndRevoke(deployment: Deployment, name: string): Promise<void> {
  const { publicKey } = fastSigner(new Uint8Array(32).fill(2));
  const id = toHex(partyIdOf(publicKey));
  const place = gatewayFolder(deployment.folder, name);
  await mkdir(place.dir);
  await writeFile(place.publicKey, `${toHex(publicKey)}\n`);
  await untilIn(deployment, 'its certificate', () => stat(place.certificate).catch(() => undefined));
  expect(await tell(deployment, 'status')).toMatch(new RegExp(`${name} +${id} +certified through`));
  expect(await tell(deployment, 'revoke', '--gateway', id)).toBe(`gateway ${id} is revoked\n`);
  const status = await tell(deployment, 'status');
  expect(status).toMatch(new RegExp(`${name} +${id} +revoked on 2026-03-02`));
  expect(status).toContain('1 gateway certified, 1 revoked');
}

async function tell(deployment: Deployment, ...order: readonly string[]): Promise<string> {
  const told = await runFirebreak('authority', ...order, '--data-dir', deployment.folder.dir);
  const isStatus = order[0] === 'status'; // of which the code says how the authority is at that moment
  expect(isStatus ? told.stderr : told.code, told.stderr).toBe(isStatus ? '' : 0);
  return told.stdout;
}
