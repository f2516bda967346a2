/**
 * The tracer: follows the ledger, opens its reports, keeps the contacts they prove, and answers questions about people, each
 * look recorded first. It is given keys and readers; it reads no file.
 */
import type { Look } from './looks/access.js';
import { tellingReader } from './asker-error.js';
import type { ClusterAnswer } from './cluster/cluster-message.js';
import type { ClusterRequest } from './cluster/cluster-result.js';
import type { Contact } from './contact.js';
import type { ContactView, Place } from './contacts/view.js';
import type { EvidenceWish } from './evidence/plan.js';
import type { Doubt } from './intake/doubts.js';
import type { CatchUp, Progress } from './follow/follower.js';
import type { FoundPath } from './looks/found-path.js';
import { LookUps } from './looks/look-ups.js';
import type { Answer, Lookup, LookUpDeps } from './looks/look-ups.js';
import type { ContactRows, PersonQuestion } from './looks/person-contacts.js';
import { LedgerReading } from './intake/ledger-reading.js';
import type { TracerStatus } from './intake/ledger-reading.js';
import type { TraceRequest } from './looks/trace-result.js';
import type { WalkPool } from './walk/walk-pool.js';
import type { Window } from './looks/window.js';

export interface TracerDeps extends LookUpDeps {
  /** As of {@link LookUpDeps}; the tracer closes it. */
  readonly walks?: WalkPool;
}

export interface Tracer {
  /**
   * Reads and verifies what the ledger has added; several calls take turns. Throws `consistency`, `chain`, `signature`
   * or `foreign` for a log that does not add up, `closed` after {@link close}, what the reader throws; what was verified stays.
   */
  catchUp(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp>;
  /** The contacts as they stand; what traces walk on. */
  view(): ContactView;
  /** A contact of a view in full, as it stood then. Throws `damaged` when its evidence cannot be read. */
  contactAt(view: ContactView, place: Place): Contact;
  /**
   * Records the look, then answers, with evidence where that is wished for. Throws `not-found` for a case nobody met, that
   * look recorded too; `input` for a request out of bounds; `permission`, `timeout` or whatever kept the look from being
   * recorded; and what making evidence throws (evidence/make.ts).
   */
  lookUp(request: TraceRequest, look: Look, wish?: EvidenceWish, signal?: AbortSignal): Promise<Answer>;
  /**
   * As {@link lookUp}, of the one path of a trace that leads to this person; recorded are those on it, and this person where there is
   * none too: that is an answer about them. Throws `not-found`, and `input` for a person who is no tag number.
   */
  lookUpPath(
    request: TraceRequest,
    person: string,
    look: Look,
    signal?: AbortSignal,
  ): Promise<FoundPath & Lookup>;
  /** As {@link lookUp}, of a page of a person's contacts; recorded are those on it. Throws `not-found` for somebody without contacts, recorded too. */
  lookUpContacts(question: PersonQuestion, look: Look, signal?: AbortSignal): Promise<ContactRows & Lookup>;
  /** As {@link lookUp}, of what several cases have in common. Throws what finding clusters throws (cluster/look-up.ts). */
  lookUpCluster(request: ClusterRequest, look: Look, signal?: AbortSignal): Promise<ClusterAnswer>;
  /** Start of the first and end of the last contact, and with `presence` of the stays at gateways; undefined before there is one. */
  span(counting?: { readonly presence: boolean }): Window | undefined;
  /** What was set apart: forged beacons, copied tags. */
  doubts(): readonly Doubt[];
  status(): TracerStatus;
  /** Saves what was read, when the contacts are kept in a folder, and lets go of it. Throws what the disk does. */
  close(): Promise<void>;
}

export function openTracer(deps: TracerDeps): Tracer {
  return new LedgerTracer(deps);
}

class LedgerTracer implements Tracer {
  readonly #deps: TracerDeps;
  readonly #reading: LedgerReading;
  readonly #lookUps: LookUps;

  constructor(deps: TracerDeps) {
    this.#deps = { ...deps, reader: tellingReader(deps.reader) };
    this.#reading = new LedgerReading(this.#deps, (view) => deps.walks?.show(view));
    this.#lookUps = new LookUps(this.#deps, this.#reading);
  }

  catchUp(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    return this.#reading.catchUp(onProgress, signal);
  }

  view(): ContactView {
    return this.#reading.contacts.view();
  }

  contactAt(view: ContactView, place: Place): Contact {
    return this.#reading.contacts.contactAt(view, place);
  }

  lookUp(...asked: Parameters<Tracer['lookUp']>): Promise<Answer> {
    return this.#lookUps.lookUp(...asked);
  }

  lookUpPath(...asked: Parameters<Tracer['lookUpPath']>): Promise<FoundPath & Lookup> {
    return this.#lookUps.lookUpPath(...asked);
  }

  lookUpContacts(...asked: Parameters<Tracer['lookUpContacts']>): Promise<ContactRows & Lookup> {
    return this.#lookUps.lookUpContacts(...asked);
  }

  lookUpCluster(...asked: Parameters<Tracer['lookUpCluster']>): Promise<ClusterAnswer> {
    return this.#lookUps.lookUpCluster(...asked);
  }

  span(counting?: { readonly presence: boolean }): Window | undefined {
    return this.#lookUps.span(counting);
  }

  doubts(): readonly Doubt[] {
    return this.#reading.intake.doubts();
  }

  status(): TracerStatus {
    return this.#reading.status();
  }

  async close(): Promise<void> {
    await this.#deps.walks?.close();
    await this.#reading.close();
  }
}
