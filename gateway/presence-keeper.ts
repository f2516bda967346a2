/**
 * What a gateway heard and has in no spool yet, kept on disk: sealed, at each turn in which there was something new. That is
 * one write a minute, and a crash costs no more than the minute since. What was kept is taken up at the next start.
 *
 * What a crash may lose: what was heard since the last turn; what is of a day whose key has not arrived, which nobody can
 * seal; and beyond the 4,096 records kept at a turn the oldest that wait, or, when more than that are open, those heard
 * least.
 */
import { isToldByDoubling } from '../host/limited-log.js';
import { partyIdOf } from '../protocol/keys.js';
import { checkPresenceReport, decodePresenceReport } from '../protocol/session/presence-report.js';
import type { PresenceRecord } from '../protocol/session/presence-report.js';
import type { ProtocolSettings } from '../protocol/settings.js';
import { MAX_RECORDS } from '../protocol/tag/report-plaintext.js';
import { DAY_SECONDS } from '../protocol/time.js';
import { DraftNumbers } from './draft-numbers.js';
import { decodeKeptPresence, encodeKeptPresence, recordsIn } from './presence-kept.js';
import type { SealedPresence } from './presence-kept.js';
import type { PresenceSealer, SealerDeps } from './presence-sealer.js';
import type { PresenceTable } from './presence-table.js';
import type { PresenceStore } from './statement-store.js';

/** In no report yet and kept on disk at a turn, beside what an earlier run kept: 172 KB a minute. */
const MAX_RECORDS_KEPT = 4 * MAX_RECORDS;

export interface PresenceKeeperDeps extends Pick<SealerDeps, 'signer' | 'issuerPublicKey' | 'log'> {
  readonly store: PresenceStore;
  readonly settings: Pick<ProtocolSettings, 'retentionDays'>;
  readonly sealer: Pick<PresenceSealer, 'draft'>;
  /** What is open. */
  readonly table: Pick<PresenceTable, 'heardMost'>;
}

/** What is to be kept beside what is open, and the counts that change with what is open. */
export interface PresenceNow {
  /** Closed, in no report yet, oldest first. */
  readonly waiting: readonly PresenceRecord[];
  /** In no spool yet. */
  readonly sealed: readonly SealedPresence[];
  readonly beacons: number;
  readonly reported: number;
}

export class PresenceKeeper {
  readonly #deps: PresenceKeeperDeps;
  readonly #drafts = new DraftNumbers();
  /** What there was to be kept when it was kept last. */
  #keptAt = markOf({ waiting: [], sealed: [], beacons: 0, reported: 0 }, MAX_RECORDS_KEPT);
  #keptCount = 0;
  /** Writes in a row that failed. */
  #failures = 0;

  constructor(deps: PresenceKeeperDeps) {
    this.#deps = deps;
  }

  /** How many records are on disk. */
  get keptCount(): number {
    return this.#keptCount;
  }

  /** Whether a draft of this report's number may be on disk. */
  mayHold(report: SealedPresence): boolean {
    return this.#drafts.mayHold(seqOf(report));
  }

  /** What an earlier run kept. What is damaged or not this gateway's is said and left out. */
  async load(): Promise<readonly SealedPresence[]> {
    const { store, log } = this.#deps;
    const kept = await store.load();
    if (kept === undefined) return [];
    try {
      const reports = decodeKeptPresence(kept);
      this.#keptCount = recordsIn(reports);
      return reports.filter(({ payload }) => this.#isOurs(payload));
    } catch (error) {
      log.warn('the presence reports that were kept cannot be read', { why: String(error) });
      return [];
    }
  }

  /**
   * Writes down what is in no spool yet, unless nothing has changed since: what is sealed, and at most so many other records.
   * Whether it is on disk. Never rejects.
   */
  async keep(now: PresenceNow, mostRecords = MAX_RECORDS_KEPT): Promise<boolean> {
    const mark = markOf(now, mostRecords);
    if (mark === this.#keptAt) return true;
    try {
      const open = this.#deps.table.heardMost(mostRecords);
      const room = mostRecords - open.length;
      const waiting = room > 0 ? now.waiting.slice(-room) : [];
      await this.#write(now.sealed, await this.#deps.sealer.draft([...waiting, ...open]));
      this.#keptAt = mark;
      this.#failures = 0;
      return true;
    } catch (error) {
      this.#sayFailure(error);
      return false;
    }
  }

  async #write(sealed: readonly SealedPresence[], drafts: readonly SealedPresence[]): Promise<void> {
    const reports = [...sealed, ...drafts];
    const isEmpty = reports.length === 0 && this.#keptCount === 0 && this.#drafts.isEmpty;
    const numbers = drafts.map(seqOf);
    this.#drafts.saving(numbers);
    if (!isEmpty) await this.#deps.store.save(encodeKeptPresence(reports));
    this.#drafts.saved(numbers);
    this.#keptCount = recordsIn(reports);
  }

  #sayFailure(error: unknown): void {
    const sofar = (this.#failures += 1);
    if (!isToldByDoubling(sofar)) return;
    const why = String(error);
    this.#deps.log.warn('who was heard cannot be kept on disk; a crash now would lose it', { why, sofar });
  }

  /** Whatever its day is: that is judged when it is posted, by the clock of then. */
  #isOurs(payload: Uint8Array): boolean {
    const { signer, issuerPublicKey, settings, log } = this.#deps;
    try {
      checkPresenceReport(payload, {
        issuerPublicKey,
        retentionDays: settings.retentionDays,
        receivedAtMs: decodePresenceReport(payload).day * DAY_SECONDS * 1000,
        gatewayId: partyIdOf(signer.publicKey),
        gatewayPublicKey: signer.publicKey,
      });
      return true;
    } catch (error) {
      log.warn('a presence report that was kept cannot be sent', { why: String(error) });
      return false;
    }
  }
}

const seqOf = ({ payload }: SealedPresence): number => decodePresenceReport(payload).seq;

const markOf = ({ waiting, sealed, beacons, reported }: PresenceNow, mostRecords: number): string =>
  [beacons, reported, waiting.length, Math.min(waiting.length, mostRecords), sealed.length].join();
