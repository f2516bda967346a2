/**
 * The air of recorded contacts (tracing.md, "Replaying recorded contacts"): two people in contact hear each other's
 * beacon at every multiple of ten seconds inside the contact, at a fixed attenuation, and nobody hears anyone else.
 * Only instants at which somebody is in contact cost anything.
 */
import { FirebreakError } from '../../protocol/errors.js';
import type { RadioAddress, Sighting } from '../contract.js';

/** One stretch, half open, in which two nodes were in range. Nodes are numbers from 0 that the caller gives out. */
export interface RecordedContact {
  readonly a: number;
  readonly b: number;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * An instant at which beacons are heard: delivery k goes from senders[k] to receivers[k]. In order of sender, then
 * receiver; both directions of a contact are there.
 */
export interface ReplayInstant {
  readonly atMs: number;
  readonly senders: Int32Array;
  readonly receivers: Int32Array;
}

export interface ReplaySettings {
  readonly beaconIntervalMs: number;
  readonly attenuationDb: number;
}

export const REPLAY_AIR: ReplaySettings = { beaconIntervalMs: 10_000, attenuationDb: 50 };

/** What a node has on the air at an instant. */
export interface OnAir {
  readonly address: RadioAddress;
  readonly advert: Uint8Array;
  readonly txPowerDbm: number;
}

/**
 * Every instant at which somebody is in contact, in order of time. Contacts may come in any order; those of a pair that
 * overlap or repeat count once. Throws `input` for a node with itself, an empty stretch or a number that is not whole.
 */
export function* replayInstants(
  contacts: Iterable<RecordedContact>,
  settings: ReplaySettings = REPLAY_AIR,
): Generator<ReplayInstant, void, undefined> {
  const waiting = mergePairs(contacts);
  const interval = settings.beaconIntervalMs;
  const nodes = waiting.reduce((most, contact) => Math.max(most, contact.b + 1), 0);
  let active: RecordedContact[] = [];
  let next = 0;
  let atMs = -Infinity;
  for (let first = waiting[0]; first !== undefined || active.length > 0; first = waiting[next]) {
    if (active.length === 0 && first !== undefined) {
      atMs = Math.max(atMs, Math.ceil(first.startMs / interval) * interval);
    }
    for (let due = waiting[next]; due !== undefined && due.startMs <= atMs; due = waiting[next]) {
      active.push(due);
      next += 1;
    }
    active = stillOn(active, atMs);
    if (active.length > 0) yield instantOf(atMs, active, nodes);
    atMs += interval;
  }
}

/**
 * Plays one instant: asks each sender once what it has on the air (undefined: nothing) and hands every receiver of it
 * the same sighting. Returns how many sightings there were.
 */
export function deliverInstant(
  instant: ReplayInstant,
  onAirOf: (sender: number) => OnAir | undefined,
  hear: (receiver: number, sighting: Sighting) => void,
  settings: ReplaySettings = REPLAY_AIR,
): number {
  const { senders, receivers, atMs } = instant;
  let sighting: Sighting | undefined;
  let delivered = 0;
  let sender = -1;
  receivers.forEach((receiver, k) => {
    const from = senders[k] ?? -1;
    if (from !== sender) {
      sender = from;
      sighting = sightingOf(onAirOf(from), atMs, settings);
    }
    if (sighting === undefined) return;
    hear(receiver, sighting);
    delivered += 1;
  });
  return delivered;
}

/** How an advert is heard across the fixed attenuation. */
export function sightingOf(
  onAir: OnAir | undefined,
  atMs: number,
  settings: ReplaySettings,
): Sighting | undefined {
  if (onAir === undefined) return undefined;
  const { address, advert, txPowerDbm } = onAir;
  return { address, advert, rssiDbm: txPowerDbm - settings.attenuationDb, heardAtMs: atMs };
}

/** Disjoint contacts with a < b, in order of start. */
function mergePairs(contacts: Iterable<RecordedContact>): RecordedContact[] {
  const ordered = Array.from(contacts, checkedContact);
  ordered.sort((x, y) => x.a - y.a || x.b - y.b || x.startMs - y.startMs);
  const merged: RecordedContact[] = [];
  for (const contact of ordered) {
    const last = merged.at(-1);
    const joins = last?.a === contact.a && last.b === contact.b && contact.startMs <= last.endMs;
    if (joins) merged[merged.length - 1] = { ...last, endMs: Math.max(last.endMs, contact.endMs) };
    else merged.push(contact);
  }
  return merged.sort((x, y) => x.startMs - y.startMs || x.a - y.a || x.b - y.b);
}

function checkedContact(contact: RecordedContact): RecordedContact {
  const { a, b, startMs, endMs } = contact;
  const sound = [a, b].every((node) => Number.isSafeInteger(node) && node >= 0 && node < 2 ** 26);
  if (
    !sound ||
    a === b ||
    !Number.isSafeInteger(startMs) ||
    !Number.isSafeInteger(endMs) ||
    endMs <= startMs
  ) {
    throw new FirebreakError(
      'input',
      'a recorded contact joins two different nodes from a start to a later end',
    );
  }
  return a < b ? contact : { a: b, b: a, startMs, endMs };
}

function stillOn(active: readonly RecordedContact[], atMs: number): RecordedContact[] {
  return active.filter((contact) => contact.endMs > atMs);
}

function instantOf(atMs: number, active: readonly RecordedContact[], nodes: number): ReplayInstant {
  const keys = new Float64Array(active.length * 2); // sender × nodes + receiver: below 2^53 for any fleet
  active.forEach(({ a, b }, k) => {
    keys[2 * k] = a * nodes + b;
    keys[2 * k + 1] = b * nodes + a;
  });
  keys.sort();
  const senders = Int32Array.from(keys, (key) => Math.floor(key / nodes));
  const receivers = Int32Array.from(keys, (key) => key % nodes);
  return { atMs, senders, receivers };
}
