/**
 * The tracer: follows the ledger, opens its reports, keeps the contacts they prove, and answers traces, each look
 * recorded first. It is given keys and readers; it reads no file.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Signer } from '../protocol/ed25519.js';
import { asError, FirebreakError } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';
import { decodeVerifiedLog, encodeVerifiedLog, sizeOf } from '../protocol/log-verifier.js';
import type { VerifiedLog } from '../protocol/log-verifier.js';
import { askedInTrace } from './access.js';
import type { AccessRecorder, Look } from './access.js';
import type { Contact } from './contact.js';
import { memoryContactStore } from './contacts/contact-store.js';
import type { ContactStore } from './contacts/contact-store.js';
import type { ContactView, Place } from './contacts/view.js';
import { makeEvidence } from './evidence/make.js';
import type { EvidenceWish } from './evidence/plan.js';
import type { Evidence } from './evidence.js';
import { Follower } from './follower.js';
import type { CatchUp, FollowerDeps, Progress } from './follower.js';
import { Intake } from './intake.js';
import type { IntakeGiven, IntakeStatus } from './intake.js';
import { requireBounds, tagsReached, traceResult } from './trace.js';
import type { TraceRequest, TraceResult } from './trace-result.js';
import type { Segment } from './contacts/segment.js';
import type { HotStep } from './walk/walk-result.js';
import { walkTrace } from './walk/trace-walks.js';
import { WalkWorkspace } from './walk/workspace.js';

/** The ledger's receipt for a look comes with a checkpoint that covers it; a reader may see that one a little later. */
const COVERED_WITHIN_MS = 10_000;
const COVERED_EVERY_MS = 100;

export interface TracerDeps extends IntakeGiven, Pick<FollowerDeps, 'verifier' | 'policy' | 'checkpoints'> {
  /** Absent in a tracer that answers nothing. */
  readonly access?: AccessRecorder;
  /** The key that the looks are written with; without it there are answers, but no evidence bundles. */
  readonly signer?: Signer;
  /** Where contacts are kept; in memory by default. The tracer closes it. */
  readonly contacts?: ContactStore;
  readonly log?: Log;
  /** Entries read before what they gave is saved again; 16,384 by default. */
  readonly saveEvery?: number;
  /** Wall ms to wait until a checkpoint covers a look, for its evidence; ten seconds by default. */
  readonly coveredWithinMs?: number;
}

export interface TracerStatus extends IntakeStatus {
  /** Entries verified. */
  readonly entries: number;
  readonly contacts: number;
  /** Contacts that both sides reported. */
  readonly mutual: number;
  readonly people: number;
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
  lookUp(request: TraceRequest, look: Look, wish?: EvidenceWish): Promise<Answer>;
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

/** The section of what is kept that says how far the log was read. */
const LOG = 'log';
const SAVE_EVERY = 16_384;

/** What reads a ledger into a contact store. */
interface Reading {
  readonly intake: Intake;
  readonly follower: Follower;
}

class LedgerTracer implements Tracer {
  readonly #deps: TracerDeps;
  readonly #contacts: ContactStore;
  readonly #space = new WalkWorkspace();
  #reading: Reading;
  /** Why it is to be begun anew. */
  #broken: Error | undefined;
  /** Entries read since the last saving. */
  #unsaved = 0;
  /** The last checkpoint that was read up to. */
  #note = '';
  /** Settles when the last call to catch up that was begun is over. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: TracerDeps) {
    this.#deps = deps;
    this.#contacts = deps.contacts ?? memoryContactStore();
    this.#reading = this.#begin();
  }

  catchUp(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    const readOn = () => this.#readOn(onProgress, signal);
    const turn = this.#turn.then(readOn, readOn); // whoever called before hears of its own failure
    this.#turn = turn;
    return turn;
  }

  view(): ContactView {
    return this.#contacts.view();
  }

  contactAt(view: ContactView, place: Place): Contact {
    return this.#contacts.contactAt(view, place);
  }

  async lookUp(request: TraceRequest, look: Look, wish?: EvidenceWish): Promise<Answer> {
    const { access, signer } = this.#deps;
    if (access === undefined)
      throw new FirebreakError('permission', 'this tracer cannot record looks, so it gives no answers');
    if (wish !== undefined) requireEvidenceWanted(request, signer);
    const view = this.view();
    const found = this.#traced(view, request);
    if (found instanceof FirebreakError) {
      await access.record(look, askedInTrace(request), []);
      throw found;
    }
    const { result, reached } = found;
    const recorded = await access.record(look, askedInTrace(request), reached);
    const answer = { result, accessIndex: recorded.index };
    if (wish === undefined || signer === undefined) return answer;
    const note = await this.#noteCovering(recorded.index);
    const deps = { ...this.#deps, dayKeysOf: this.#deps.dayKeys.of, signer };
    const from = { view, contactAt: (place: Place) => this.contactAt(view, place) };
    return { ...answer, evidence: await makeEvidence({ result, from, access: recorded, note }, deps, wish) };
  }

  span(): { readonly from: number; readonly to: number } | undefined {
    return this.#contacts.span();
  }

  evidence(): readonly Evidence[] {
    return this.#reading.intake.evidence();
  }

  status(): TracerStatus {
    const { contacts, mutual, people } = this.#contacts.status();
    const { intake, follower } = this.#reading;
    return { ...intake.status(), entries: follower.size, contacts, mutual, people };
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined);
    try {
      if (this.#unsaved > 0 && this.#broken === undefined) await this.#save();
    } finally {
      await this.#contacts.close();
    }
  }

  /** That a case has met nobody is an answer too. */
  #traced(view: ContactView, request: TraceRequest) {
    const ledgerOf = ({ spot }: HotStep): readonly number[] =>
      spot.kind === 'contact' ? this.contactAt(view, spot.place).ledger : [];
    const presence = request.presence ? this.#reading.intake.book.view() : undefined;
    const bucketsOf = (segment: Segment, entry: number) => this.#contacts.bucketsOf(segment, entry);
    try {
      requireBounds(request);
      const walks = walkTrace(view, request, this.#space, { presence, bucketsOf });
      const result = traceResult(view.people, request, walks, { ledgerOf, presence });
      return { result, reached: tagsReached(view.people, walks) };
    } catch (error) {
      if (error instanceof FirebreakError && error.code === 'not-found') return error;
      throw error;
    }
  }

  /** A checkpoint of the log as it was followed so far, and on to this entry. Throws `timeout`. */
  async #noteCovering(index: number): Promise<string> {
    const deadline = performance.now() + (this.#deps.coveredWithinMs ?? COVERED_WITHIN_MS);
    for (;;) {
      const { checkpoint, note } = await this.catchUp();
      if (checkpoint.size > index) return note;
      if (performance.now() > deadline) break;
      await pause(COVERED_EVERY_MS);
    }
    const problem = `the look is entry ${index}, and no checkpoint covers it yet: there is no evidence without one`;
    throw new FirebreakError('timeout', problem);
  }

  async #readOn(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    await this.#mend();
    try {
      return await this.#readOnce(onProgress, signal);
    } catch (error) {
      if (this.#contacts.damage === undefined) throw error;
      await this.#mend();
      return this.#readOnce(onProgress, signal);
    }
  }

  async #readOnce(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    const { intake, follower } = this.#reading;
    const caughtUp = await follower.catchUp(onProgress, signal);
    this.#note = caughtUp.note;
    if (await intake.takeWaiting(signal)) this.#unsaved += 1;
    if (this.#contacts.wantsSave) await this.#save();
    return caughtUp;
  }

  /** What cannot be believed any more is read from the ledger again. */
  async #mend(): Promise<void> {
    const why = this.#broken ?? this.#contacts.damage;
    if (why === undefined) return;
    this.#deps.log?.warn('what the tracer kept is damaged; the ledger is read again from its start', {
      why: why.message,
    });
    await this.#contacts.clear();
    this.#broken = undefined;
    this.#reading = this.#begin();
  }

  #begin(): Reading {
    try {
      return this.#readingFrom(this.#contacts);
    } catch (error) {
      this.#broken = asError(error);
      return this.#readingFrom(memoryContactStore()); // until it is mended, before anything is read
    }
  }

  #readingFrom(contacts: ContactStore): Reading {
    const intake = new Intake(this.#deps, contacts);
    const start = keptLog(contacts);
    const follower = new Follower({
      ...this.#deps,
      ...(start && { start }),
      onPage: async (entries) => {
        await intake.takePage(entries);
        this.#unsaved += entries.length;
      },
      onTaken: async () => {
        const isDue = this.#unsaved >= (this.#deps.saveEvery ?? SAVE_EVERY);
        if (isDue || contacts.wantsSave) await this.#save();
      },
    });
    return { intake, follower };
  }

  /** Between two pages: the contacts, the place in the log and what is remembered belong together. */
  async #save(): Promise<void> {
    const { intake, follower } = this.#reading;
    const { position } = follower;
    const sections = new Map([...intake.sections(), [LOG, encodeVerifiedLog(position)]]);
    await this.#contacts.save({ size: sizeOf(position), note: this.#note }, sections);
    this.#unsaved = 0;
  }
}

/** Throws `damaged` when the place in the log is not the one that the contacts reach to, `format` when it cannot be read. */
function keptLog({ kept, position }: ContactStore): VerifiedLog | undefined {
  const bytes = kept.get(LOG);
  const log = bytes && decodeVerifiedLog(bytes);
  if ((log ? sizeOf(log) : 0) === position.size) return log;
  throw new FirebreakError('damaged', 'the kept place in the log is not the one that the contacts reach to');
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
