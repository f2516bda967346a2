/** The certificate in a gateway's folder: how it gets there, how it is awaited, and whether it holds. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { asError, FirebreakError } from '../../protocol/errors.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { dayOf } from '../../protocol/time.js';
import { callOf } from '../terminal/how-called.js';
import type { GatewayFolder } from './folder.js';
import type { Session } from './session.js';

const WAIT_MS = 60_000;

/** The authority's folder has the same place for this gateway; a folder that both share is found without a copy. */
export function waysToCertificate({ dir, publicKey, certificate }: GatewayFolder): string {
  const there = `gateways/${basename(dir)}/`;
  return `${callOf('authority run')} makes one beside ${there}gateway.pub in its own folder; where that is on another machine, bring ${publicKey} there, and ${there}certificate from there to ${certificate}`;
}

export interface KeptCertificate {
  readonly current: () => Uint8Array;
  readonly look: () => Promise<void>;
  /** Of the last look: why a file that is there could not be read. */
  readonly whyUnread: () => string | undefined;
}

/** Undefined when there is none. Throws `permission` for one that is there and cannot be read. */
export async function readCertificate({ certificate }: GatewayFolder): Promise<Uint8Array | undefined> {
  return readFile(certificate).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    const message = `${certificate} is there, but cannot be read (${cause.message}): make it a file that the user of this gateway may read`;
    throw new FirebreakError('permission', message, { cause });
  });
}

/**
 * The newest certificate that could be read, awaited at first and looked for again as time goes. What is in it, the
 * gateway judges. Throws `timeout`, and what readCertificate() throws.
 */
export async function keepCertificate(
  own: GatewayFolder,
  { log, signal }: Pick<Session, 'log' | 'signal'>,
): Promise<KeptCertificate> {
  let newest = await awaitCertificate(own, { log, signal });
  let whyUnread: string | undefined;
  const look = async (): Promise<void> => {
    try {
      newest = (await readCertificate(own)) ?? newest;
      whyUnread = undefined;
    } catch (error) {
      const why = asError(error).message;
      if (why !== whyUnread) log.warn('the certificate read before is kept', { why });
      whyUnread = why;
    }
  };
  return { current: () => newest, look, whyUnread: () => whyUnread };
}

async function awaitCertificate(
  own: GatewayFolder,
  { log, signal }: Pick<Session, 'log' | 'signal'>,
): Promise<Uint8Array> {
  let bytes = await readCertificate(own);
  if (bytes === undefined)
    log.info(`waiting up to ${WAIT_MS / 1000} s for a certificate: ${waysToCertificate(own)}`);
  const deadline = performance.now() + WAIT_MS; // the clock may be set meanwhile
  while (bytes === undefined) {
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new FirebreakError('timeout', `no certificate came: ${waysToCertificate(own)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    bytes = await readCertificate(own);
  }
  return bytes;
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
