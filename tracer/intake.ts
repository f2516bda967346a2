/** What the tracer makes of logged entries: contacts, and counts of all that was no contact. */
import { ENTRY_TYPE } from '../protocol/entry.js';
import {
  bytesOf,
  isPruned,
  type FoundPayload,
  type LedgerReader,
  type PrunedPayload,
} from '../protocol/ledger-reader.js';
import type { Log } from '../protocol/log.js';
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
import { readAgain } from './read-again.js';
import { ReportIntake } from './reports/report-intake.js';
import { RetentionBorder } from './retention-border.js';
import type { BorderDays } from './retention-border.js';
import type { Sections } from './state-sections.js';
import type { Testimony } from './testimony.js';
import { Turns } from './turns.js';
import { WaitingReports } from './waiting-reports.js';

export interface IntakeGiven extends OpeningSettings {
  readonly reader: LedgerReader;
  readonly dayKeys: DayKeySource;
  /** Who opens the reports of tags; this thread by default. */
  readonly opener?: ReportOpener;
  /** As {@link ChainSettings}. */
  readonly leastSealed?: number;
  readonly log?: Log;
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
  /** Reports that found no room to wait: a tracer begun anew finds them. */
  readonly withoutRoom: number;
  /** Stays that had to go as the book was full, and the unix seconds from which on all are there, where some are gone. */
  readonly presenceDropped: number;
  readonly presenceFrom: number | undefined;
  /** What retention goes by: days of the log. */
  readonly border: BorderDays;
  /** Whether contacts are kept that these days would end, had they not leapt. */
  readonly keepsLonger: boolean;
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
  /** Who the gateways are, and by which entries they were approved. */
  readonly gateways: GatewayBook;
  readonly #reports: ReportIntake;
  readonly #presence: PresenceIntake;
  /** Who was where, as gateways saw it. */
  readonly book: PresenceBook;
  readonly #waiting = new WaitingReports((type, count) => this.#intakeOf(type).giveUp(count));
  #missing = 0;
  #pruned = 0;
  readonly #border: RetentionBorder;

  /** Begins where the store's last life ended. Throws `format` for what was not kept by an intake. */
  constructor(given: IntakeGiven, contacts: ContactStore) {
    this.#given = given;
    this.#opener = given.opener ?? inlineOpener(given);
    this.#contacts = contacts;
    this.#border = new RetentionBorder(given.issuerPublicKey, given.retentionDays);
    this.book = new PresenceBook({ personOf: (tag) => contacts.personOf(tag) });
    this.gateways = new GatewayBook(given.issuerPublicKey);
    const deps = { ...given, dayKeysOf: given.dayKeys.of, evidence: this.#evidence };
    this.#reports = new ReportIntake(this.#evidence, {
      leastSealed: given.leastSealed,
      coldPath: contacts.coldPath,
    });
    this.#presence = new PresenceIntake({ ...deps, gateways: this.gateways, presence: this.book });
    this.#restore(contacts.kept, contacts.takeParts());
  }

  /** What is to be kept with the contacts as it stands, beside what {@link changes} says. */
  sections(): Sections {
    const state = encodeIntakeState({
      reports: this.#reports.counts,
      presence: this.#presence.counts,
      missing: this.#missing,
      pruned: this.#pruned,
      border: this.#border.days,
      evidence: this.#evidence.list(),
      gatewayKeys: this.gateways.publicKeys(),
      certificates: this.gateways.certificates(),
    });
    return new Map([
      [STATE, state],
      [CHAINS, this.#reports.chains.encode()],
      [WAITING, this.#waiting.encode()],
      [PRESENCE, this.book.encode()],
    ]);
  }

  /** What is to be kept of reports and sightings since it was {@link saved} last; nothing is to be taken until it is again. */
  async changes(): Promise<readonly PartChange[]> {
    const reports = await this.#reports.chains.changes();
    return [...reports, ...this.#waiting.changes(), ...this.book.changes()];
  }

  /** The changes are kept. */
  saved(): void {
    this.#reports.chains.saved();
    this.#waiting.saved();
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
      withoutRoom: this.#waiting.withoutRoom,
      presenceDropped: this.book.dropped,
      presenceFrom: this.book.knownFrom,
      border: this.#border.days,
      keepsLonger: (this.#contacts.span()?.from ?? Infinity) < this.#border.firstLogDay * DAY_SECONDS,
    };
  }

  /**
   * All or nothing: what the page needs comes before its first entry is taken, and what fails after that is the contacts' damage.
   * Opening reports takes time, so others have their turns.
   */
  async takePage(entries: readonly LoggedEntry[]): Promise<void> {
    await this.#given.dayKeys.refresh();
    const wanted = entries.filter((entry) => WANTED.has(entry.type) || this.#border.wants(entry));
    const payloads = await payloadsOf(this.#given.reader, wanted, this.#given.log);
    await this.#contacts.ready();
    await this.#takeWholly(entries, wanted, payloads);
  }

  /**
   * Those whose keys have come since, read again from the log of `size` entries; those whose keys will not come are given up.
   * `onTaken` is told of some as they are taken. Gives whether there were any.
   */
  async takeWaiting(
    size: number,
    onTaken: (count: number) => Promise<void> = async () => undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const before = this.#waiting.size;
    if (before + this.#waiting.withoutRoom === 0) return false;
    const { dayKeys, reader, log } = this.#given;
    for (;;) {
      signal?.throwIfAborted();
      await dayKeys.refresh();
      const ready = this.#waiting.ready((day) => dayKeys.of(day) !== undefined, PAYLOADS_AT_ONCE);
      if (ready.entries.length === 0) break;
      const entries = await readAgain(reader, ready.entries, size);
      const payloads = await payloadsOf(reader, entries, log);
      await this.#contacts.ready();
      await this.#takeWholly(entries, entries, payloads, ready.done);
      await onTaken(entries.length);
    }
    this.#waiting.forgetBefore(this.#border.firstDay);
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
      const hasMoved = this.#border.take(entry, bytesOf(payload));
      const { isOver } = turns;
      if (hasMoved || isOver) tell();
      if (hasMoved) this.#forgetPast();
      if (isOver) await turns.next();
      const found = opening?.();
      if (found instanceof Promise && told.length > 0) tell(); // while others open it
      const opened = found instanceof Promise ? await found : found;
      if (opened !== undefined) told.push(...this.#takeReport(entry, opened));
      else if (isWanted && WANTED.has(entry.type)) this.#take(entry, payload);
    }
    tell();
  }

  /** What left retention goes, after all that was logged before it was taken: pages make no difference. */
  #forgetPast(): void {
    const { firstDay } = this.#border;
    this.#contacts.expireBefore(firstDay * DAY_SECONDS);
    this.#pruned += this.#reports.chains.forgetBefore(firstDay);
    this.book.forgetBefore(firstDay);
    this.gateways.forgetBefore(firstDay - 1); // a report may be of the day after the one it was received on
  }

  #restore(kept: Sections, parts: KeptParts): void {
    const [state, chains, waiting, presence] = [STATE, CHAINS, WAITING, PRESENCE].map((name) =>
      kept.get(name),
    );
    if (chains) this.#reports.chains.restore(chains, parts);
    if (waiting) this.#waiting.restore(waiting, parts);
    if (presence) this.book.restore(presence, parts);
    if (state === undefined) return;
    const {
      reports,
      presence: seen,
      missing,
      pruned,
      border,
      evidence,
      gatewayKeys,
      certificates,
    } = decodeIntakeState(state);
    restoreTally(this.#reports.counts, reports);
    restoreTally(this.#presence.counts, seen);
    this.#evidence.restore(evidence);
    for (const key of gatewayKeys) this.gateways.restore(key);
    for (const place of certificates) this.gateways.restoreCertificate(place);
    [this.#missing, this.#pruned] = [missing, pruned];
    this.#border.restore(border);
    this.#forgetPast();
  }

  #takeReport(entry: LoggedEntry, opening: Opening): readonly Testimony[] {
    const { waitsForDay, testimonies = [] } = this.#reports.take(entry, opening);
    if (waitsForDay !== undefined) this.#waiting.add(entry, waitsForDay);
    return testimonies;
  }

  /** What is no report of a tag, or is not there. */
  #take(entry: LoggedEntry, payload: FoundPayload): void {
    if (payload === undefined || isPruned(payload)) return this.#miss(entry, payload);
    if (entry.type === ENTRY_TYPE.gateway) return this.gateways.take(payload, entry.index);
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

  #intakeOf(type: number): ReportIntake | PresenceIntake {
    return type === ENTRY_TYPE.presenceReport ? this.#presence : this.#reports;
  }
}
