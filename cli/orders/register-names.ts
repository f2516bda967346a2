/**
 * The names of gateways in the authority's register, by the folder's gateways/NAME/gateway.pub. An authority that was put back from a
 * copy learns from the log whom it certified since, and not under which names.
 */
import type { Authority } from '../../authority/authority.js';
import { fromHex } from '../../protocol/bytes.js';

/** Wall time: the register is read as often. */
const LOOK_EVERY_MS = 60_000;

export interface RegisterNamesDeps {
  readonly authority: Pick<Authority, 'gateways' | 'nameGateway'>;
  /** Of the wall, in ms since some moment. */
  readonly wallMs: () => number;
}

/** Names the gateways that are `approved`, public keys in hex with their names, where the register has them under another. */
export function registerNames({
  authority,
  wallMs,
}: RegisterNamesDeps): (approved: ReadonlyMap<string, string>) => Promise<void> {
  let lookedAtMs = -Infinity;
  return async (approved) => {
    if (wallMs() - lookedAtMs < LOOK_EVERY_MS) return;
    lookedAtMs = wallMs();
    for (const { publicKey, name } of await authority.gateways()) {
      const own = approved.get(publicKey);
      if (own !== undefined && own !== name) await authority.nameGateway(fromHex(publicKey), own);
    }
  };
}
