/** What the tracer makes of logged entries: contacts, and counts of all that was no contact. */
import { ENTRY_TYPE } from '../protocol/entry.js';
import {
  isPruned,
  type FoundPayload,
  type LedgerReader,
  type PrunedPayload,
} from '../protocol/ledger-reader.js';
import { isAcceptedDay } from '../protocol/report-check.js';
import { dayOf } from '../protocol/time.js';
import type { ContactBook } from './contact-book.js';
import type { DayKeySource } from './day-key-source.js';
import { EvidenceShelf } from './evidence.js';
import type { Evidence } from './evidence.js';
import { GatewayBook } from './gateway-book.js';
import type { IntakeCounts } from './intake-counts.js';
import { payloadsOf, PAYLOADS_AT_ONCE } from './payloads.js';
import type { LoggedEntry } from './payloads.js';
import type { PresenceBook } from './presence/presence-book.js';
import { PresenceIntake } from './presence-intake.js';
import { ReportIntake } from './report-intake.js';
import type { IntakeSettings } from './report-intake.js';
import { WaitingReports } from './waiting-reports.js';

export interface IntakeGiven extends IntakeSettings {
  readonly reader: LedgerReader;
  readonly dayKeys: DayKeySource;
  /** What gateways saw; it is counted only without a book to keep it in. */
  readonly presence?: PresenceBook;
}

export interface IntakeStatus {
  readonly counts: IntakeCounts;
  readonly presence: IntakeCounts;
  /** Reports that another names as the one before it and that have not come. */
  readonly gaps: number;
  /** Reports whose day left the retention window: pruned by an entry of the log. */
  readonly prunedPayloads: number;
  /** Reports whose payload should be there and is not. */
  readonly missingPayloads: number;
  /** Reports whose day's keys have not come yet. */
  readonly waiting: number;
}

const WANTED: ReadonlySet<number> = new Set([
  ENTRY_TYPE.tagReport,
  ENTRY_TYPE.presenceReport,
  ENTRY_TYPE.gateway,
]);

export class Intake {
  readonly #given: IntakeGiven;
  readonly #book: ContactBook;
  readonly #evidence = new EvidenceShelf();
  readonly #gateways: GatewayBook;
  readonly #reports: ReportIntake;
  readonly #presence: PresenceIntake;
  readonly #waiting = new WaitingReports((entry) => this.#intakeOf(entry).giveUp());
  #missing = 0;
  #pruned = 0;
  #newestDay = 0;

  constructor(given: IntakeGiven, book: ContactBook) {
    this.#given = given;
    this.#book = book;
    this.#gateways = new GatewayBook(given.issuerPublicKey);
    const deps = { ...given, dayKeysOf: given.dayKeys.of, evidence: this.#evidence };
    this.#reports = new ReportIntake(deps);
    this.#presence = new PresenceIntake({ ...deps, gateways: this.#gateways });
  }

  evidence(): readonly Evidence[] {
    return this.#evidence.list();
  }

  status(): IntakeStatus {
    return {
      counts: this.#reports.counts,
      presence: this.#presence.counts,
      gaps: this.#reports.gaps,
      prunedPayloads: this.#pruned,
      missingPayloads: this.#missing,
      waiting: this.#waiting.size,
    };
  }

  /** All or nothing: whatever can fail comes before the first entry is taken. */
  async takePage(entries: readonly LoggedEntry[]): Promise<void> {
    await this.#given.dayKeys.refresh();
    const wanted = entries.filter(({ type }) => WANTED.has(type));
    const payloads = await payloadsOf(this.#given.reader, wanted);
    wanted.forEach((entry, place) => this.#take(entry, payloads[place]));
    for (const { appendedAtMs } of entries)
      this.#newestDay = Math.max(this.#newestDay, dayOf(appendedAtMs / 1000));
  }

  /** Those whose keys have come since; those whose keys will not come are given up. */
  async takeWaiting(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size === 0) return;
    const { dayKeys, reader, retentionDays } = this.#given;
    await dayKeys.refresh();
    const hasKeys = (day: number): boolean => dayKeys.of(day) !== undefined;
    for (;;) {
      signal?.throwIfAborted();
      const ready = this.#waiting.ready(hasKeys, PAYLOADS_AT_ONCE);
      if (ready.entries.length === 0) break;
      const payloads = await payloadsOf(reader, ready.entries);
      ready.done();
      ready.entries.forEach((entry, place) => this.#take(entry, payloads[place]));
    }
    this.#waiting.forgetBefore(this.#newestDay - retentionDays);
  }

  #take(entry: LoggedEntry, payload: FoundPayload): void {
    if (payload === undefined || isPruned(payload)) return this.#miss(entry, payload);
    if (entry.type === ENTRY_TYPE.gateway) return this.#gateways.take(payload);
    const taken = this.#intakeOf(entry).take(entry, payload);
    if (taken.waitsForDay !== undefined) this.#waiting.add(entry, taken.waitsForDay);
    for (const testimony of taken.testimonies ?? []) this.#book.add(testimony);
  }

  /** A ledger that calls a payload pruned whose day cannot have been pruned when that is said to have happened has lost it. */
  #miss(entry: LoggedEntry, pruned: PrunedPayload | undefined): void {
    const { retentionDays } = this.#given;
    const { type, sourceTimeMs } = entry;
    if (type === ENTRY_TYPE.gateway) return;
    const isByTheBook =
      pruned !== undefined &&
      isAcceptedDay(pruned.day, sourceTimeMs / 1000, retentionDays) &&
      pruned.day < dayOf(pruned.prunedAtMs / 1000) - retentionDays;
    if (!isByTheBook) this.#missing += 1;
    else {
      this.#pruned += 1;
      this.#reports.notePruned(entry);
    }
  }

  #intakeOf({ type }: LoggedEntry): ReportIntake | PresenceIntake {
    return type === ENTRY_TYPE.presenceReport ? this.#presence : this.#reports;
  }
}
