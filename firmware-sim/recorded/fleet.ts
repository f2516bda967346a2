/**
 * A fleet of tags in one process that lives through a recording of contacts in virtual time (tracing.md, "Replaying
 * recorded contacts"): each person's tag beacons, listens, and visits the one gateway after every hour in which it logged
 * something. Sessions at one time run side by side, bounded, and time waits for them.
 */
import { randomBytes } from 'node:crypto';
import type { VirtualClock } from '../../host/clock-virtual.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import type { TagNumber } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import { REPLAY_SETTINGS } from '../../protocol/settings.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { deliverInstant, replayInstants } from '../../radio/air/air-replay.js';
import type { Central, RadioAddress } from '../../radio/contract.js';
import type { ContactRecording } from './contact-recording.js';
import type { EnrolmentStation } from '../live/enrolment.js';
import { newFleetTag } from './fleet-tag.js';
import type { FleetTag } from './fleet-tag.js';
import { forEachBounded } from './bounded.js';
import type { SessionOutcome } from '../live/gateway-session.js';
import type { RandomBytes } from '../tag/tag-event.js';
import type { SignerOf } from '../tag/tag-secret.js';
import type { TagState } from '../tag/tag-state.js';
import { planVisits } from './visit-plan.js';

export interface FleetDeps {
  readonly recording: ContactRecording;
  /** Stands at or before the recording's start; it is run to the end of the last visit. */
  readonly clock: VirtualClock;
  readonly station: EnrolmentStation;
  readonly issuerPublicKey: Uint8Array;
  /** Any place on the air from which the gateway can be reached: tags in replay share it. */
  readonly central: Central;
  readonly gatewayAddress: RadioAddress;
  readonly settings?: ProtocolSettings;
  readonly signerOf?: SignerOf;
  readonly random?: RandomBytes;
  readonly sessionsAtOnce?: number;
  readonly onProgress?: (progress: FleetProgress) => void;
  /** Told of each tag when all is done: what it would keep in its folder. */
  readonly onLeft?: (tag: TagNumber, state: TagState) => void;
  readonly signal?: AbortSignal;
}

export interface FleetCounts {
  readonly tags: number;
  readonly enrolled: number;
  readonly sightings: number;
  /** Records closed and written to flash. */
  readonly records: number;
  readonly delivered: number;
  readonly reports: number;
  readonly dropped: number;
  readonly sessions: number;
  readonly failedSessions: number;
}

export interface FleetProgress extends FleetCounts {
  readonly atMs: number;
  /** Of the recording's time, 0 to 1. */
  readonly fraction: number;
}

export interface FleetSummary extends FleetCounts {
  /** Records that no gateway took, however often it was tried. */
  readonly undelivered: number;
  /** Wall ms spent on credentials, on the air, and in sessions. */
  readonly enrolMs: number;
  readonly airMs: number;
  readonly sessionMs: number;
}

const SESSIONS_AT_ONCE = 32;
const ENROL_AT_ONCE = 8;
/** Enrolments between which the clock gets a turn. */
const ENROL_CHUNK = 32;
const LAST_ROUNDS = 5;
const LAST_ROUND_APART_MS = 60_000;
const DAY_MS = 86_400_000;
const MAX_DAYS_AT_ONCE = 7;

/** Throws what enrolment throws; a failed session is counted and tried again. */
export async function replayFleet(deps: FleetDeps): Promise<FleetSummary> {
  return new Fleet(deps).run();
}

class Fleet {
  readonly #deps: FleetDeps;
  readonly #tags: readonly FleetTag[];
  #enrolled = 0;
  #sightings = 0;
  #sessions = 0;
  #failedSessions = 0;
  #enrolMs = 0;
  #sessionMs = 0;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
    const plans = planVisits(deps.recording);
    const common = {
      settings: deps.settings ?? REPLAY_SETTINGS,
      issuerPublicKey: deps.issuerPublicKey,
      signerOf: deps.signerOf ?? fastSigner,
      random: deps.random ?? randomBytes,
      counterMs: () => deps.clock.nowMs(),
    };
    this.#tags = plans.map((plan, place) => newFleetTag(deps.recording.persons[place], plan, common));
  }

  async run(): Promise<FleetSummary> {
    const { clock, recording } = this.#deps;
    if (clock.nowMs() > recording.startMs)
      throw new FirebreakError('input', 'the clock is past the start of the recording');
    const started = performance.now();
    this.#scheduleEnrolments();
    this.#scheduleVisits();
    for (const instant of replayInstants(recording.contacts)) {
      this.#deps.signal?.throwIfAborted();
      await clock.run(instant.atMs);
      this.#sightings += deliverInstant(
        instant,
        (sender) => this.#tags[sender]?.onAir(),
        (receiver, sighting) => this.#tags[receiver]?.device.heard(sighting),
      );
    }
    await clock.run(this.#lastVisitMs());
    await this.#visitOnceMore();
    for (const { number, state } of this.#tags) if (number !== undefined) this.#deps.onLeft?.(number, state);
    return this.#summary(performance.now() - started);
  }

  #scheduleEnrolments(): void {
    const byDay = groupBy(this.#tags, (tag) => tag.plan.firstDay);
    for (const [day, tags] of byDay) this.#scheduleCredentials(day, tags);
  }

  /** A few at a time, so that no single pause of the clock grows long. */
  #scheduleCredentials(day: number, tags: readonly FleetTag[]): void {
    for (let at = 0; at < tags.length; at += ENROL_CHUNK) {
      const chunk = tags.slice(at, at + ENROL_CHUNK);
      this.#deps.clock.schedule(day * DAY_MS, () => this.#giveCredentials(chunk));
    }
  }

  async #giveCredentials(tags: readonly FleetTag[]): Promise<void> {
    const started = performance.now();
    await forEachBounded(tags, ENROL_AT_ONCE, async (tag) => {
      const firstDay = tag.coveredThrough === undefined ? tag.plan.firstDay : tag.coveredThrough + 1;
      const days = Math.min(MAX_DAYS_AT_ONCE, tag.plan.lastDay - firstDay + 1);
      if (tag.coveredThrough === undefined) {
        await tag.device.enrol(this.#deps.station, { firstDay, days }, tag.number);
        this.#enrolled += 1;
      } else await tag.device.renew(this.#deps.station, { firstDay, days });
      tag.coveredThrough = firstDay + days - 1;
    });
    this.#enrolMs += performance.now() - started;
    const more = groupBy(
      tags.filter((tag) => (tag.coveredThrough ?? 0) < tag.plan.lastDay),
      (tag) => tag.coveredThrough ?? 0,
    );
    for (const [day, waiting] of more) this.#scheduleCredentials(day, waiting);
    this.#report();
  }

  #scheduleVisits(): void {
    const visits = this.#tags.flatMap((tag) => tag.plan.visitsMs.map((atMs) => ({ atMs, tag })));
    for (const [atMs, due] of groupBy(visits, (visit) => visit.atMs)) {
      this.#deps.clock.schedule(atMs, () => this.#visit(due.map(({ tag }) => tag)));
    }
  }

  /** Those whom the gateway had no room for come again, fewer at a time. */
  async #visit(tags: readonly FleetTag[]): Promise<void> {
    this.#deps.signal?.throwIfAborted();
    const started = performance.now();
    for (const tag of tags) tag.device.tick();
    const most = this.#deps.sessionsAtOnce ?? SESSIONS_AT_ONCE;
    for (const atOnce of [most, Math.ceil(most / 4), 1]) {
      const waiting = tags.filter((tag) => tag.device.wantsSession);
      await forEachBounded(waiting, atOnce, (tag) => this.#session(tag));
    }
    this.#sessionMs += performance.now() - started;
    this.#report();
  }

  async #session(tag: FleetTag): Promise<void> {
    const { central, gatewayAddress, signal } = this.#deps;
    this.#sessions += 1;
    const outcome: SessionOutcome = await tag.visit(central, gatewayAddress, signal);
    if (outcome.endedBy !== undefined) this.#failedSessions += 1;
  }

  /** For what the planned visits left behind: a gateway that was busy or away. */
  async #visitOnceMore(): Promise<void> {
    for (let round = 0; round < LAST_ROUNDS; round += 1) {
      const waiting = this.#tags.filter((tag) => tag.device.wantsSession);
      if (waiting.length === 0) return;
      await this.#deps.clock.advance(LAST_ROUND_APART_MS);
      await this.#deps.clock.hold(this.#visit(waiting));
    }
  }

  #lastVisitMs(): number {
    return this.#tags.reduce((last, tag) => Math.max(last, tag.plan.visitsMs.at(-1) ?? 0), 0);
  }

  #counts(): FleetCounts {
    const statuses = this.#tags.map((tag) => tag.device.status());
    const sum = (of: (status: (typeof statuses)[number]) => number): number =>
      statuses.reduce((total, status) => total + of(status), 0);
    return {
      tags: this.#tags.length,
      enrolled: this.#enrolled,
      sightings: this.#sightings,
      records: sum(({ logged }) => logged),
      delivered: sum(({ delivered }) => delivered),
      reports: sum(({ reports }) => reports),
      dropped: sum(({ dropped }) => dropped),
      sessions: this.#sessions,
      failedSessions: this.#failedSessions,
    };
  }

  #report(): void {
    const { onProgress, clock, recording } = this.#deps;
    if (onProgress === undefined) return;
    const atMs = clock.nowMs();
    const passed = (atMs - recording.startMs) / (this.#lastVisitMs() - recording.startMs);
    onProgress({ ...this.#counts(), atMs, fraction: Math.min(1, Math.max(0, passed)) });
  }

  #summary(totalMs: number): FleetSummary {
    const { enrolled, ...counts } = this.#counts();
    const [enrolMs, sessionMs] = [this.#enrolMs, this.#sessionMs];
    const undelivered = this.#tags.reduce((total, tag) => total + tag.device.status().waiting, 0);
    return { ...counts, enrolled, undelivered, enrolMs, sessionMs, airMs: totalMs - enrolMs - sessionMs };
  }
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
