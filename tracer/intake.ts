/** What the tracer makes of logged entries: contacts, and counts of all that was no contact. */
import { ENTRY_TYPE } from '../protocol/entry.js';
import {
  isPruned,
  type FoundPayload,
  type LedgerReader,
  type PrunedPayload,
} from '../protocol/ledger-reader.js';
import { isAcceptedDay } from '../protocol/report-check.js';
import { DAY_SECONDS, dayOf } from '../protocol/time.js';
import type { ContactStore } from './contacts/contact-store.js';
import type { KeptParts, PartChange } from './contacts/kept-parts.js';
import type { DayKeySource } from './day-key-source.js';
import { EvidenceShelf } from './evidence.js';
import type { Evidence } from './evidence.js';
import { GatewayBook } from './gateway-book.js';
import { restoreTally } from './intake-counts.js';
import type { IntakeCounts } from './intake-counts.js';
import { decodeIntakeState, encodeIntakeState } from './intake-state.js';
import { inlineOpener } from './opening/opener.js';
import type { ReportOpener } from './opening/opener.js';
import type { Opening, OpeningSettings } from './opening/open-report.js';
import { openPage } from './opening/page.js';
import type { OpenPage } from './opening/page.js';
import { payloadsOf, PAYLOADS_AT_ONCE } from './payloads.js';
import type { LoggedEntry } from './payloads.js';
import { PresenceBook } from './presence/presence-book.js';
import { PresenceIntake } from './presence-intake.js';
import { ReportIntake } from './report-intake.js';
import type { Sections } from './state-sections.js';
import type { Testimony } from './testimony.js';
import { Turns } from './turns.js';
import { WaitingReports } from './waiting-reports.js';

export interface IntakeGiven extends OpeningSettings {
  readonly reader: LedgerReader;
  readonly dayKeys: DayKeySource;
  /** Who opens the reports of tags; this thread by default. */
  readonly opener?: ReportOpener;
}

export interface IntakeStatus {
  readonly counts: IntakeCounts;
  readonly presence: IntakeCounts;
  /** Reports that another names as the one before it and that have not come. */
  readonly gaps: number;
  /** Reports whose day left the retention window: pruned by an entry of the log, or read before and forgotten. */
  readonly prunedPayloads: number;
  /** Reports whose payload should be there and is not. */
  readonly missingPayloads: number;
  /** Reports whose day's keys have not come yet. */
  readonly waiting: number;
}

const [STATE, CHAINS, WAITING, PRESENCE] = [
  'intake',
  'report chains',
  'waiting reports',
  'presence',
] as const;

const WANTED: ReadonlySet<number> = new Set([
  ENTRY_TYPE.tagReport,
  ENTRY_TYPE.presenceReport,
  ENTRY_TYPE.gateway,
]);

export class Intake {
  readonly #given: IntakeGiven;
  readonly #opener: ReportOpener;
  readonly #contacts: ContactStore;
  readonly #evidence = new EvidenceShelf();
  readonly #gateways: GatewayBook;
  readonly #reports: ReportIntake;
  readonly #presence: PresenceIntake;
  /** Who was where, as gateways saw it. */
  readonly book: PresenceBook;
  readonly #waiting = new WaitingReports((entry) => this.#intakeOf(entry).giveUp());
  #missing = 0;
  #pruned = 0;
  #newestDay = 0;

  /** Begins where the store's last life ended. Throws `format` for what was not kept by an intake. */
  constructor(given: IntakeGiven, contacts: ContactStore) {
    this.#given = given;
    this.#opener = given.opener ?? inlineOpener(given);
    this.#contacts = contacts;
    this.book = new PresenceBook({ personOf: (tag) => contacts.personOf(tag) });
    this.#gateways = new GatewayBook(given.issuerPublicKey);
    const deps = { ...given, dayKeysOf: given.dayKeys.of, evidence: this.#evidence };
    this.#reports = new ReportIntake(this.#evidence);
    this.#presence = new PresenceIntake({ ...deps, gateways: this.#gateways, presence: this.book });
    this.#restore(contacts.kept, contacts.takeParts());
  }

  /** What is to be kept with the contacts as it stands, beside what {@link changes} says. */
  sections(): Sections {
    const state = encodeIntakeState({
      reports: this.#reports.counts,
      presence: this.#presence.counts,
      missing: this.#missing,
      pruned: this.#pruned,
      newestDay: this.#newestDay,
      evidence: this.#evidence.list(),
      gatewayKeys: this.#gateways.publicKeys(),
    });
    return new Map([
      [STATE, state],
      [CHAINS, this.#reports.chains.encode()],
      [WAITING, this.#waiting.encode()],
      [PRESENCE, this.book.encode()],
    ]);
  }

  /** What is to be kept of reports and sightings since it was {@link saved} last. */
  changes(): readonly PartChange[] {
    return [...this.#reports.chains.changes(), ...this.book.changes()];
  }

  /** The changes are kept. */
  saved(): void {
    this.#reports.chains.saved();
    this.book.saved();
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

  /**
   * All or nothing: what the page needs comes before its first entry is taken, and what fails after that is the contacts' damage.
   * Opening reports takes time, so others have their turns.
   */
  async takePage(entries: readonly LoggedEntry[]): Promise<void> {
    await this.#given.dayKeys.refresh();
    const wanted = entries.filter(({ type }) => WANTED.has(type));
    const payloads = await payloadsOf(this.#given.reader, wanted);
    await this.#contacts.ready();
    await this.#takeWholly(entries, wanted, payloads);
  }

  /** Those whose keys have come since; those whose keys will not come are given up. Gives whether there were any. */
  async takeWaiting(signal: AbortSignal | undefined): Promise<boolean> {
    const before = this.#waiting.size;
    if (before === 0) return false;
    const { dayKeys, reader, retentionDays } = this.#given;
    await dayKeys.refresh();
    const hasKeys = (day: number): boolean => dayKeys.of(day) !== undefined;
    for (;;) {
      signal?.throwIfAborted();
      const ready = this.#waiting.ready(hasKeys, PAYLOADS_AT_ONCE);
      if (ready.entries.length === 0) break;
      const payloads = await payloadsOf(reader, ready.entries);
      await this.#contacts.ready();
      await this.#takeWholly(ready.entries, ready.entries, payloads, ready.done);
    }
    this.#waiting.forgetBefore(this.#newestDay - retentionDays);
    return this.#waiting.size !== before;
  }

  /** `payloads` are those of the wanted ones. */
  async #takeWholly(
    entries: readonly LoggedEntry[],
    wanted: readonly LoggedEntry[],
    payloads: readonly FoundPayload[],
    begin: () => void = () => undefined,
  ): Promise<void> {
    const payloadOf = new Map(wanted.map((entry, place) => [entry, payloads[place]]));
    const page = openPage(entries, payloadOf, this.#opener, this.#given.dayKeys.of);
    try {
      await this.#contacts.wholly(async () => {
        begin();
        await this.#takeInTurns(page);
      });
    } finally {
      page.done();
    }
  }

  /** In the order of the log, whatever was opened first. */
  async #takeInTurns({ items }: OpenPage): Promise<void> {
    const turns = new Turns();
    let told: Testimony[] = [];
    const tell = (): void => {
      this.#contacts.add(told);
      told = [];
    };
    for (const { entry, isWanted, payload, opening } of items) {
      const day = dayOf(entry.appendedAtMs / 1000);
      const { isOver } = turns;
      if (day > this.#newestDay || isOver) tell();
      if (day > this.#newestDay) this.#goOnTo(day);
      if (isOver) await turns.next();
      const found = opening?.();
      if (found instanceof Promise && told.length > 0) tell(); // while others open it
      const opened = found instanceof Promise ? await found : found;
      if (opened !== undefined) told.push(...this.#takeReport(entry, opened));
      else if (isWanted) this.#take(entry, payload);
    }
    tell();
  }

  /** What leaves retention on this day goes, after all that was logged before it was taken: pages make no difference. */
  #goOnTo(day: number): void {
    this.#newestDay = day;
    const firstDay = day - this.#given.retentionDays;
    if (firstDay < 0) return;
    this.#contacts.expireBefore(firstDay * DAY_SECONDS);
    this.#pruned += this.#reports.chains.forgetBefore(firstDay);
    this.book.forgetBefore(firstDay);
  }

  #restore(kept: Sections, parts: KeptParts): void {
    const [state, chains, waiting, presence] = [STATE, CHAINS, WAITING, PRESENCE].map((name) =>
      kept.get(name),
    );
    if (chains) this.#reports.chains.restore(chains, parts);
    if (waiting) this.#waiting.decode(waiting);
    if (presence) this.book.restore(presence, parts);
    if (state === undefined) return;
    const {
      reports,
      presence: seen,
      missing,
      pruned,
      newestDay,
      evidence,
      gatewayKeys,
    } = decodeIntakeState(state);
    restoreTally(this.#reports.counts, reports);
    restoreTally(this.#presence.counts, seen);
    this.#evidence.restore(evidence);
    for (const key of gatewayKeys) this.#gateways.restore(key);
    [this.#missing, this.#pruned] = [missing, pruned];
    if (newestDay > 0) this.#goOnTo(newestDay);
  }

  #takeReport(entry: LoggedEntry, opening: Opening): readonly Testimony[] {
    const { waitsForDay, testimonies = [] } = this.#reports.take(entry, opening);
    if (waitsForDay !== undefined) this.#waiting.add(entry, waitsForDay);
    return testimonies;
  }

  /** What is no report of a tag, or is not there. */
  #take(entry: LoggedEntry, payload: FoundPayload): void {
    if (payload === undefined || isPruned(payload)) return this.#miss(entry, payload);
    if (entry.type === ENTRY_TYPE.gateway) return this.#gateways.take(payload);
    const { waitsForDay } = this.#presence.take(entry, payload);
    if (waitsForDay !== undefined) this.#waiting.add(entry, waitsForDay);
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
