/**
 * Certifying gateways, on the authority's side. To put a gateway's public key into the authority's folder, as
 * gateways/NAME/gateway.pub, is to approve it: the certificate appears beside it, and is renewed before it runs out. One
 * that cannot be read, is another key's or another issuer's, or does not hold today is no certificate, and is replaced.
 * A name is one gateway's: a second key under it takes the place of the first, which is no longer renewed.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authority } from '../../authority/authority.js';
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.js';
import type { Clock } from '../../protocol/clock.js';
import { asError } from '../../protocol/errors.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import type { GatewayCertificate } from '../../protocol/session/gateway-certificate.js';
import type { Log } from '../../protocol/log.js';
import { partyIdOf } from '../../protocol/keys.js';
import { dayOf } from '../../protocol/time.js';
import { writeAtomically } from '../files/atomic-file.js';
import { gatewayFolder } from '../folder/folder.js';
import type { DataFolder } from '../folder/folder.js';
import { registerNames } from './register-names.js';
import { unapprovedGateways } from './unapproved-gateways.js';

/** Renewed when fewer days than this are left. */
const DAYS_AHEAD = 2;
/** Each try may be an entry of the ledger: one key of one gateway gets one in this time, wall time. */
const TRY_AGAIN_MS = 60_000;

export interface GatewayDesk {
  /**
   * Looks at every gateway of the folder. What fails is said once and tried again later; another key at once. What the
   * folder lacks is said too (unapproved-gateways.ts), and names are the folder's (register-names.ts).
   */
  round(): Promise<void>;
}

export interface GatewayDeskDeps {
  readonly folder: DataFolder;
  readonly authority: Pick<Authority, 'addGateway' | 'gateways' | 'nameGateway'>;
  readonly issuerPublicKey: Uint8Array;
  readonly clock: Clock;
  /** Of the wall, in ms since some moment. */
  readonly wallMs: () => number;
  readonly log: Log;
}

interface Try {
  readonly publicKey: string;
  readonly atMs: number;
  /** `undefined` when it succeeded. */
  readonly why: string | undefined;
}

export function gatewayDesk(deps: GatewayDeskDeps): GatewayDesk {
  const tries = new Map<string, Try>();
  const nameThem = registerNames(deps);
  const sayUnapproved = unapprovedGateways({ ...deps, daysAhead: DAYS_AHEAD });
  return {
    async round() {
      const names: string[] = await readdir(join(deps.folder.dir, 'gateways')).catch(() => []);
      for (const name of tries.keys()) if (!names.includes(name)) tries.delete(name);
      const approved = new Map<string, string>();
      for (const name of names) {
        const publicKey = await readPublicKey(gatewayFolder(deps.folder, name).publicKey);
        if (publicKey === undefined) continue;
        approved.set(toHex(publicKey), name);
        await attend(name, publicKey, tries, deps);
      }
      await nameThem(approved);
      await sayUnapproved(approved);
    },
  };
}

async function attend(
  name: string,
  publicKey: Uint8Array,
  tries: Map<string, Try>,
  deps: GatewayDeskDeps,
): Promise<void> {
  const { certificate } = gatewayFolder(deps.folder, name);
  const held = await readCertificate(certificate);
  const today = dayOf(deps.clock.nowMs() / 1000);
  const doesHold = held !== undefined && verifyGatewayCertificate(deps.issuerPublicKey, held, today);
  const isOwn = held !== undefined && equalBytes(held.gatewayPublicKey, publicKey);
  if (doesHold && isOwn && held.toDay >= today + DAYS_AHEAD) return;
  const hex = toHex(publicKey);
  const last = tries.get(name);
  const isSameKey = last?.publicKey === hex;
  if (isSameKey && deps.wallMs() - last.atMs < TRY_AGAIN_MS) return;
  const isInService = doesHold && !isOwn && !(await isRevoked(held, deps));
  const why = await certify(name, publicKey, certificate, deps);
  tries.set(name, { publicKey: hex, atMs: deps.wallMs(), why });
  if (why === undefined) deps.log.info('certified a gateway for seven days', { gateway: name });
  else if (!isSameKey || last.why !== why)
    deps.log.warn('a gateway is not certified; trying again each minute', { gateway: name, why });
  if (why === undefined && isInService)
    deps.log.warn(NAME_TAKEN, { gateway: name, before: toHex(partyIdOf(held.gatewayPublicKey)) });
}

const NAME_TAKEN =
  'another gateway had this name, and its certificate still holds, but is not renewed: ' +
  'revoke it if it is gone, or approve it again under a name of its own';

async function isRevoked(
  { gatewayPublicKey }: GatewayCertificate,
  { authority }: GatewayDeskDeps,
): Promise<boolean> {
  const hex = toHex(gatewayPublicKey);
  const known = (await authority.gateways()).find(({ publicKey }) => publicKey === hex);
  return known !== undefined && known.revokedFromMs !== null;
}

/** Why not; `undefined` when it is done. */
async function certify(
  name: string,
  publicKey: Uint8Array,
  file: string,
  { authority }: GatewayDeskDeps,
): Promise<string | undefined> {
  try {
    await writeAtomically(file, await authority.addGateway(publicKey, name));
    return undefined;
  } catch (error) {
    return asError(error).message;
  }
}

/** `undefined` when there is none that can be read. */
export async function readPublicKey(file: string): Promise<Uint8Array | undefined> {
  const text = (await readFile(file, 'latin1').catch(() => '')).trim();
  return /^[0-9a-f]{64}$/.test(text) ? fromHex(text) : undefined;
}

/** `undefined` when there is none that can be read. */
async function readCertificate(file: string): Promise<GatewayCertificate | undefined> {
  try {
    return decodeGatewayCertificate(await readFile(file));
  } catch {
    return undefined;
  }
}
