/**
 * Presence records into reports (protocol.md §8): one day each, sealed to that day's key, without gaps in their numbers while
 * the disk takes what is kept.
 */
import type { DayKeyStatement } from '../protocol/session/day-key-statement.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { issuerIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import { sealPresenceReport } from '../protocol/session/presence-report.js';
import type { PresenceRecord } from '../protocol/session/presence-report.js';
import { MAX_RECORDS } from '../protocol/tag/report-plaintext.js';
import { dayOf } from '../protocol/time.js';
import type { SealedPresence } from './presence-kept.js';
import type { StatementBook } from './statement-book.js';
import type { SequenceStore } from './statement-store.js';

export interface SealerDeps {
  readonly signer: Signer;
  readonly issuerPublicKey: Uint8Array;
  readonly book: StatementBook;
  readonly sequence: SequenceStore;
  readonly log: Log;
}

export interface Sealing {
  /** Undefined when none of the records looked at fits a report. */
  readonly report: SealedPresence | undefined;
  /** Records that no report can hold. They are not in `left`, so that they are not in the way of the others. */
  readonly lost: number;
  readonly left: readonly PresenceRecord[];
}

export class PresenceSealer {
  readonly #deps: SealerDeps;
  /** Taken from the sequence, in no report yet. */
  readonly #numbers: number[] = [];

  constructor(deps: SealerDeps) {
    this.#deps = deps;
  }

  /** The first of these records' reports; undefined when none of them is of a day that has a key. */
  async next(records: readonly PresenceRecord[]): Promise<Sealing | undefined> {
    const sealing = await this.#seal(records, 0);
    if (sealing?.report !== undefined) this.#numbers.shift();
    return sealing;
  }

  /** All that can be sealed of these, under the numbers that the next reports will have: to be kept until then, and no longer. */
  async draft(records: readonly PresenceRecord[]): Promise<SealedPresence[]> {
    const drafts: SealedPresence[] = [];
    let sealing = await this.#seal(records, 0);
    while (sealing !== undefined) {
      if (sealing.report !== undefined) drafts.push(sealing.report);
      sealing = await this.#seal(sealing.left, drafts.length);
    }
    return drafts;
  }

  /** The next report gets a number that no draft had. */
  renumber(): void {
    this.#numbers.length = 0;
  }

  async #seal(records: readonly PresenceRecord[], place: number): Promise<Sealing | undefined> {
    const { book } = this.#deps;
    const first = records.find(({ start }) => book.statementOf(dayOf(start)) !== undefined);
    const statement = first && book.statementOf(dayOf(first.start));
    if (statement === undefined) return undefined;
    const seq = (this.#numbers[place] ??= await this.#deps.sequence.next());
    const chosen = records.filter(({ start }) => dayOf(start) === statement.day).slice(0, MAX_RECORDS);
    const taken = new Set(chosen);
    const report = this.#sealWhatFits(statement, seq, chosen);
    const left = records.filter((record) => !taken.has(record));
    return { report, lost: chosen.length - (report?.count ?? 0), left };
  }

  #sealWhatFits(
    { day, sealingPublicKey }: DayKeyStatement,
    seq: number,
    records: readonly PresenceRecord[],
  ): SealedPresence | undefined {
    const { signer, issuerPublicKey, log } = this.#deps;
    const head = { gateway: signer, issuerId: issuerIdOf(issuerPublicKey), day, sealingPublicKey, seq };
    let why = '';
    const seal = (some: readonly PresenceRecord[]): SealedPresence | undefined => {
      try {
        return { payload: sealPresenceReport({ ...head, records: some }), count: some.length };
      } catch (error) {
        why = String(error);
        return undefined;
      }
    };
    const report = seal(records);
    if (report !== undefined) return report;
    const fitting = records.filter((record) => seal([record]) !== undefined);
    log.error('presence records fit no report', { records: records.length - fitting.length, why });
    return fitting.length > 0 ? seal(fitting) : undefined;
  }
}
