/**
 * From beacons heard to presence reports on their way (protocol.md §8): one report a day of records, sealed to that
 * day's key. A report that cannot be spooled now is kept as it is, so that its seq is not used up. A record that no report
 * can hold is lost by itself: it must not be in the way of the others.
 */
import type { Beacon } from '../protocol/beacon.js';
import type { Clock } from '../protocol/clock.js';
import type { Signer } from '../protocol/ed25519.js';
import type { DayKeyStatement } from '../protocol/day-key-statement.js';
import { ENTRY_TYPE } from '../protocol/entry.js';
import { issuerIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import { sealPresenceReport } from '../protocol/presence-report.js';
import type { PresenceRecord } from '../protocol/presence-report.js';
import { MAX_RECORDS } from '../protocol/report-plaintext.js';
import type { ProtocolSettings } from '../protocol/settings.js';
import { dayOf } from '../protocol/time.js';
import type { EntryPost } from './gateway.js';
import { PresenceTable } from './presence-table.js';
import type { StatementBook } from './statement-book.js';
import type { SequenceStore } from './statement-store.js';

/** IDs heard at a time; most of these places are for telling tags from forgeries (fair-places.ts). */
const MAX_OPEN = 32_768;
/** Of an epoch: more tags than one antenna hears in a quarter of an hour. Eight reports, 345 KB. */
const MAX_RECORDS_AN_EPOCH = 8 * MAX_RECORDS;

export interface PresenceDeps {
  readonly signer: Signer;
  readonly issuerPublicKey: Uint8Array;
  readonly book: StatementBook;
  readonly sequence: SequenceStore;
  readonly courier: EntryPost;
  readonly clock: Clock;
  readonly settings: Pick<ProtocolSettings, 'beaconIntervalMs' | 'rssiFloorDbm'>;
  readonly log: Log;
}

interface SealedRecords {
  readonly payload: Uint8Array;
  readonly count: number;
}

export class Presence {
  readonly #deps: PresenceDeps;
  readonly #table: PresenceTable;
  /** Closed, in no report yet; at most {@link MAX_OPEN}, the oldest are lost beyond. */
  #waiting: readonly PresenceRecord[] = [];
  /** Sealed, not on disk in the courier's spool yet. */
  #sealed: SealedRecords | undefined;
  /** Taken, and used for the next report that comes out right. */
  #seq: number | undefined;
  #lost = 0;
  beacons = 0;
  reported = 0;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    const { beaconIntervalMs, rssiFloorDbm } = deps.settings;
    this.#table = new PresenceTable({
      maxOpen: MAX_OPEN,
      maxRecords: MAX_RECORDS_AN_EPOCH,
      beaconIntervalMs,
      rssiFloorDbm,
    });
  }

  get tagsInReach(): number {
    return this.#table.size;
  }

  get lost(): number {
    return this.#table.dropped + this.#lost;
  }

  hear(beacon: Beacon, rssiDbm: number | undefined, heardAtMs: number): void {
    this.beacons += 1;
    this.#table.hear(beacon, rssiDbm, heardAtMs);
  }

  /** Reports what has closed. What cannot be sealed or spooled now waits for the next turn. Never rejects. */
  async report(): Promise<void> {
    this.#wait(this.#table.closeDue(this.#deps.clock.nowMs()));
    await this.#postWaiting();
  }

  /** Reports everything heard, for a gateway that leaves the air. What cannot be reported now is lost. Never rejects. */
  async finish(): Promise<void> {
    this.#wait(this.#table.closeAll());
    await this.#postWaiting();
    const lost = this.#waiting.length + (this.#sealed?.count ?? 0);
    if (lost > 0) this.#deps.log.warn('presence records were lost: they could not be reported', { lost });
  }

  #wait(records: readonly PresenceRecord[]): void {
    const all = [...this.#waiting, ...records];
    this.#waiting = all.slice(-MAX_OPEN);
    this.#lost += all.length - this.#waiting.length;
  }

  async #postWaiting(): Promise<void> {
    try {
      for (let more = true; more;) {
        this.#sealed ??= await this.#sealNext();
        more = this.#sealed !== undefined;
        if (this.#sealed) await this.#post(this.#sealed);
      }
    } catch (error) {
      this.#deps.log.warn('a presence report waits', { why: String(error) });
    }
  }

  async #post({ payload, count }: SealedRecords): Promise<void> {
    const { courier, clock } = this.#deps;
    await courier.post([{ type: ENTRY_TYPE.presenceReport, timeMs: clock.nowMs(), payload }]);
    this.#sealed = undefined;
    this.reported += count;
  }

  /** Of the first day that has a key; undefined when nothing can be sealed now. */
  async #sealNext(): Promise<SealedRecords | undefined> {
    const { sequence, book } = this.#deps;
    const first = this.#waiting.find(({ start }) => book.statementOf(dayOf(start)) !== undefined);
    const statement = first && book.statementOf(dayOf(first.start));
    if (statement === undefined) return undefined;
    this.#seq ??= await sequence.next();
    const ofDay = this.#waiting.filter(({ start }) => dayOf(start) === statement.day);
    const records = ofDay.slice(0, MAX_RECORDS);
    const sealed = this.#sealWhatFits(statement, this.#seq, records);
    const taken = new Set(records);
    this.#waiting = this.#waiting.filter((record) => !taken.has(record));
    if (sealed === undefined) return this.#sealNext();
    this.#seq = undefined;
    return sealed;
  }

  /** Undefined when none of the records fits a report. */
  #sealWhatFits(
    statement: DayKeyStatement,
    seq: number,
    records: readonly PresenceRecord[],
  ): SealedRecords | undefined {
    const { signer, issuerPublicKey, log } = this.#deps;
    const { day, sealingPublicKey } = statement;
    const head = { gateway: signer, issuerId: issuerIdOf(issuerPublicKey), day, sealingPublicKey, seq };
    let why = '';
    const seal = (some: readonly PresenceRecord[]): SealedRecords | undefined => {
      try {
        return { payload: sealPresenceReport({ ...head, records: some }), count: some.length };
      } catch (error) {
        why = String(error);
        return undefined;
      }
    };
    const sealed = seal(records);
    if (sealed !== undefined) return sealed;
    const fitting = records.filter((record) => seal([record]) !== undefined);
    const lost = records.length - fitting.length;
    this.#lost += lost;
    log.error('presence records that fit no report are lost', { lost, why });
    return fitting.length > 0 ? seal(fitting) : undefined;
  }
}
