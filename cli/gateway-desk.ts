/**
 * Certifying gateways, on the authority's side. To put a gateway's public key into the authority's folder, as
 * gateways/NAME/gateway.pub, is to approve it: the certificate appears beside it, and is renewed before it runs out.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authority } from '../authority/authority.js';
import { fromHex } from '../protocol/bytes.js';
import type { Clock } from '../protocol/clock.js';
import { decodeGatewayCertificate } from '../protocol/gateway-certificate.js';
import type { Log } from '../protocol/log.js';
import { dayOf } from '../protocol/time.js';
import { writeAtomically } from './atomic-file.js';
import { gatewayFolder } from './folder.js';
import type { DataFolder, GatewayFolder } from './folder.js';

/** Renewed when fewer days than this are left. */
const DAYS_AHEAD = 2;

/** One round over the gateways of the folder; what fails is said and tried again in the next round. */
export async function certifyGateways(
  folder: DataFolder,
  authority: Authority,
  clock: Clock,
  log: Log,
): Promise<void> {
  const names = await readdir(join(folder.dir, 'gateways')).catch(() => []);
  for (const name of names) {
    const place = gatewayFolder(folder, name);
    try {
      await certifyIfDue(name, place, authority, dayOf(clock.nowMs() / 1000), log);
    } catch (error) {
      log.warn('a gateway is not certified', { gateway: name, why: (error as Error).message });
    }
  }
}

async function certifyIfDue(
  name: string,
  place: GatewayFolder,
  authority: Authority,
  today: number,
  log: Log,
): Promise<void> {
  const publicKey = await readPublicKey(place.publicKey);
  if (publicKey === undefined || (await lastDay(place.certificate)) >= today + DAYS_AHEAD) return;
  await writeAtomically(place.certificate, await authority.addGateway(publicKey, name));
  log.info('certified a gateway for seven days', { gateway: name });
}

async function readPublicKey(file: string): Promise<Uint8Array | undefined> {
  const text = (await readFile(file, 'latin1').catch(() => '')).trim();
  return /^[0-9a-f]{64}$/.test(text) ? fromHex(text) : undefined;
}

async function lastDay(file: string): Promise<number> {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes === undefined ? -1 : decodeGatewayCertificate(bytes).toDay;
}
