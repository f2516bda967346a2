/**
 * Who was heard at the gateway (protocol.md §8, presence), by ephemeral ID and power. Pure: time comes in with each
 * beacon. As on a tag (§6), two samples above the RSSI floor make a record, a beacon whose MAC was first heard more than
 * two minutes ago is a replay, one of another power is another sender's (§4) and has a record of its own, and a record
 * closes when its epoch ended two minutes ago.
 *
 * The host's clock may be set meanwhile. Back by less than two minutes, time stands still for a record until the clock has
 * caught up. Back by more, or forward past the record's end, the record ends as it stands and whoever is heard begins
 * another. Forward within its epoch it is as if nothing had been heard in between. No record ends before it began, and
 * none is longer than its epoch and two minutes.
 *
 * Bounded, and fair to those who are really there (fair-places.ts). Of what closes at one time those heard most are given
 * out, up to a bound: forgeries cost no more than that in reports.
 */
import type { Beacon } from '../protocol/tag/beacon.js';
import { toHex } from '../protocol/bytes.js';
import type { PresenceRecord } from '../protocol/session/presence-report.js';
import { EPOCH_SECONDS } from '../protocol/time.js';
import { FairPlaces } from './fair-places.js';

const CLOSE_AFTER_MS = 120_000;
const REPLAY_AFTER_MS = 120_000;
/** A clock that is behind what was heard last by more than this was set back. */
const SET_BACK_MS = 120_000;
const EPOCH_MS = EPOCH_SECONDS * 1000;
const ATTENUATIONS = 256;
const MAX_MINUTES = 255;
/** An honest tag has one MAC a minute; beyond this an ID's MACs are counted but not remembered. */
const MAX_MACS = 32;
const NO_RSSI = 255;
const STRONG_SAMPLES_NEEDED = 2;

interface HeardBeacon {
  readonly atMs: number;
  readonly attenuationDb: number;
  /** Above the RSSI floor. */
  readonly isStrong: boolean;
  readonly beacon: Beacon;
}

interface OpenPresence {
  readonly first: HeardBeacon;
  last: HeardBeacon;
  samples: number;
  strongSamples: number;
  /** Samples by attenuation; not there while there is but the first: most forgeries get no further. */
  attenuations: Uint16Array | undefined;
  /** Each MAC as a number, and when it was first heard: in turns, which takes a tenth of a Map's memory. */
  readonly macs: number[];
}

export interface PresenceLimits {
  readonly maxOpen: number;
  /** Given out by one closeDue() or closeAll(). */
  readonly maxRecords: number;
  readonly beaconIntervalMs: number;
  readonly rssiFloorDbm: number;
}

export class PresenceTable {
  readonly #limits: PresenceLimits;
  readonly #open: FairPlaces<OpenPresence>;
  /** Ended before they were due, since the clock was set; at most as many as may be open. */
  #ended: OpenPresence[] = [];
  /** Those who lost their place, and records beyond what is given out. */
  dropped = 0;
  /** Beacons that were replayed. */
  ignored = 0;

  constructor(limits: PresenceLimits) {
    this.#limits = limits;
    this.#open = new FairPlaces(limits.maxOpen);
  }

  get size(): number {
    return this.#open.size;
  }

  /** How many were heard at that time or later. */
  heardSince(sinceMs: number): number {
    return this.#open.entries().filter(([, { last }]) => last.atMs >= sinceMs).length;
  }

  hear(beacon: Beacon, rssiDbm: number | undefined, heardAtMs: number): void {
    const key = `${toHex(beacon.ephId)}/${beacon.txPowerDbm}`;
    const attenuation = rssiDbm === undefined ? NO_RSSI : beacon.txPowerDbm - rssiDbm;
    const heard = {
      atMs: heardAtMs,
      attenuationDb: Math.min(NO_RSSI, Math.max(0, Math.round(attenuation))),
      isStrong: rssiDbm !== undefined && rssiDbm >= this.#limits.rssiFloorDbm,
      beacon,
    };
    const known = this.#open.get(key);
    if (known !== undefined && isOfItsTime(known, heardAtMs)) return this.#sample(key, known, heard);
    if (known !== undefined) this.#end(key, known);
    if (this.#open.put(key, openPresence(heard), 1)) this.dropped += 1;
  }

  /** Takes out the records whose epoch ended two minutes ago. Those without two strong samples are dropped. */
  closeDue(nowMs: number): PresenceRecord[] {
    return this.#take((presence) => !isOfItsTime(presence, nowMs));
  }

  /** Takes out all records, for a gateway that leaves the air. */
  closeAll(): PresenceRecord[] {
    return this.#take(() => true);
  }

  /** As they stand, without closing them: at most so many, those heard most. */
  heardMost(count: number): PresenceRecord[] {
    const open = this.#open.entries().map(([, presence]) => presence);
    return this.#recordsOf([...this.#ended, ...open], count);
  }

  #take(which: (presence: OpenPresence) => boolean): PresenceRecord[] {
    const taken = this.#ended;
    this.#ended = [];
    for (const [key, presence] of this.#open.entries()) {
      if (!which(presence)) continue;
      this.#open.remove(key);
      taken.push(presence);
    }
    const { maxRecords } = this.#limits;
    this.dropped += Math.max(0, taken.filter(isWorthARecord).length - maxRecords);
    return this.#recordsOf(taken, maxRecords);
  }

  #recordsOf(presences: readonly OpenPresence[], count: number): PresenceRecord[] {
    const { beaconIntervalMs } = this.#limits;
    return mostHeard(presences.filter(isWorthARecord), count).map((one) => recordOf(one, beaconIntervalMs));
  }

  #end(key: string, presence: OpenPresence): void {
    this.#open.remove(key);
    if (this.#ended.length < this.#limits.maxOpen) this.#ended.push(presence);
    else this.dropped += 1;
  }

  #sample(key: string, presence: OpenPresence, heard: HeardBeacon): void {
    const mac = numberOf(heard.beacon.mac);
    const firstMs = firstHeardMs(presence.macs, mac);
    if (firstMs !== undefined && heard.atMs - firstMs > REPLAY_AFTER_MS) {
      this.ignored += 1;
      return;
    }
    if (firstMs === undefined && presence.macs.length < 2 * MAX_MACS) presence.macs.push(mac, heard.atMs);
    presence.last = { ...heard, atMs: Math.max(heard.atMs, presence.last.atMs) };
    presence.samples = Math.min(0xffff, presence.samples + 1);
    if (heard.isStrong) presence.strongSamples += 1;
    presence.attenuations ??= countsOf(presence.first);
    countIn(presence.attenuations, heard.attenuationDb);
    this.#open.put(key, presence, presence.samples);
  }
}

const isWorthARecord = ({ strongSamples }: OpenPresence): boolean => strongSamples >= STRONG_SAMPLES_NEEDED;

/** At most `count` of them: those with the most samples, in that order when there are more. */
function mostHeard(presences: readonly OpenPresence[], count: number): readonly OpenPresence[] {
  if (presences.length <= count) return presences;
  return presences.toSorted((one, other) => other.samples - one.samples).slice(0, count);
}

/** Whether a record may go on with what is heard at `atMs`: it is not due then, and the clock was not set back. */
function isOfItsTime({ first, last }: Pick<OpenPresence, 'first' | 'last'>, atMs: number): boolean {
  const dueMs = (Math.floor(first.atMs / EPOCH_MS) + 1) * EPOCH_MS + CLOSE_AFTER_MS;
  return atMs < dueMs && atMs >= last.atMs - SET_BACK_MS;
}

function openPresence(first: HeardBeacon): OpenPresence {
  return {
    first,
    last: first,
    samples: 1,
    strongSamples: first.isStrong ? 1 : 0,
    attenuations: undefined,
    macs: [numberOf(first.beacon.mac), first.atMs],
  };
}

/** Of the six bytes of a MAC. */
const numberOf = (mac: Uint8Array): number => mac.reduce((number, byte) => number * 256 + byte, 0);

function firstHeardMs(macs: readonly number[], mac: number): number | undefined {
  for (let at = 0; at < macs.length; at += 2) if (macs[at] === mac) return macs[at + 1];
  return undefined;
}

function countsOf({ attenuationDb }: HeardBeacon): Uint16Array {
  const counts = new Uint16Array(ATTENUATIONS);
  countIn(counts, attenuationDb);
  return counts;
}

function countIn(counts: Uint16Array, value: number): void {
  counts[value] = Math.min(0xffff, (counts[value] ?? 0) + 1);
}

function recordOf(presence: OpenPresence, beaconIntervalMs: number): PresenceRecord {
  const { first, last, attenuations = countsOf(first) } = presence;
  const total = attenuations.reduce((sum, count) => sum + count, 0);
  const seconds = Math.floor((last.atMs + beaconIntervalMs - first.atMs) / 1000);
  return {
    ephId: first.beacon.ephId,
    start: Math.floor(first.atMs / 1000),
    durationSeconds: Math.min(0xffff, seconds),
    samples: presence.samples,
    minAttenuationDb: attenuations.findIndex((count) => count > 0),
    medianAttenuationDb: lowerMedian(attenuations, total),
    peerTxPowerDbm: first.beacon.txPowerDbm,
    proofA: { minuteOffset: 0, mac: first.beacon.mac },
    proofB: { minuteOffset: minutesBetween(first.atMs, last.atMs), mac: last.beacon.mac },
  };
}

const minutesBetween = (fromMs: number, toMs: number): number =>
  Math.min(MAX_MINUTES, Math.floor(toMs / 60_000) - Math.floor(fromMs / 60_000));

function lowerMedian(counts: Uint16Array, total: number): number {
  let before = 0;
  return counts.findIndex((count) => (before += count) * 2 >= total);
}
