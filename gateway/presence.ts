/** From beacons heard to presence reports on their way: one report a day of records, sealed to that day's key. */
import type { Beacon } from '../protocol/beacon.js';
import type { Clock } from '../protocol/clock.js';
import type { Signer } from '../protocol/ed25519.js';
import { ENTRY_TYPE } from '../protocol/entry.js';
import { issuerIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import { sealPresenceReport } from '../protocol/presence-report.js';
import type { PresenceRecord } from '../protocol/presence-report.js';
import { MAX_RECORDS } from '../protocol/report-plaintext.js';
import { dayOf } from '../protocol/time.js';
import type { EntryPost } from './gateway.js';
import { PresenceTable } from './presence-table.js';
import type { StatementBook } from './statement-book.js';
import type { SequenceStore } from './statement-store.js';

const MAX_OPEN = 65_536;

export interface PresenceDeps {
  readonly signer: Signer;
  readonly issuerPublicKey: Uint8Array;
  readonly book: StatementBook;
  readonly sequence: SequenceStore;
  readonly courier: EntryPost;
  readonly clock: Clock;
  readonly beaconIntervalMs: number;
  readonly log: Log;
}

export class Presence {
  readonly #deps: PresenceDeps;
  readonly #table: PresenceTable;
  /** Closed, not yet on disk in the courier's spool; at most what one epoch can hold. */
  #waiting: PresenceRecord[] = [];
  beacons = 0;
  reported = 0;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    this.#table = new PresenceTable({ maxOpen: MAX_OPEN, beaconIntervalMs: deps.beaconIntervalMs });
  }

  get tagsInReach(): number {
    return this.#table.size;
  }

  hear(beacon: Beacon, rssiDbm: number | undefined, heardAtMs: number): void {
    this.beacons += 1;
    this.#table.hear(beacon, rssiDbm, heardAtMs);
  }

  /** Reports what has closed. What cannot be sealed or spooled now waits for the next turn. */
  async report(): Promise<void> {
    this.#waiting = [...this.#waiting, ...this.#table.closeDue(this.#deps.clock.nowMs())].slice(-MAX_OPEN);
    for (const day of new Set(this.#waiting.map((record) => dayOf(record.start)))) {
      const records = this.#waiting.filter((record) => dayOf(record.start) === day);
      const statement = this.#deps.book.statementOf(day);
      if (statement === undefined) continue;
      for (let at = 0; at < records.length; at += MAX_RECORDS) {
        await this.#post(day, statement.sealingPublicKey, records.slice(at, at + MAX_RECORDS));
      }
    }
  }

  async #post(day: number, sealingPublicKey: Uint8Array, records: readonly PresenceRecord[]): Promise<void> {
    const { signer, issuerPublicKey, sequence, courier, clock } = this.#deps;
    const issuerId = issuerIdOf(issuerPublicKey);
    const seq = await sequence.next();
    const payload = sealPresenceReport({ gateway: signer, issuerId, day, sealingPublicKey, seq, records });
    await courier.post([{ type: ENTRY_TYPE.presenceReport, timeMs: clock.nowMs(), payload }]);
    this.#waiting = this.#waiting.filter((record) => !records.includes(record));
    this.reported += records.length;
  }
}
