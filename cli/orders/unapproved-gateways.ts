/**
 * Gateways that the authority certified and that its folder does not approve: nothing renews them. So it is after the folder was
 * put back from a copy that lacks their gateway.pub: the log tells whom the authority certified, and not who is approved.
 */
import type { Authority } from '../../authority/authority.js';
import type { Clock } from '../../protocol/clock.js';
import { fromHex, toHex } from '../../protocol/bytes.js';
import { MAX_CERTIFICATE_DAYS } from '../../protocol/session/gateway-certificate.js';
import { partyIdOf } from '../../protocol/keys.js';
import type { Log } from '../../protocol/log.js';
import { dayOf } from '../../protocol/time.js';
import { dateOf } from '../present/show-retention.js';

/** Wall time: the register is read as often. */
const LOOK_EVERY_MS = 60_000;

export interface UnapprovedGatewaysDeps {
  readonly authority: Pick<Authority, 'gateways'>;
  readonly clock: Clock;
  /** Renewed when fewer days than this are left. */
  readonly daysAhead: number;
  /** Of the wall, in ms since some moment. */
  readonly wallMs: () => number;
  readonly log: Log;
}

/**
 * Warns, once for each, of certificates that would be renewed by now if their gateways, unrevoked, were among those
 * `approved`, by public key in hex. One that ended more than a week ago is of a gateway that is gone.
 */
export function unapprovedGateways(
  deps: UnapprovedGatewaysDeps,
): (approved: ReadonlyMap<string, unknown>) => Promise<void> {
  const { authority, clock, daysAhead, wallMs, log } = deps;
  /** By public key, the last day of the certificate that was spoken of. */
  const said = new Map<string, number>();
  let lookedAtMs = -Infinity;
  return async (approved) => {
    if (wallMs() - lookedAtMs < LOOK_EVERY_MS) return;
    lookedAtMs = wallMs();
    const today = dayOf(clock.nowMs() / 1000);
    for (const { name, publicKey, toDay, revokedFromMs } of await authority.gateways()) {
      const isDue = toDay < today + daysAhead && toDay >= today - MAX_CERTIFICATE_DAYS;
      const isMissed = isDue && revokedFromMs === null && !approved.has(publicKey);
      if (!isMissed || said.get(publicKey) === toDay) continue;
      said.set(publicKey, toDay);
      const id = toHex(partyIdOf(fromHex(publicKey)));
      log.warn(UNAPPROVED, { gateway: name, id, lastDay: dateOf(toDay) });
    }
  };
}

const UNAPPROVED =
  'the certificate of a gateway ends and is not renewed: this folder has no gateway.pub of it that can be read. ' +
  'Put it into gateways/NAME, or revoke the gateway';
