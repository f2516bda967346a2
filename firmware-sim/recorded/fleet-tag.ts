/** One tag of a fleet: a device in memory, with the plan of its visits. */
import type { TagNumber } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import type { OnAir } from '../../radio/air/air-replay.js';
import type { Central, RadioAddress } from '../../radio/contract.js';
import { openMemoryFlash } from '../tag/flash-memory.js';
import { DEFAULT_SESSION, runGatewaySession } from '../live/gateway-session.js';
import type { SessionOutcome } from '../live/gateway-session.js';
import { noSampleJournal } from '../tag/sample-journal.js';
import { TagDevice } from '../tag/tag-device.js';
import type { RandomBytes } from '../tag/tag-event.js';
import type { SignerOf } from '../tag/tag-secret.js';
import { newTagState } from '../tag/tag-state.js';
import type { TagState } from '../tag/tag-state.js';
import { noTagStore } from '../tag/tag-store.js';
import type { TagPlan } from './visit-plan.js';

export interface FleetTag {
  readonly number: TagNumber | undefined;
  readonly plan: TagPlan;
  readonly device: TagDevice;
  /** The device's own, as it stands. */
  readonly state: TagState;
  /** The last day it has credentials for. */
  coveredThrough: number | undefined;
  onAir(): OnAir | undefined;
  visit(central: Central, gateway: RadioAddress, signal: AbortSignal | undefined): Promise<SessionOutcome>;
}

export interface FleetCommon {
  readonly settings: ProtocolSettings;
  readonly issuerPublicKey: Uint8Array;
  readonly signerOf: SignerOf;
  readonly random: RandomBytes;
  readonly counterMs: () => number;
}

/** Notices are for people who look at their tag, and nobody looks at these. */
const SESSION = { ...DEFAULT_SESSION, withNotices: false };

export function newFleetTag(number: TagNumber | undefined, plan: TagPlan, common: FleetCommon): FleetTag {
  const { settings, issuerPublicKey, random } = common;
  const secret = { day: plan.firstDay, bytes: new Uint8Array(random(32)) };
  const state = newTagState({ settings, issuerPublicKey, secret });
  const device = new TagDevice({
    ...common,
    state,
    flash: openMemoryFlash(),
    store: noTagStore,
    journal: noSampleJournal,
  });
  return {
    number,
    plan,
    device,
    state,
    coveredThrough: undefined,
    onAir: () => {
      device.tick();
      return device.onAir;
    },
    visit: (central, gateway, signal) => visit(device, central, gateway, signal),
  };
}

async function visit(
  device: TagDevice,
  central: Central,
  gateway: RadioAddress,
  signal: AbortSignal | undefined,
): Promise<SessionOutcome> {
  try {
    return await runGatewaySession(await central.connect(gateway, signal), device, SESSION, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof FirebreakError) return { accepted: 0, endedBy: error.code, why: error.message };
    throw error;
  }
}
