/**
 * The tracer: follows the ledger, opens its reports, keeps the contacts they prove, and answers traces, each look
 * recorded first. It is given keys and readers; it reads no file.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Signer } from '../protocol/ed25519.js';
import { FirebreakError } from '../protocol/errors.js';
import { askedInTrace, tagsInTrace } from './access.js';
import type { AccessRecorder, Look } from './access.js';
import { ContactBook } from './contact-book.js';
import { buildContactGraph } from './contact-graph.js';
import type { ContactGraph } from './contact-graph.js';
import { makeEvidence } from './evidence/make.js';
import type { EvidenceWish } from './evidence/plan.js';
import type { Evidence } from './evidence.js';
import { Follower } from './follower.js';
import type { CatchUp, FollowerDeps, Progress } from './follower.js';
import { Intake } from './intake.js';
import type { IntakeGiven, IntakeStatus } from './intake.js';
import { trace } from './trace.js';
import type { TraceRequest, TraceResult } from './trace-result.js';

/** The ledger's receipt for a look comes with a checkpoint that covers it; a reader may see that one a little later. */
const COVERED_WITHIN_MS = 10_000;
const COVERED_EVERY_MS = 100;

export interface TracerDeps extends IntakeGiven, Pick<FollowerDeps, 'verifier' | 'policy' | 'checkpoints'> {
  /** Absent in a tracer that answers nothing. */
  readonly access?: AccessRecorder;
  /** The key that the looks are written with; without it there are answers, but no evidence bundles. */
  readonly signer?: Signer;
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
  graph(): ContactGraph;
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
}

export function openTracer(deps: TracerDeps): Tracer {
  return new LedgerTracer(deps);
}

class LedgerTracer implements Tracer {
  readonly #deps: TracerDeps;
  readonly #book = new ContactBook();
  readonly #intake: Intake;
  readonly #follower: Follower;
  /** Of the book as it was at that version. */
  #graph: { readonly version: number; readonly graph: ContactGraph } | undefined;
  /** Settles when the last call to catch up that was begun is over. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: TracerDeps) {
    this.#deps = deps;
    this.#intake = new Intake(deps, this.#book);
    this.#follower = new Follower({
      ...deps,
      onPage: (entries) => this.#intake.takePage(entries),
    });
  }

  catchUp(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    const readOn = () => this.#readOn(onProgress, signal);
    const turn = this.#turn.then(readOn, readOn); // whoever called before hears of its own failure
    this.#turn = turn;
    return turn;
  }

  graph(): ContactGraph {
    const { version } = this.#book;
    if (this.#graph?.version !== version)
      this.#graph = { version, graph: buildContactGraph(this.#book.contacts()) };
    return this.#graph.graph;
  }

  async lookUp(request: TraceRequest, look: Look, wish?: EvidenceWish): Promise<Answer> {
    const { access, signer } = this.#deps;
    if (access === undefined)
      throw new FirebreakError('permission', 'this tracer cannot record looks, so it gives no answers');
    if (wish !== undefined && signer === undefined)
      throw new FirebreakError('permission', 'this tracer has no key to sign evidence with');
    const graph = this.graph();
    const found = tracedOn(graph, request);
    const isNobody = found instanceof FirebreakError;
    const recorded = await access.record(look, askedInTrace(request), isNobody ? [] : tagsInTrace(found));
    if (isNobody) throw found;
    const answer = { result: found, accessIndex: recorded.index };
    if (wish === undefined || signer === undefined) return answer;
    const note = await this.#noteCovering(recorded.index);
    const deps = { ...this.#deps, dayKeysOf: this.#deps.dayKeys.of, signer };
    return {
      ...answer,
      evidence: await makeEvidence({ result: found, graph, access: recorded, note }, deps, wish),
    };
  }

  span(): { readonly from: number; readonly to: number } | undefined {
    const { start, end } = this.graph();
    const from = start[0];
    if (from === undefined) return undefined;
    return { from, to: end.reduce((latest, at) => Math.max(latest, at), from) };
  }

  evidence(): readonly Evidence[] {
    return this.#intake.evidence();
  }

  status(): TracerStatus {
    const { size: contacts, mutual, people } = this.#book;
    return { ...this.#intake.status(), entries: this.#follower.size, contacts, mutual, people };
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
    const caughtUp = await this.#follower.catchUp(onProgress, signal);
    await this.#intake.takeWaiting(signal);
    return caughtUp;
  }
}

/** That a case has met nobody is an answer too. */
function tracedOn(graph: ContactGraph, request: TraceRequest): TraceResult | FirebreakError {
  try {
    return trace(graph, request);
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'not-found') return error;
    throw error;
  }
}
