/** Puts the newest advert on the air, one change at a time; a change that comes during another replaces what waits. */
import type { Log } from '../../protocol/log.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import type { Advertiser } from '../../radio/contract.js';
import type { TagOnAir } from '../tag/tag-state.js';

export interface AdvertSetter {
  set(onAir: TagOnAir | undefined): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export function advertSetter(advertiser: Advertiser, settings: ProtocolSettings, log: Log): AdvertSetter {
  let wanted: { readonly onAir: TagOnAir | undefined } | undefined;
  let running: Promise<void> | undefined;

  async function work(): Promise<void> {
    for (let next = wanted; next !== undefined; next = wanted) {
      wanted = undefined;
      try {
        await apply(advertiser, settings, next.onAir);
      } catch (error) {
        log.warn('the radio did not take an advert', {
          reason: error instanceof Error ? error.message : 'unknown',
        });
      }
    }
    running = undefined;
  }

  return {
    set: (onAir) => {
      wanted = { onAir };
      running ??= work();
    },
    idle: async () => running,
  };
}

async function apply(
  advertiser: Advertiser,
  settings: ProtocolSettings,
  onAir: TagOnAir | undefined,
): Promise<void> {
  if (onAir === undefined) return advertiser.stop();
  await advertiser.set({
    address: onAir.address,
    advert: onAir.advert,
    txPowerDbm: onAir.txPowerDbm,
    intervalMs: settings.beaconIntervalMs,
    phaseMs: onAir.phaseMs,
    jitter: settings.beaconJitter,
    connectable: false,
  });
}
