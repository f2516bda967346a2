/** What the tracer makes of logged entries: contacts, and counts of all that was no contact. */
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import {
  bytesOf,
  isPruned,
  type FoundPayload,
  type LedgerReader,
} from '../../protocol/tlog/ledger-reader.js';
import type { Log } from '../../protocol/log.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import type { ContactStore } from '../contacts/contact-store.js';
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import { AbsentPayloads } from './absent-payloads.js';
import type { DayKeySource } from './day-key-source.js';
import { DoubtShelf } from './doubts.js';
import type { Doubt } from './doubts.js';
import { GatewayBook } from './gateway-book.js';
import { restoreTally } from './intake-counts.js';
import { decodeIntakeState, encodeIntakeState } from './intake-state.js';
import type { IntakeStatus } from './intake-status.js';
import { inlineOpener } from '../opening/opener.js';
import type { ReportOpener } from '../opening/opener.js';
import type { Opening, OpeningSettings } from '../opening/open-report.js';
import { LateIntake } from './late-intake.js';
import type { OnTaken } from './late-intake.js';
import { openPage } from '../opening/page.js';
import type { OpenPage } from '../opening/page.js';
import { payloadsOf } from '../follow/payloads.js';
import type { LoggedEntry } from '../follow/payloads.js';
import { PresenceBook } from '../presence/presence-book.js';
import { PresenceIntake } from './presence-intake.js';
import { ReportIntake } from './report-intake.js';
import type { Taken } from './report-intake.js';
import { RetentionBorder } from './retention-border.js';
import type { Sections } from '../contacts/state-sections.js';
import type { Testimony } from '../records/testimony.js';
import { Turns } from '../turns.js';

export interface IntakeGiven extends OpeningSettings {
  readonly reader: LedgerReader;
  readonly dayKeys: DayKeySource;
  /** Who opens the reports of tags; this thread by default. */
  readonly opener?: ReportOpener;
  /** As {@link ChainSettings}. */
  readonly leastSealed?: number;
  readonly log?: Log;
}

const [STATE, CHAINS, PRESENCE] = ['intake', 'report chains', 'presence'] as const;

const WANTED: ReadonlySet<number> = new Set([
  ENTRY_TYPE.tagReport,
  ENTRY_TYPE.presenceReport,
  ENTRY_TYPE.gateway,
]);

/** Others on this thread do not notice so short a turn. */
const TURN_MS = 1;
/** Testimonies that are merged at once, beside those of one report: some 2 µs each. */
const MOST_TOLD = 256;

export class Intake {
  readonly #given: IntakeGiven;
  readonly #opener: ReportOpener;
  readonly #contacts: ContactStore;
  readonly #doubts = new DoubtShelf();
  /** Who the gateways are, and by which entries they were approved. */
  readonly gateways: GatewayBook;
  readonly #reports: ReportIntake;
  readonly #presence: PresenceIntake;
  /** Who was where, as gateways saw it. */
  readonly book: PresenceBook;
  readonly #late: LateIntake;
  readonly #absent: AbsentPayloads;
  #hasForgotten = false;
  readonly #border: RetentionBorder;

  /** Begins where the store's last life ended. Throws `format` for what was not kept by an intake. */
  constructor(given: IntakeGiven, contacts: ContactStore) {
    this.#given = given;
    this.#opener = given.opener ?? inlineOpener(given);
    this.#contacts = contacts;
    this.#absent = new AbsentPayloads(given.retentionDays);
    this.#border = new RetentionBorder(given.issuerPublicKey, given.retentionDays);
    this.book = new PresenceBook({ personOf: (tag) => contacts.personOf(tag) });
    this.gateways = new GatewayBook(given.issuerPublicKey);
    this.#reports = new ReportIntake(this.#doubts, {
      leastSealed: given.leastSealed,
      coldPath: contacts.coldPath,
    });
    this.#presence = new PresenceIntake({
      ...{ ...given, dayKeysOf: given.dayKeys.of, doubts: this.#doubts },
      ...{ gateways: this.gateways, presence: this.book },
    });
    this.#late = new LateIntake({
      ...{ ...given, contacts, reports: this.#reports, presence: this.#presence },
      takeEntries: (entries, payloads, begin) => this.#takeWholly(entries, entries, payloads, begin),
    });
    this.#restore(contacts.kept, contacts.takeParts());
  }

  /** What is to be kept with the contacts as it stands, beside what {@link changes} says. */
  sections(): Sections {
    const state = encodeIntakeState({
      reports: this.#reports.counts,
      presence: this.#presence.counts,
      missing: this.#absent.missing,
      pruned: this.#absent.pruned,
      border: this.#border.days,
      evidence: this.#doubts.list(),
      gatewayKeys: this.gateways.publicKeys(),
      certificates: this.gateways.certificates(),
    });
    return new Map([
      [STATE, state],
      [CHAINS, this.#reports.chains.encode()],
      [PRESENCE, this.book.encode()],
      ...this.#late.sections(),
    ]);
  }

  /** What is new of reports and sightings since it was {@link saved} last; nothing is to be taken until it is again. */
  async changes(): Promise<readonly PartChange[]> {
    const reports = await this.#reports.chains.changes();
    return [...reports, ...this.#late.changes(), ...this.book.changes()];
  }

  /** Whether what was {@link saved} last may hold what has left retention since. */
  get hasForgotten(): boolean {
    return this.#hasForgotten;
  }

  /** The changes are kept. */
  saved(): void {
    this.#hasForgotten = false;
    this.#reports.chains.saved();
    this.#late.saved();
    this.book.saved();
  }

  doubts(): readonly Doubt[] {
    return this.#doubts.list();
  }

  status(): IntakeStatus {
    return {
      counts: this.#reports.counts,
      presence: this.#presence.counts,
      gaps: this.#reports.gaps,
      prunedPayloads: this.#absent.pruned,
      missingPayloads: this.#absent.missing,
      waiting: this.#late.waiting,
      withoutRoom: this.#late.withoutRoom,
      hasClones: this.#doubts.has('clone'),
      overtaken: this.#doubts.overtaken,
      presenceDropped: this.book.dropped,
      presenceFrom: this.book.knownFrom,
      border: this.#border.days,
      keepsLonger: (this.#contacts.span()?.from ?? Infinity) < this.#border.firstLogDay * DAY_SECONDS,
    };
  }

  /**
   * All or nothing: what the page needs is fetched before its first entry is taken; to fail after that is damage.
   * Opening reports takes time, so others have their turns. It looks for no new keys: with these a page would overtake
   * the reports that wait for them, which are taken first ({@link takeWaiting}).
   */
  async takePage(entries: readonly LoggedEntry[]): Promise<void> {
    const wanted = entries.filter((entry) => WANTED.has(entry.type) || this.#border.wants(entry));
    const payloads = await payloadsOf(this.#given.reader, wanted, this.#given.log);
    await this.#contacts.ready();
    await this.#takeWholly(entries, wanted, payloads);
  }

  /**
   * Takes what waited and has its keys now, from a log of so many entries, and gives up what will never have them.
   * `onTaken` is told of some at a time as they are taken.
   */
  async takeWaiting(
    logSize: number,
    onTaken: OnTaken = async () => undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const hasForgotten = await this.#late.take(logSize, this.#border.firstDay, onTaken, signal);
    if (hasForgotten) this.#hasForgotten = true;
  }

  /** `wanted`: those of `entries` that `payloads` are of, in the same order; `begin` is part of it, all or nothing. */
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
    const turns = new Turns(undefined, TURN_MS);
    let told: Testimony[] = [];
    const tell = (): void => {
      this.#contacts.add(told);
      told = [];
    };
    for (const { entry, isWanted, payload, opening } of items) {
      const hasMoved = this.#border.take(entry, bytesOf(payload));
      const { isOver } = turns;
      if (hasMoved || isOver || told.length >= MOST_TOLD) tell();
      if (hasMoved) {
        this.#forgetPast();
        this.#hasForgotten = true;
      }
      if (isOver) await turns.next();
      const found = opening?.();
      if (found instanceof Promise && told.length > 0) tell(); // while others open it
      const opened = found instanceof Promise ? await found : found;
      if (opened !== undefined) told.push(...this.#takeReport(entry, opened));
      else if (isWanted && WANTED.has(entry.type)) this.#take(entry, payload);
    }
    tell();
  }

  /**
   * Lets go of what left retention, once all that was logged before is taken: how entries fall into pages is no
   * matter. What waits for keys goes in {@link takeWaiting}, after what has them by then was taken.
   */
  #forgetPast(): void {
    const { firstDay } = this.#border;
    this.#contacts.expireBefore(firstDay * DAY_SECONDS);
    this.#absent.addForgotten(this.#reports.chains.forgetBefore(firstDay));
    this.book.forgetBefore(firstDay);
    this.#doubts.forgetBefore(firstDay);
    this.gateways.forgetBefore(firstDay - 1); // a report may be of the day after the one it was received on
  }

  #restore(kept: Sections, parts: KeptParts): void {
    const [state, chains, presence] = [STATE, CHAINS, PRESENCE].map((name) => kept.get(name));
    if (chains) this.#reports.chains.restore(chains, parts);
    if (presence) this.book.restore(presence, parts);
    this.#late.restore(kept, parts);
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
    this.#doubts.restore(evidence);
    for (const key of gatewayKeys) this.gateways.restore(key);
    for (const place of certificates) this.gateways.restoreCertificate(place);
    this.#absent.restore(missing, pruned);
    this.#border.restore(border);
    this.#forgetPast();
  }

  #takeReport(entry: LoggedEntry, opening: Opening): readonly Testimony[] {
    const taken = this.#reports.take(entry, opening);
    this.#letWait(entry, taken);
    return taken.kind === 'read' ? taken.testimonies : [];
  }

  /** An entry that is no tag's report, or whose payload is not there. */
  #take(entry: LoggedEntry, payload: FoundPayload): void {
    if (payload === undefined || isPruned(payload)) {
      const isByTheBook = this.#absent.add(entry, payload);
      if (isByTheBook && entry.type === ENTRY_TYPE.tagReport) this.#reports.notePruned(entry);
      return;
    }
    if (entry.type === ENTRY_TYPE.gateway) return this.gateways.take(payload, entry.index);
    this.#letWait(entry, this.#presence.take(entry, payload));
  }

  #letWait(entry: LoggedEntry, taken: Taken): void {
    if (taken.kind === 'waits') this.#late.addReport(entry, taken.day);
    else this.#late.addRecords(taken.waiting);
  }
}
