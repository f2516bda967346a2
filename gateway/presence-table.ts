/**
 * Who was heard at the gateway (protocol.md §8, presence), by ephemeral ID. Pure: time comes in with each beacon. As on
 * a tag, two samples make a record, and a record closes when its epoch ended two minutes ago.
 */
import type { Beacon } from '../protocol/beacon.js';
import { toHex } from '../protocol/bytes.js';
import type { PresenceRecord } from '../protocol/presence-report.js';
import { EPOCH_SECONDS } from '../protocol/time.js';

const CLOSE_AFTER_MS = 120_000;
const EPOCH_MS = EPOCH_SECONDS * 1000;
const ATTENUATIONS = 256;
const MAX_MINUTES = 255;

interface OpenPresence {
  readonly ephId: Uint8Array;
  readonly startMs: number;
  lastMs: number;
  samples: number;
  txPowerDbm: number;
  readonly attenuations: Uint16Array;
  readonly proofA: { readonly minuteOffset: number; readonly mac: Uint8Array };
  proofB: { readonly minuteOffset: number; readonly mac: Uint8Array };
}

export class PresenceTable {
  readonly #maxOpen: number;
  readonly #beaconIntervalMs: number;
  readonly #open = new Map<string, OpenPresence>();
  /** Beacons of tags beyond the bound: the newest are not taken in. */
  dropped = 0;

  constructor(limits: { readonly maxOpen: number; readonly beaconIntervalMs: number }) {
    this.#maxOpen = limits.maxOpen;
    this.#beaconIntervalMs = limits.beaconIntervalMs;
  }

  get size(): number {
    return this.#open.size;
  }

  hear(beacon: Beacon, rssiDbm: number | undefined, heardAtMs: number): void {
    const key = toHex(beacon.ephId);
    const known = this.#open.get(key);
    if (known === undefined && this.#open.size >= this.#maxOpen) {
      this.dropped += 1;
      return;
    }
    const presence = known ?? begin(beacon, heardAtMs);
    this.#open.set(key, presence);
    const minuteOffset = Math.floor(heardAtMs / 60_000) - Math.floor(presence.startMs / 60_000);
    presence.lastMs = heardAtMs;
    presence.samples = Math.min(0xffff, presence.samples + 1);
    presence.proofB = { minuteOffset: Math.min(MAX_MINUTES, minuteOffset), mac: beacon.mac };
    const attenuation = rssiDbm === undefined ? 255 : Math.min(255, Math.max(0, beacon.txPowerDbm - rssiDbm));
    presence.attenuations[attenuation] = Math.min(0xffff, (presence.attenuations[attenuation] ?? 0) + 1);
  }

  /** Takes out the records whose epoch ended two minutes ago. Those of a single sample are dropped. */
  closeDue(nowMs: number): PresenceRecord[] {
    const closed: PresenceRecord[] = [];
    for (const [key, presence] of this.#open) {
      const epochEndMs = (Math.floor(presence.startMs / EPOCH_MS) + 1) * EPOCH_MS;
      if (nowMs < epochEndMs + CLOSE_AFTER_MS) continue;
      this.#open.delete(key);
      if (presence.samples >= 2) closed.push(recordOf(presence, this.#beaconIntervalMs));
    }
    return closed;
  }
}

function begin(beacon: Beacon, heardAtMs: number): OpenPresence {
  const proof = { minuteOffset: 0, mac: beacon.mac };
  return {
    ephId: beacon.ephId,
    startMs: heardAtMs,
    lastMs: heardAtMs,
    samples: 0,
    txPowerDbm: beacon.txPowerDbm,
    attenuations: new Uint16Array(ATTENUATIONS),
    proofA: proof,
    proofB: proof,
  };
}

function recordOf(presence: OpenPresence, beaconIntervalMs: number): PresenceRecord {
  const { attenuations } = presence;
  const total = attenuations.reduce((sum, count) => sum + count, 0);
  return {
    ephId: presence.ephId,
    start: Math.floor(presence.startMs / 1000),
    durationSeconds: Math.min(
      0xffff,
      Math.floor((presence.lastMs + beaconIntervalMs - presence.startMs) / 1000),
    ),
    samples: presence.samples,
    minAttenuationDb: attenuations.findIndex((count) => count > 0),
    medianAttenuationDb: lowerMedian(attenuations, total),
    peerTxPowerDbm: presence.txPowerDbm,
    proofA: presence.proofA,
    proofB: presence.proofB,
  };
}

function lowerMedian(counts: Uint16Array, total: number): number {
  let before = 0;
  return counts.findIndex((count) => (before += count) * 2 >= total);
}
