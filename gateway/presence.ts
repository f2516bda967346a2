/**
 * From beacons heard to presence reports on their way (protocol.md §8). Reports are made when an epoch is over. What is in
 * none yet, or in no spool, is kept on disk (presence-keeper.ts) and reported at the next start. A gateway that closes keeps
 * all that waits, but for what nobody can seal and what the next start would not take up: that is counted as lost.
 *
 * A report takes its draft's place on disk before it goes to the spool. So after a crash in between the same bytes are
 * posted twice, which the ledger counts once, and not two reports under one number. When it cannot take that place it gets
 * another number: a crash before the file can be written again posts the draft too.
 *
 * A gateway may start with a clock that is wrong. What is of a later day than the clock shows waits for the clock; what is
 * too old by it is given up only while the gateway's certificate, which holds for days, says that the clock may be right.
 */
import { isToldByDoubling } from '../host/limited-log.js';
import type { Beacon } from '../protocol/tag/beacon.js';
import type { Clock } from '../protocol/clock.js';
import { ENTRY_TYPE } from '../protocol/tlog/entry.js';
import { decodePresenceReport } from '../protocol/session/presence-report.js';
import type { PresenceRecord } from '../protocol/session/presence-report.js';
import { isAcceptedDay } from '../protocol/tag/report-check.js';
import { MAX_RECORDS } from '../protocol/tag/report-plaintext.js';
import type { ProtocolSettings } from '../protocol/settings.js';
import { dayOf } from '../protocol/time.js';
import type { EntryPost } from './entry-post.js';
import { recordsIn } from './presence-kept.js';
import type { SealedPresence } from './presence-kept.js';
import { PresenceKeeper } from './presence-keeper.js';
import type { PresenceNow } from './presence-keeper.js';
import { PresenceSealer } from './presence-sealer.js';
import type { SealerDeps } from './presence-sealer.js';
import { PresenceTable } from './presence-table.js';
import type { PresenceStore } from './statement-store.js';

/** IDs heard at a time; most of these places are for telling tags from forgeries (fair-places.ts). */
const MAX_OPEN = 32_768;
/** Of an epoch: more tags than one antenna hears in a quarter of an hour. Eight reports, 345 KB. */
const MAX_RECORDS_AN_EPOCH = 8 * MAX_RECORDS;

/** A tag that was not heard for so many of its beacons is out of reach. */
const REACH_INTERVALS = 10;

export interface PresenceDeps extends SealerDeps {
  readonly courier: EntryPost;
  readonly store: PresenceStore;
  /** Whether the ledger takes reports of this gateway now; what it does not take waits. */
  readonly mayReport: () => boolean;
  readonly clock: Clock;
  readonly settings: Pick<ProtocolSettings, 'beaconIntervalMs' | 'rssiFloorDbm' | 'retentionDays'>;
}

export class Presence {
  readonly #deps: PresenceDeps;
  readonly #table: PresenceTable;
  readonly #sealer: PresenceSealer;
  readonly #keeper: PresenceKeeper;
  /** Closed, in no report yet; at most {@link MAX_OPEN}, the oldest are lost beyond. */
  #waiting: readonly PresenceRecord[] = [];
  /** Not in the courier's spool yet: what an earlier run kept and what the clock is behind; bounded as #waiting is. */
  #sealed: readonly SealedPresence[] = [];
  #lost = 0;
  /** By the last finish(). */
  #lostAtFinish = 0;
  /** Turns in a row that could not post. */
  #failures = 0;
  beacons = 0;
  reported = 0;
  /** Records that nobody could open any more when they could be reported again. */
  tooOld = 0;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    this.#sealer = new PresenceSealer(deps);
    const { beaconIntervalMs, rssiFloorDbm } = deps.settings;
    const bounds = { maxOpen: MAX_OPEN, maxRecords: MAX_RECORDS_AN_EPOCH };
    this.#table = new PresenceTable({ ...bounds, beaconIntervalMs, rssiFloorDbm });
    this.#keeper = new PresenceKeeper({ ...deps, sealer: this.#sealer, table: this.#table });
  }

  /** Heard in the last few seconds: who left is not counted, nor, but for these seconds, the ID that a tag had before. */
  get tagsInReach(): number {
    const { clock, settings } = this.#deps;
    return this.#table.heardSince(clock.nowMs() - REACH_INTERVALS * settings.beaconIntervalMs);
  }

  get lost(): number {
    return this.#table.dropped + this.#lost + this.#lostAtFinish;
  }

  /** Takes up what an earlier run kept. What is damaged or not this gateway's is said and left out. */
  async open(): Promise<void> {
    this.#hold(await this.#keeper.load());
  }

  hear(beacon: Beacon, rssiDbm: number | undefined, heardAtMs: number): void {
    this.beacons += 1;
    this.#table.hear(beacon, rssiDbm, heardAtMs);
  }

  /** Reports what has closed. What cannot be sealed or spooled now waits for the next turn. Never rejects. */
  async report(): Promise<void> {
    this.#wait(this.#table.closeDue(this.#deps.clock.nowMs()));
    await this.#postWaiting();
    await this.#keeper.keep(this.#now());
  }

  /**
   * Reports everything heard, for a gateway that leaves the air. What cannot be reported now is kept, as much of it as the
   * next start takes up beside what an earlier run kept: 1.4 MB in all. What cannot be kept either is counted as lost, the
   * oldest that wait. Never rejects.
   */
  async finish(): Promise<void> {
    this.#wait(this.#table.closeAll());
    await this.#postWaiting();
    await this.#keeper.keep(this.#now(), MAX_OPEN - recordsIn(this.#sealed));
    const waiting = this.#waiting.length + recordsIn(this.#sealed);
    const lost = Math.max(0, waiting - this.#keeper.keptCount);
    this.#lostAtFinish = lost;
    const { log } = this.#deps;
    if (lost > 0) log.warn('presence records were lost: they could be neither reported nor kept', { lost });
    else if (waiting > 0) log.info('presence records are kept for the next start', { waiting });
  }

  #wait(records: readonly PresenceRecord[]): void {
    const all = [...this.#waiting, ...records];
    this.#waiting = all.slice(-MAX_OPEN);
    this.#lost += all.length - this.#waiting.length;
  }

  /** Beyond {@link MAX_OPEN} records the oldest reports are lost. */
  #hold(reports: readonly SealedPresence[]): void {
    let room = MAX_OPEN;
    const newestFirst = reports.toReversed().filter(({ count }) => (room -= count) >= 0);
    this.#sealed = newestFirst.toReversed();
    this.#lost += recordsIn(reports) - recordsIn(this.#sealed);
  }

  async #postWaiting(): Promise<void> {
    if (!this.#deps.mayReport()) return;
    try {
      for (let more = true; more; more = await this.#sealNext()) await this.#postSealed();
      this.#failures = 0;
    } catch (error) {
      this.#sayFailure(error);
    }
  }

  async #postSealed(): Promise<void> {
    const { courier, clock, settings, log } = this.#deps;
    for (const report of this.#sealed) {
      const { payload, count } = report;
      const timeMs = clock.nowMs();
      const { day } = decodePresenceReport(payload);
      const isAccepted = isAcceptedDay(day, timeMs / 1000, settings.retentionDays);
      if (!isAccepted && day > dayOf(timeMs / 1000)) continue; // the clock is behind
      if (isAccepted) await courier.post([{ type: ENTRY_TYPE.presenceReport, timeMs, payload }]);
      else log.warn('a presence report is too old to be sent', { day, lost: count });
      this.#sealed = this.#sealed.filter((one) => one !== report);
      this.reported += isAccepted ? count : 0;
      this.tooOld += isAccepted ? 0 : count;
    }
  }

  /** Whether there was something to seal; it is on disk then, if the disk allows. */
  async #sealNext(): Promise<boolean> {
    const [waiting, sealed] = [this.#waiting, this.#sealed];
    const sealing = await this.#sealer.next(waiting);
    if (sealing === undefined) return false;
    const { report } = sealing;
    this.#waiting = sealing.left;
    if (report !== undefined) this.#hold([...sealed, report]);
    const isKept = await this.#keeper.keep(this.#now());
    if (!isKept && report !== undefined && this.#keeper.mayHold(report)) {
      [this.#waiting, this.#sealed] = [waiting, sealed];
      this.#sealer.renumber();
      return true;
    }
    this.#lost += sealing.lost;
    return true;
  }

  #now(): PresenceNow {
    const { beacons, reported } = this;
    return { waiting: this.#waiting, sealed: this.#sealed, beacons, reported };
  }

  #sayFailure(error: unknown): void {
    const sofar = (this.#failures += 1);
    if (isToldByDoubling(sofar))
      this.#deps.log.warn('a presence report waits', { why: String(error), sofar });
  }
}
