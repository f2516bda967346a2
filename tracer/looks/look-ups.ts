/**
 * The questions of a tracer about people: each is walked, recorded as a look, and then answered; no entry, no
 * answer.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { asTagNumber } from '../../protocol/brands.js';
import type { TagNumber } from '../../protocol/brands.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { askedInTrace } from './access.js';
import type { AccessRecorder, Look } from './access.js';
import { AskerError } from '../asker-error.js';
import type { ClusterAnswer } from '../cluster/cluster-message.js';
import type { ClusterRequest } from '../cluster/cluster-result.js';
import { clusterDesk } from '../cluster/desk.js';
import { lookUpCluster } from '../cluster/look-up.js';
import type { Segment } from '../contacts/segment.js';
import type { ContactView, Place } from '../contacts/view.js';
import { makeEvidence } from '../evidence/make.js';
import type { Answered } from '../evidence/make.js';
import type { EvidenceWish } from '../evidence/plan.js';
import { pathIn } from './found-path.js';
import { afterLook, orNotFound, recordedAs } from './nobody-found.js';
import type { NotKnown } from './nobody-found.js';
import { presenceView } from '../presence/snapshot.js';
import type { PresenceSnapshot } from '../presence/snapshot.js';
import type { LedgerReading, ReadingDeps } from '../intake/ledger-reading.js';
import { contactRows } from './person-contacts.js';
import type { PersonQuestion } from './person-contacts.js';
import { requireBounds, requireTagNumber, traceResultInTurns, withBeginnings } from './trace.js';
import type { TraceWords } from './rows-told.js';
import type { TraceRequest, TraceResult, WalkRequest } from './trace-result.js';
import { knownBeside, spanning } from './window.js';
import type { Window } from './window.js';
import { needsBuckets } from '../walk/ground.js';
import { MAX_LIST } from '../walk/order.js';
import { tagsReached, walkTrace } from '../walk/trace-walks.js';
import type { TraceWalks } from '../walk/trace-walks.js';
import type { WalkPool } from '../walk/walk-pool.js';
import { WalkWorkspace } from '../walk/workspace.js';

/** The ledger's receipt for a look comes with a checkpoint that covers it; a reader may see that one a little later. */
const COVERED_WITHIN_MS = 10_000;
const COVERED_EVERY_MS = 100;

export interface LookUpDeps extends ReadingDeps {
  /** Absent in a tracer that answers nothing. */
  readonly access?: AccessRecorder;
  /** The key that the looks are written with; without it there are answers, but no evidence bundles. */
  readonly signer?: Signer;
  /**
   * Threads that walk, so that a long trace keeps nobody from reading on; on this thread by default. Whoever
   * gives them closes them.
   */
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

/** Of an answer whose result stands beside it. */
export interface Lookup {
  /** As of {@link Answer}. */
  readonly accessIndex: number;
  /** As of {@link TraceResult}. */
  readonly missingReports: number;
}

/**
 * What one question is answered from, as it stood when it came: people and gateways are numbered anew when the
 * store is begun anew.
 */
interface Ground extends NotKnown {
  readonly view: ContactView;
  /** Absent where it does not count. */
  readonly presence: PresenceSnapshot | undefined;
}

/** On what was read so far, as it stands when a question comes. */
export class LookUps {
  readonly #deps: LookUpDeps;
  readonly #reading: LedgerReading;
  readonly #space = new WalkWorkspace();

  constructor(deps: LookUpDeps, reading: LedgerReading) {
    this.#deps = deps;
    this.#reading = reading;
  }

  /** This and the others: as of the Tracer (tracer.ts). */
  span({ presence } = { presence: false }): Window | undefined {
    const { contacts, intake } = this.#reading;
    return spanning(contacts.span(), presence ? intake.book.span() : undefined);
  }

  async lookUp(
    request: TraceRequest,
    look: Look,
    wish?: EvidenceWish,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const { signer } = this.#deps;
    const access = this.#recorder();
    if (wish !== undefined && signer === undefined)
      throw new AskerError('permission', 'this tracer has no key to sign evidence with');
    const ground = this.#ground(request.presence);
    const { view, missingReports } = ground;
    const known = knownBeside(request, this.span({ presence: request.presence ?? false }));
    const { book, gateways } = this.#reading.intake;
    const presence = request.presence ? { places: book.places(), gateways } : undefined;
    const found = await orNotFound(() => this.#told(ground, request, wish, signal), ground);
    if (found instanceof AskerError) {
      const { index } = await access.record(look, askedInTrace(request), [], signal);
      throw recordedAs(found, index);
    }
    const { result, walks, shown } = found;
    const reached = tagsReached(view.people, walks);
    const recorded = await access.record(look, askedInTrace(request), reached, signal);
    const answer = { result: { ...result, ...known, missingReports }, accessIndex: recorded.index };
    if (wish === undefined || signer === undefined) return answer;
    const contactAt = (place: Place) => this.#reading.contacts.contactAt(view, place);
    const answered = { result: shown, from: { view, contactAt, presence }, access: recorded };
    return { ...answer, evidence: await afterLook(this.#evidence(answered, signer, wish, signal), signal) };
  }

  async lookUpPath(request: TraceRequest, person: string, look: Look, signal?: AbortSignal) {
    const access = this.#recorder();
    requireTagNumber('person', person);
    requireBounds(request);
    const ground = this.#ground(request.presence);
    const { missingReports } = ground;
    const asked = { ...askedInTrace(request), question: 'path' } as const;
    const found = await orNotFound(async () => {
      const walks = await this.#walked(ground, { ...request, list: MAX_LIST }, signal);
      return pathIn(ground.view, walks, { ...request, person }, this.#wordsOf(ground));
    }, ground);
    const onIt = found instanceof AskerError ? [] : found.person.path.flatMap(({ from, to }) => [from, to]);
    const { index } = await access.record(look, asked, ascending([...onIt, person]), signal);
    if (found instanceof AskerError) throw recordedAs(found, index);
    return { ...found, missingReports, accessIndex: index };
  }

  async lookUpContacts(question: PersonQuestion, look: Look, signal?: AbortSignal) {
    const access = this.#recorder();
    const ground = this.#ground();
    const { view, missingReports } = ground;
    const { person, from, to, minSeconds } = question;
    requireTagNumber('person', person);
    const oneHop = { case: person, direction: 'forward', hops: 1, latentSeconds: 0 } as const;
    const asOneHop = { ...oneHop, from, to, minSeconds };
    requireBounds(asOneHop);
    const asked = { ...askedInTrace(asOneHop), question: 'contacts' } as const;
    const contactAt = (place: Place) => this.#reading.contacts.contactAt(view, place);
    const found = await orNotFound(() => contactRows(view, question, contactAt, signal), ground);
    const met = found instanceof AskerError ? [] : found.contacts.map((row) => row.person);
    const { index } = await access.record(look, asked, ascending(met), signal);
    if (found instanceof AskerError) throw recordedAs(found, index);
    return { ...found, missingReports, accessIndex: index };
  }

  async lookUpCluster(request: ClusterRequest, look: Look, signal?: AbortSignal): Promise<ClusterAnswer> {
    const access = this.#recorder();
    const { intake, contacts } = this.#reading;
    const seen = intake.book.snapshot();
    const ground = { ...this.#ground(), presence: request.presence ? seen : undefined };
    const weighsStays = request.presence === true || request.gateways !== false;
    const known = knownBeside(request, this.span({ presence: weighsStays }));
    const tagOf = (person: number): number => {
      if (this.#reading.intake === intake) return contacts.tagOf(person);
      throw new AskerError('busy', 'the contacts are read again from the ledger: ask once more');
    };
    const walk = (asked: WalkRequest) => this.#walked(ground, asked, signal);
    const wordsOf = () => this.#wordsOf(ground);
    const presence = presenceView(seen);
    const desk = clusterDesk({ people: ground.view.people, tagOf, walk, wordsOf, presence, access, signal });
    const { result, accessIndex } = await lookUpCluster(desk, request, look);
    return { result: { ...result, ...known, missingReports: ground.missingReports }, accessIndex };
  }

  #recorder(): AccessRecorder {
    const { access } = this.#deps;
    if (access !== undefined) return access;
    throw new AskerError('permission', 'this tracer cannot record looks, so it gives no answers');
  }

  #ground(withPresence = false): Ground {
    const { contacts, intake } = this.#reading;
    const presence = withPresence ? intake.book.snapshot() : undefined;
    const { missingPayloads: missingReports, prunedPayloads: prunedReports } = intake.status();
    return { view: contacts.view(), presence, missingReports, prunedReports };
  }

  /**
   * Walks, and what they found in words. For evidence paths are led back to where they begin, be that listed or
   * not.
   */
  async #told(ground: Ground, request: TraceRequest, wish?: EvidenceWish, signal?: AbortSignal) {
    const leadsBack = wish !== undefined && request.direction === 'both';
    const asked = leadsBack ? { ...request, list: MAX_LIST } : request;
    const walks = await this.#walked(ground, asked, signal);
    const words = { ...this.#wordsOf(ground), signal };
    const { people } = ground.view;
    const result = await traceResultInTurns(people, request, walks, words);
    const shown = leadsBack ? await withBeginnings(people, result, walks.sources, words) : result;
    return { walks, result, shown };
  }

  async #walked({ view, presence }: Ground, request: WalkRequest, signal?: AbortSignal): Promise<TraceWalks> {
    requireBounds(request);
    const { walks } = this.#deps;
    const { contacts } = this.#reading;
    if (walks === undefined) {
      const seen = presence && presenceView(presence);
      return walkTrace(view, request, this.#space, { presence: seen, bucketsOf: this.#bucketsOf });
    }
    const evidence = needsBuckets(request) ? contacts.evidenceIn(view) : undefined;
    return contacts.guarding(() => walks.walk(view, { request, presence, evidence }, { signal }));
  }

  readonly #bucketsOf = (segment: Segment, entry: number) => this.#reading.contacts.bucketsOf(segment, entry);

  #wordsOf({ view, presence }: Ground): TraceWords {
    return {
      ledgerOf: ({ spot }) =>
        spot.kind === 'contact' ? this.#reading.contacts.contactAt(view, spot.place).ledger : [],
      presence: presence && presenceView(presence),
    };
  }

  /** The bundle of an answer whose look is recorded. Throws `timeout`, and what {@link makeEvidence} throws. */
  async #evidence(
    answered: Omit<Answered, 'note'>,
    signer: Signer,
    wish: EvidenceWish,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const note = await this.#noteCovering(answered.access.index, signal);
    const deps = { ...this.#deps, dayKeysOf: this.#deps.dayKeys.of, signer };
    return makeEvidence({ ...answered, note }, deps, wish, signal);
  }

  /** A checkpoint of the log as it was followed so far, and on to this entry. Throws `timeout`. */
  async #noteCovering(index: number, signal: AbortSignal | undefined): Promise<string> {
    const deadline = performance.now() + (this.#deps.coveredWithinMs ?? COVERED_WITHIN_MS);
    for (;;) {
      const { checkpoint, note } = await this.#reading.catchUp(undefined, signal);
      if (checkpoint.size > index) return note;
      if (performance.now() > deadline) break;
      signal?.throwIfAborted();
      await pause(COVERED_EVERY_MS);
    }
    const problem = `no checkpoint covers entry ${index} yet, and there is no evidence without one`;
    throw new AskerError('timeout', problem);
  }
}

const ascending = (people: readonly string[]): TagNumber[] =>
  [...new Set(people.map(Number))].sort((x, y) => x - y).map(asTagNumber);
