/** A tag device on memory for tests, enrolled with the test authority, whose counter the test moves. */
import { asTagNumber } from '../../protocol/brands.js';
import { encodeAdvert } from '../../protocol/tag/beacon.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { openMemoryFlash } from '../../firmware-sim/tag/flash-memory.js';
import type { Flash } from '../../firmware-sim/tag/flash.js';
import { noSampleJournal } from '../../firmware-sim/tag/sample-journal.js';
import type { SampleJournal } from '../../firmware-sim/tag/sample-journal.js';
import { TagDevice } from '../../firmware-sim/tag/tag-device.js';
import type { TagOnAir, TagState } from '../../firmware-sim/tag/tag-state.js';
import { newTagState } from '../../firmware-sim/tag/tag-state.js';
import type { TagStore } from '../../firmware-sim/tag/tag-store.js';
import { decodeSavedTag, encodeSavedTag } from '../../firmware-sim/tag/saved-tag.js';
import { seededRandom } from '../../radio/random.js';
import { macOf, MIDNIGHT_MS, peerId, SETTINGS } from './samples.js';
import type { TestAuthority } from './test-authority.js';

export interface TestTag {
  readonly device: TagDevice;
  readonly state: TagState;
  readonly flash: Flash;
  /** Every change of what is on the air. */
  readonly adverts: (TagOnAir | undefined)[];
  /** Every state that was made durable. */
  readonly saved: string[];
  /** What its disk does not take. */
  readonly full: { store: boolean; flash: boolean };
  nowMs: number;
  /** By how much its host's clock is set wrong. */
  hostErrorMs: number;
  /** The peer's beacons, a second apart. */
  hear(peer: number, count?: number): void;
}

const TODAY = MIDNIGHT_MS / 86_400_000;

/** Twelve o'clock on the day that all tests begin on. */
export const NOON_MS = MIDNIGHT_MS + 43_200_000;

export async function testTag(
  authority: TestAuthority,
  given: { readonly tag?: number; readonly days?: number; readonly settings?: ProtocolSettings } = {},
): Promise<TestTag> {
  const { tag = 17, days = 2, settings = SETTINGS } = given;
  const random = seededRandom(`tag ${tag}`);
  const secret = { day: TODAY, bytes: random.bytes(32) };
  const state = newTagState({ settings, issuerPublicKey: authority.issuer.publicKey, secret });
  const at = { nowMs: NOON_MS, hostErrorMs: 0 };
  const full = { store: false, flash: false };
  const requireRoom = (isFull: boolean): void => {
    if (isFull) throw new Error('ENOSPC: no space left on device');
  };
  const flash = openMemoryFlash();
  const append = flash.append.bind(flash);
  flash.append = (records) => {
    requireRoom(full.flash);
    append(records);
  };
  const adverts: (TagOnAir | undefined)[] = [];
  const saved: string[] = [];
  const store: TagStore = {
    save: (changed) => {
      requireRoom(full.store);
      saved.push(encodeSavedTag(changed));
    },
  };
  const device = new TagDevice({
    state,
    flash,
    store,
    journal: noSampleJournal,
    signerOf: fastSigner,
    random: (length) => random.bytes(length),
    counterMs: () => at.nowMs,
    host: { nowMs: () => at.nowMs + at.hostErrorMs, rate: 1 },
    onAirChanged: (onAir) => void adverts.push(onAir),
  });
  const made: TestTag = Object.assign(at, {
    device,
    state,
    flash,
    adverts,
    saved,
    full,
    hear: (peer: number, count = 2) => {
      for (let k = 0; k < count; k += 1, at.nowMs += 1000) device.heard(sighting(peer, at.nowMs));
    },
  });
  await device.enrol(authority.station, { firstDay: TODAY, days }, asTagNumber(tag));
  return made;
}

/** The device that is made of what a kill left on disk, not started yet; it shares the tag's time, flash and disk. */
export function afterKill(
  tag: TestTag,
  journal: SampleJournal = noSampleJournal,
): { readonly device: TagDevice; readonly state: TagState } {
  const state = decodeSavedTag(tag.saved.at(-1) ?? '', tag.state.settings);
  const random = seededRandom(`start ${tag.saved.length} at ${tag.nowMs}`);
  const device = new TagDevice({
    state,
    flash: tag.flash,
    store: { save: (changed) => void tag.saved.push(encodeSavedTag(changed)) },
    journal,
    signerOf: fastSigner,
    random: (length) => random.bytes(length),
    counterMs: () => tag.nowMs,
    host: { nowMs: () => tag.nowMs + tag.hostErrorMs, rate: 1 },
    onAirChanged: (onAir) => void tag.adverts.push(onAir),
  });
  return { device, state };
}

export function restarted(tag: TestTag): ReturnType<typeof afterKill> {
  const made = afterKill(tag);
  made.device.restart();
  return made;
}

export function sighting(peer: number, atMs: number) {
  const advert = encodeAdvert({ txPowerDbm: 0, ephId: peerId(peer), mac: macOf(peer, atMs) });
  return { address: 'c00000000001', rssiDbm: -50, advert, heardAtMs: atMs };
}
