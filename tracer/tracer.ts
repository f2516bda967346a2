/**
 * The tracer: follows the ledger, opens its reports, keeps the contacts they prove, and answers questions about people, each
 * look recorded first. It is given keys and readers; it reads no file.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { asTagNumber } from '../protocol/brands.js';
import type { TagNumber } from '../protocol/brands.js';
import type { Signer } from '../protocol/ed25519.js';
import { FirebreakError } from '../protocol/errors.js';
import { askedInTrace } from './access.js';
import type { AccessRecorder, Look } from './access.js';
import type { ClusterAnswer } from './cluster/cluster-message.js';
import type { ClusterRequest } from './cluster/cluster-result.js';
import { clusterDesk } from './cluster/desk.js';
import { lookUpCluster } from './cluster/look-up.js';
import type { Contact } from './contact.js';
import type { Segment } from './contacts/segment.js';
import type { ContactView, Place } from './contacts/view.js';
import { makeEvidence } from './evidence/make.js';
import type { EvidenceWish } from './evidence/plan.js';
import type { Evidence } from './evidence.js';
import type { CatchUp, Progress } from './follower.js';
import { pathIn } from './found-path.js';
import type { FoundPath } from './found-path.js';
import { LedgerReading } from './reading.js';
import type { ReadingDeps, TracerStatus } from './reading.js';
import { contactRows } from './person-contacts.js';
import type { ContactRows, PersonQuestion } from './person-contacts.js';
import { requireBounds, traceResultInTurns } from './trace.js';
import type { TraceWords } from './rows-told.js';
import type { TraceRequest, TraceResult } from './trace-result.js';
import { needsBuckets } from './walk/ground.js';
import { MAX_LIST } from './walk/order.js';
import { tagsReached, walkTrace } from './walk/trace-walks.js';
import type { TraceWalks } from './walk/trace-walks.js';
import type { WalkPool } from './walk/walk-pool.js';
import { WalkWorkspace } from './walk/workspace.js';

/** The ledger's receipt for a look comes with a checkpoint that covers it; a reader may see that one a little later. */
const COVERED_WITHIN_MS = 10_000;
const COVERED_EVERY_MS = 100;

export interface TracerDeps extends ReadingDeps {
  /** Absent in a tracer that answers nothing. */
  readonly access?: AccessRecorder;
  /** The key that the looks are written with; without it there are answers, but no evidence bundles. */
  readonly signer?: Signer;
  /** Threads that walk, so that a long trace keeps nobody from reading on; on this thread by default. The tracer closes it. */
  readonly walks?: WalkPool;
  /** Wall ms to wait until a checkpoint covers a look, for its evidence; ten seconds by default. */
  readonly coveredWithinMs?: number;
}

export interface Answer {
  readonly result: TraceResult;
  /** The ledger entry that records this look. */
  readonly accessIndex: number;
  /** The evidence bundle (evidence.md), when it was asked for. */
  readonly evidence?: Uint8Array;
}

export interface Tracer {
  /**
   * Reads and verifies what the ledger has added; several calls take turns. Throws `consistency`, `chain`, `signature`
   * or `foreign` for a log that does not add up, and what the reader throws; what was verified stays.
   */
  catchUp(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp>;
  /** The contacts as they stand; what traces walk on. */
  view(): ContactView;
  /** A contact of a view in full, as it stood then. Throws `damaged` when its evidence cannot be read. */
  contactAt(view: ContactView, place: Place): Contact;
  /**
   * Records the look, then answers, with evidence where that is wished for. Throws `not-found` for a case nobody met, that
   * look recorded too; `input` for a request out of bounds; `permission`, `timeout` or whatever kept the look from being
   * recorded; and what {@link makeEvidence} throws.
   */
  lookUp(request: TraceRequest, look: Look, wish?: EvidenceWish, signal?: AbortSignal): Promise<Answer>;
  /** As {@link lookUp}, of the one path of a trace that leads to this person; recorded are those on it. Throws `not-found`. */
  lookUpPath(
    request: TraceRequest,
    person: string,
    look: Look,
    signal?: AbortSignal,
  ): Promise<FoundPath & { readonly accessIndex: number }>;
  /** As {@link lookUp}, of a page of a person's contacts; recorded are those on it. Throws `not-found` for somebody without contacts, recorded too. */
  lookUpContacts(
    question: PersonQuestion,
    look: Look,
    signal?: AbortSignal,
  ): Promise<ContactRows & { readonly accessIndex: number }>;
  /** As {@link lookUp}, of what several cases have in common. Throws what {@link lookUpCluster} throws. */
  lookUpCluster(request: ClusterRequest, look: Look, signal?: AbortSignal): Promise<ClusterAnswer>;
  /** Start of the first and end of the last contact, unix seconds; undefined before there is one. */
  span(): { readonly from: number; readonly to: number } | undefined;
  /** What was set apart: forged beacons, copied tags. */
  evidence(): readonly Evidence[];
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
  readonly #space = new WalkWorkspace();

  constructor(deps: TracerDeps) {
    this.#deps = deps;
    this.#reading = new LedgerReading(deps, (view) => deps.walks?.show(view));
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

  async lookUp(
    request: TraceRequest,
    look: Look,
    wish?: EvidenceWish,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const { signer } = this.#deps;
    const access = this.#recorder();
    if (wish !== undefined) requireEvidenceWanted(request, signer);
    const view = this.view();
    const found = await orNotFound(() => this.#told(view, request, signal));
    if (found instanceof FirebreakError) {
      await access.record(look, askedInTrace(request), []);
      throw found;
    }
    signal?.throwIfAborted(); // what nobody waits for is no look
    const { result, walks } = found;
    const reached = tagsReached(view.people, walks);
    const recorded = await access.record(look, askedInTrace(request), reached);
    const answer = { result, accessIndex: recorded.index };
    if (wish === undefined || signer === undefined) return answer;
    const note = await this.#noteCovering(recorded.index, signal);
    const deps = { ...this.#deps, dayKeysOf: this.#deps.dayKeys.of, signer };
    const from = { view, contactAt: (place: Place) => this.contactAt(view, place) };
    const answered = { result, from, access: recorded, note };
    return { ...answer, evidence: await makeEvidence(answered, deps, wish, signal) };
  }

  async lookUpPath(request: TraceRequest, person: string, look: Look, signal?: AbortSignal) {
    const access = this.#recorder();
    const view = this.view();
    const asked = { ...askedInTrace(request), question: 'path' } as const;
    const found = await orNotFound(async () => {
      const walks = await this.#walked(view, { ...request, list: MAX_LIST }, signal);
      return pathIn(view, walks, person, this.#wordsOf(view, request));
    });
    signal?.throwIfAborted();
    const onIt =
      found instanceof FirebreakError ? [] : found.person.path.flatMap(({ from, to }) => [from, to]);
    const { index } = await access.record(look, asked, ascending(onIt));
    if (found instanceof FirebreakError) throw found;
    return { ...found, accessIndex: index };
  }

  async lookUpContacts(question: PersonQuestion, look: Look, signal?: AbortSignal) {
    const access = this.#recorder();
    const view = this.view();
    const { person, from, to, minSeconds } = question;
    const oneHop = { case: person, direction: 'forward', hops: 1, latentSeconds: 0 } as const;
    const asOneHop = { ...oneHop, from, to, minSeconds };
    requireBounds(asOneHop);
    const asked = { ...askedInTrace(asOneHop), question: 'contacts' } as const;
    const contactAt = (place: Place) => this.contactAt(view, place);
    const found = await orNotFound(() => contactRows(view, question, contactAt, signal));
    signal?.throwIfAborted();
    const met = found instanceof FirebreakError ? [] : found.contacts.map((row) => row.person);
    const { index } = await access.record(look, asked, ascending(met));
    if (found instanceof FirebreakError) throw found;
    return { ...found, accessIndex: index };
  }

  async lookUpCluster(request: ClusterRequest, look: Look, signal?: AbortSignal): Promise<ClusterAnswer> {
    const access = this.#recorder();
    const view = this.view();
    const { intake, contacts } = this.#reading;
    const tagOf = (person: number): number => {
      if (this.#reading.intake === intake) return contacts.tagOf(person);
      throw new FirebreakError('busy', 'the contacts are read again from the ledger: ask once more');
    };
    const walk = (asked: TraceRequest) => this.#walked(view, asked, signal);
    const wordsOf = (asked: TraceRequest) => this.#wordsOf(view, asked);
    const ground = {
      people: view.people,
      tagOf,
      walk,
      wordsOf,
      presence: intake.book.view(),
      access,
      signal,
    };
    return lookUpCluster(clusterDesk(ground), request, look);
  }

  span(): { readonly from: number; readonly to: number } | undefined {
    return this.#reading.contacts.span();
  }

  evidence(): readonly Evidence[] {
    return this.#reading.intake.evidence();
  }

  status(): TracerStatus {
    return this.#reading.status();
  }

  async close(): Promise<void> {
    await this.#deps.walks?.close();
    await this.#reading.close();
  }

  #recorder(): AccessRecorder {
    const { access } = this.#deps;
    if (access !== undefined) return access;
    throw new FirebreakError('permission', 'this tracer cannot record looks, so it gives no answers');
  }

  /** Walks, and what they found in words. */
  async #told(view: ContactView, request: TraceRequest, signal?: AbortSignal) {
    const walks = await this.#walked(view, request, signal);
    const words = this.#wordsOf(view, request);
    return { walks, result: await traceResultInTurns(view.people, request, walks, { ...words, signal }) };
  }

  async #walked(view: ContactView, request: TraceRequest, signal?: AbortSignal): Promise<TraceWalks> {
    requireBounds(request);
    const { walks } = this.#deps;
    const { contacts, intake } = this.#reading;
    if (walks === undefined) {
      const presence = request.presence ? intake.book.view() : undefined;
      return walkTrace(view, request, this.#space, { presence, bucketsOf: this.#bucketsOf });
    }
    const presence = request.presence ? intake.book.snapshot() : undefined;
    const evidence = needsBuckets(request) ? contacts.evidenceIn(view) : undefined;
    return contacts.guarding(() => walks.walk(view, { request, presence, evidence }, { signal }));
  }

  readonly #bucketsOf = (segment: Segment, entry: number) => this.#reading.contacts.bucketsOf(segment, entry);

  #wordsOf(view: ContactView, { presence }: Pick<TraceRequest, 'presence'>): TraceWords {
    return {
      ledgerOf: ({ spot }) => (spot.kind === 'contact' ? this.contactAt(view, spot.place).ledger : []),
      presence: presence ? this.#reading.intake.book.view() : undefined,
    };
  }

  /** A checkpoint of the log as it was followed so far, and on to this entry. Throws `timeout`. */
  async #noteCovering(index: number, signal: AbortSignal | undefined): Promise<string> {
    const deadline = performance.now() + (this.#deps.coveredWithinMs ?? COVERED_WITHIN_MS);
    for (;;) {
      const { checkpoint, note } = await this.catchUp(undefined, signal);
      if (checkpoint.size > index) return note;
      if (performance.now() > deadline) break;
      signal?.throwIfAborted();
      await pause(COVERED_EVERY_MS);
    }
    const problem = `the look is entry ${index}, and no checkpoint covers it yet: there is no evidence without one`;
    throw new FirebreakError('timeout', problem);
  }
}

/** Throws `permission` without a key to sign with, `input` for a question whose answer no bundle can show. */
function requireEvidenceWanted({ attenuation, presence }: TraceRequest, signer: Signer | undefined): void {
  if (signer === undefined)
    throw new FirebreakError('permission', 'this tracer has no key to sign evidence with');
  if ((attenuation ?? 'near') === 'near' && !presence) return;
  throw new FirebreakError(
    'input',
    'evidence shows contacts near and immediate, none by presence or of another class: ask for it without them',
  );
}

/** That there is nobody is an answer too: it is recorded, and told after that. */
async function orNotFound<T>(find: () => Promise<T>): Promise<T | FirebreakError> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'not-found') return error;
    throw error;
  }
}

const ascending = (people: readonly string[]): TagNumber[] =>
  [...new Set(people.map(Number))].sort((x, y) => x - y).map(asTagNumber);
