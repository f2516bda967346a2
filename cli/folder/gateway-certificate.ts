/** The certificate in a gateway's folder: how it gets there, how it is awaited, and whether it holds. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { dayOf } from '../../protocol/time.js';
import type { GatewayFolder } from './folder.js';
import type { Session } from './session.js';

const WAIT_MS = 60_000;

/** The authority's folder has the same place for this gateway; a folder that both share is found without a copy. */
export function waysToCertificate({ dir, publicKey, certificate }: GatewayFolder): string {
  const there = `gateways/${basename(dir)}/`;
  return `firebreak authority run makes one beside ${there}gateway.pub in its own folder; where that is on another machine, bring ${publicKey} there, and ${there}certificate from there to ${certificate}`;
}

/** The newest certificate, awaited at first and looked for again as time goes. Throws `timeout`, `damaged`. */
export async function keepCertificate(own: GatewayFolder, { log, signal }: Session) {
  let bytes = await readFile(own.certificate).catch(() => undefined);
  if (bytes === undefined)
    log.info(`waiting up to ${WAIT_MS / 1000} s for a certificate: ${waysToCertificate(own)}`);
  const deadline = performance.now() + WAIT_MS; // the clock may be set meanwhile
  while (bytes === undefined) {
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new FirebreakError('timeout', `no certificate came: ${waysToCertificate(own)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    bytes = await readFile(own.certificate).catch(() => undefined);
  }
  let newest: Uint8Array = requireCertificate(bytes, own);
  const look = async (): Promise<void> => {
    newest = (await readFile(own.certificate).catch(() => undefined)) ?? newest;
  };
  return { current: () => newest, look };
}

/** A certificate holds for a few days, so none does by a clock that leapt by weeks. */
export function holdsNow(certificate: Uint8Array, { clock, config }: Session): boolean {
  const day = dayOf(clock.nowMs() / 1000);
  try {
    return verifyGatewayCertificate(config.issuerPublicKey, decodeGatewayCertificate(certificate), day);
  } catch {
    return false; // not a certificate; the gateway says so itself
  }
}

function requireCertificate(bytes: Uint8Array, { certificate }: GatewayFolder): Uint8Array {
  try {
    decodeGatewayCertificate(bytes);
    return bytes;
  } catch (cause) {
    throw new FirebreakError('damaged', `${certificate}: ${(cause as Error).message}`, { cause });
  }
}
