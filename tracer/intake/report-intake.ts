/**
 * From an opened report (opening/open-report.ts) to testimonies: what depends on the reports before it. A
 * report is counted once, by its tag and seq (protocol.md §8). What is refused is counted and set apart.
 */
import type { TagNumber } from '../../protocol/brands.js';
import { dayOf } from '../../protocol/time.js';
import type { DoubtShelf } from './doubts.js';
import { countRecords, countRefusal, newTally } from './intake-counts.js';
import type { Tally } from './intake-counts.js';
import type { JudgedRecords, OpenedLogged, Opening } from '../opening/open-report.js';
import type { MidnightRecord, WaitingRecord } from '../waiting/midnight-record.js';
import type { LoggedEntry } from '../follow/payloads.js';
import { judgeAgain } from '../records/record-judge.js';
import type { JudgeContext } from '../records/record-judge.js';
import { ReportChains } from '../reports/report-chains.js';
import type { ChainSettings } from '../reports/report-chains.js';
import { testimonyOf } from '../records/testimony.js';
import type { Testimony } from '../records/testimony.js';

/** What came of a report. */
export type Taken =
  /** The keys of this day are not there, and the report has not been looked into. */
  | { readonly kind: 'waits'; readonly day: number }
  /** What it told, and its records from near midnight that wait for keys; neither when it was refused or is known. */
  | {
      readonly kind: 'read';
      readonly testimonies: readonly Testimony[];
      readonly waiting: readonly WaitingRecord[];
    };

const NOTHING: Taken = { kind: 'read', testimonies: [], waiting: [] };

export class ReportIntake {
  readonly #doubts: DoubtShelf;
  readonly #tally = newTally();
  /** What is remembered of the reports that were read. */
  readonly chains: ReportChains;

  constructor(doubts: DoubtShelf, chains: ChainSettings = {}) {
    this.#doubts = doubts;
    this.chains = new ReportChains(chains);
  }

  get counts(): Tally {
    return this.#tally;
  }

  /** Reports that another names as the one before it and that have not come. */
  get gaps(): number {
    return this.chains.gaps;
  }

  /** A report that came and is pruned: whoever names it as the one before leaves no gap. */
  notePruned({ payloadSha256 }: LoggedEntry): void {
    this.chains.notePruned(payloadSha256); // H(report) is that of the whole payload
  }

  /**
   * In the order of the log. Nothing for a report that is refused or known already. Throws as
   * {@link ReportChains.add}.
   */
  take(entry: LoggedEntry, opening: Opening): Taken {
    if (opening.kind === 'waits') return opening;
    if (opening.kind === 'refused') countRefusal(this.#tally, opening.code);
    return opening.kind === 'opened' ? this.#read(opening, entry) : NOTHING;
  }

  /** A record that waited, of a report that was taken: what it tells, if it does. */
  takeAgain(
    { ledgerIndex, place, record }: MidnightRecord,
    reporter: TagNumber,
    settings: Pick<JudgeContext, 'dayKeysOf' | 'sampleHoldSeconds'>,
  ): readonly Testimony[] {
    const verdict = judgeAgain(record, record.peerEphId, { ...settings, tally: this.#tally, reporter });
    if (verdict.kind === 'forged') this.#doubts.addForged(ledgerIndex, place, dayOf(record.start));
    if (verdict.kind !== 'proven') return [];
    const { peer, beacons } = verdict;
    const { sampleHoldSeconds } = settings;
    return [testimonyOf(record, { peer, beacons, reporter, sampleHoldSeconds, ledgerIndex })];
  }

  /** Reports whose keys will not come any more, or that cannot wait for them. */
  giveUp(count: number): void {
    countRefusal(this.#tally, 'sealing', count);
  }

  #read({ tag, day, seq, prev, plaintextHash, told }: OpenedLogged, entry: LoggedEntry): Taken {
    const tally = this.#tally;
    const { index, payloadSha256 } = entry;
    tally.opened += 1;
    const verdict = this.chains.add({
      tag,
      day,
      seq,
      prev,
      reportHash: payloadSha256,
      plaintextHash,
      ledgerIndex: index,
    });
    if (verdict.kind === 'retry') tally.repeated += 1;
    if (verdict.kind === 'clone') {
      tally.clones += 1;
      this.#doubts.add({ kind: 'clone', ledger: [verdict.firstIndex, index], day });
    }
    return verdict.kind === 'new' ? this.#count(told, index, day) : NOTHING;
  }

  #count(
    { tally, forged, testimonies, waiting, stoppedBy }: JudgedRecords,
    index: number,
    day: number,
  ): Taken {
    countRecords(this.#tally, tally);
    for (const place of forged) this.#doubts.addForged(index, place, day);
    if (stoppedBy !== undefined) countRefusal(this.#tally, stoppedBy);
    return { kind: 'read', testimonies, waiting };
  }
}
