/**
 * What came before the keys that it needs: reports of days whose keys were not there, and records from near
 * midnight that the keys of the neighbouring day may name. Both are taken once the keys are there, as if they
 * had been all along, and kept from life to life. But a tag's report whose number another took meanwhile is a
 * clone of that one, though it was logged first: what that one told was merged already. It counts as overtaken.
 */
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import type { FoundPayload, LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { Log } from '../../protocol/log.js';
import type { ContactStore } from '../contacts/contact-store.js';
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import type { DayKeySource } from './day-key-source.js';
import { MidnightRecords } from '../waiting/midnight-records.js';
import type { MidnightRecord, WaitingRecord } from '../waiting/midnight-record.js';
import { payloadsOf, PAYLOADS_AT_ONCE } from '../follow/payloads.js';
import type { LoggedEntry } from '../follow/payloads.js';
import type { PresenceIntake } from './presence-intake.js';
import { readAgain } from '../waiting/read-again.js';
import type { ReportIntake } from './report-intake.js';
import type { Sections } from '../contacts/state-sections.js';
import type { Testimony } from '../records/testimony.js';
import { Turns } from '../turns.js';
import { WaitingReports } from '../waiting/waiting-reports.js';

const [WAITING, MIDNIGHT] = ['waiting reports', 'records from near midnight'] as const;
/** Some ms of them. */
const RECORDS_AT_ONCE = 128;

export interface LateDeps {
  readonly reader: LedgerReader;
  readonly dayKeys: DayKeySource;
  readonly sampleHoldSeconds: number;
  readonly log?: Log;
  readonly contacts: ContactStore;
  readonly reports: ReportIntake;
  readonly presence: PresenceIntake;
  /** Takes entries with their payloads, all or nothing; `begin` is called first, and is part of it. */
  readonly takeEntries: (
    entries: readonly LoggedEntry[],
    payloads: readonly FoundPayload[],
    begin: () => void,
  ) => Promise<void>;
}

/** Told how many were taken: what was kept may be saved then. */
export type OnTaken = (count: number) => Promise<void>;

export class LateIntake {
  readonly #deps: LateDeps;
  readonly #reports: WaitingReports;
  readonly #records = new MidnightRecords();

  constructor(deps: LateDeps) {
    this.#deps = deps;
    const { reports, presence } = deps;
    this.#reports = new WaitingReports((type, count) =>
      (type === ENTRY_TYPE.presenceReport ? presence : reports).giveUp(count),
    );
  }

  /** Reports that wait. */
  get waiting(): number {
    return this.#reports.size;
  }

  /** Reports that found no room to wait, all or some of their records. */
  get withoutRoom(): number {
    return this.#reports.withoutRoom + this.#records.withoutRoom;
  }

  /** A report of which nothing was taken, and the day whose keys it needs. */
  addReport(entry: LoggedEntry, day: number): void {
    this.#reports.add(entry, day);
  }

  /** Of one report that was taken. */
  addRecords(records: readonly WaitingRecord[]): void {
    this.#records.add(records);
  }

  /**
   * Takes what has its keys by now, reports from a log of so many entries, and gives up what is of days before
   * `firstDay`. Gives whether anything was given up.
   */
  async take(
    logSize: number,
    firstDay: number,
    onTaken: OnTaken,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (this.#held + this.withoutRoom === 0) return false;
    await this.#takeReports(logSize, onTaken, signal);
    await this.#takeRecords(onTaken, signal);
    const before = this.#held;
    this.#reports.forgetBefore(firstDay);
    this.#records.forgetBefore(firstDay);
    return this.#held < before;
  }

  /** What is to be kept of them, beside what {@link changes} says. */
  sections(): Sections {
    return new Map([
      [WAITING, this.#reports.encode()],
      [MIDNIGHT, this.#records.encode()],
    ]);
  }

  changes(): readonly PartChange[] {
    return [...this.#reports.changes(), ...this.#records.changes()];
  }

  saved(): void {
    this.#reports.saved();
    this.#records.saved();
  }

  /** As another life had it, where nothing waits yet. Throws `format`. */
  restore(kept: Sections, parts: KeptParts): void {
    const [reports, records] = [kept.get(WAITING), kept.get(MIDNIGHT)];
    if (reports) this.#reports.restore(reports, parts);
    if (records) this.#records.restore(records, parts);
  }

  /** Reports and records that wait. */
  get #held(): number {
    return this.#reports.size + this.#records.size;
  }

  async #takeReports(logSize: number, onTaken: OnTaken, signal: AbortSignal | undefined): Promise<void> {
    const { dayKeys, reader, log, contacts, takeEntries } = this.#deps;
    for (;;) {
      signal?.throwIfAborted();
      await dayKeys.refresh();
      const ready = this.#reports.ready(this.#hasKeys, PAYLOADS_AT_ONCE);
      if (ready.entries.length === 0) return;
      const entries = await readAgain(reader, ready.entries, logSize);
      const payloads = await payloadsOf(reader, entries, log);
      await contacts.ready();
      await takeEntries(entries, payloads, ready.done);
      await onTaken(entries.length);
    }
  }

  async #takeRecords(onTaken: OnTaken, signal: AbortSignal | undefined): Promise<void> {
    const { contacts } = this.#deps;
    const turns = new Turns(signal);
    for (;;) {
      signal?.throwIfAborted();
      const { records, done } = this.#records.ready(this.#hasKeys, RECORDS_AT_ONCE);
      if (records.length === 0) return;
      await contacts.ready();
      await contacts.wholly(async () => {
        done();
        contacts.add(records.flatMap((record) => this.#takeAgain(record)));
      });
      await onTaken(records.length);
      if (turns.isOver) await turns.next();
    }
  }

  #takeAgain(record: MidnightRecord): readonly Testimony[] {
    const { reports, presence, dayKeys, sampleHoldSeconds } = this.#deps;
    const { hearer } = record;
    if (hearer.kind === 'tag')
      return reports.takeAgain(record, hearer.tag, { dayKeysOf: dayKeys.of, sampleHoldSeconds });
    presence.takeAgain(record, hearer.gatewayId);
    return [];
  }

  readonly #hasKeys = (day: number): boolean => this.#deps.dayKeys.of(day) !== undefined;
}
