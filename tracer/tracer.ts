/**
 * The tracer: follows the ledger, opens its reports, keeps the contacts they prove, and answers traces, each look
 * recorded first. It is given keys and readers; it reads no file.
 */
import type { Log } from '../protocol/log.js';
import { ENTRY_TYPE } from '../protocol/entry.js';
import { FirebreakError } from '../protocol/errors.js';
import type { IndexedEntry } from '../protocol/log-verifier.js';
import type { AccessRecorder, Look } from './access.js';
import { ContactBook } from './contact-book.js';
import { buildContactGraph, personOf } from './contact-graph.js';
import type { ContactGraph } from './contact-graph.js';
import { Follower } from './follower.js';
import type { CatchUp, FollowerDeps } from './follower.js';
import { ReportIntake } from './report-intake.js';
import type { IntakeCounts, IntakeSettings } from './report-intake.js';
import { trace } from './trace.js';
import type { TraceRequest, TraceResult } from './trace-result.js';

export interface TracerDeps
  extends IntakeSettings, Pick<FollowerDeps, 'reader' | 'verifier' | 'checkpoints'> {
  /** Absent in a tracer that answers nothing. */
  readonly access?: AccessRecorder;
  readonly log: Log;
}

export interface TracerStatus {
  readonly entries: number;
  readonly presenceReports: number;
  /** Reports whose payload is pruned or lost. */
  readonly missingPayloads: number;
  readonly counts: Readonly<IntakeCounts>;
  readonly contacts: number;
  readonly mutual: number;
  readonly people: number;
}

export interface Answer {
  readonly result: TraceResult;
  /** The ledger entry that records this look. */
  readonly accessIndex: number;
}

export interface Tracer {
  /** Reads and verifies what the ledger has added. */
  catchUp(onProgress?: (done: number, size: number) => void, signal?: AbortSignal): Promise<CatchUp>;
  /** The contacts as they stand; what traces walk on. */
  graph(): ContactGraph;
  /** Records the look, then answers. Throws `not-found` for an unknown case, `input` for a request out of bounds. */
  lookUp(request: TraceRequest, look: Look): Promise<Answer>;
  /** Start of the first and end of the last contact, unix seconds; undefined before there is one. */
  span(): { readonly from: number; readonly to: number } | undefined;
  knows(tag: number): boolean;
  status(): TracerStatus;
}

export function openTracer(deps: TracerDeps): Tracer {
  return new LedgerTracer(deps);
}

class LedgerTracer implements Tracer {
  readonly #deps: TracerDeps;
  readonly #intake: ReportIntake;
  readonly #book = new ContactBook();
  readonly #follower: Follower;
  #graph: ContactGraph | undefined;
  #missing = 0;
  #presence = 0;

  constructor(deps: TracerDeps) {
    this.#deps = deps;
    this.#intake = new ReportIntake(deps);
    this.#follower = new Follower({
      reader: deps.reader,
      verifier: deps.verifier,
      checkpoints: deps.checkpoints,
      wantsPayload: (entry) => entry.type === ENTRY_TYPE.tagReport,
      onEntry: (entry, payload) => this.#take(entry, payload),
    });
  }

  catchUp(onProgress?: (done: number, size: number) => void, signal?: AbortSignal): Promise<CatchUp> {
    return this.#follower.catchUp(onProgress, signal);
  }

  graph(): ContactGraph {
    this.#graph ??= buildContactGraph(this.#book.contacts());
    return this.#graph;
  }

  async lookUp(request: TraceRequest, look: Look): Promise<Answer> {
    const result = trace(this.graph(), request);
    if (this.#deps.access === undefined)
      throw new FirebreakError('permission', 'this tracer cannot record looks, so it gives no answers');
    const accessIndex = await this.#deps.access.record(look, result);
    return { result, accessIndex };
  }

  span(): { readonly from: number; readonly to: number } | undefined {
    const { start, end } = this.graph();
    const from = start[0];
    return from === undefined
      ? undefined
      : { from, to: end.reduce((latest, at) => Math.max(latest, at), from) };
  }

  knows(tag: number): boolean {
    return personOf(this.graph(), tag) !== undefined;
  }

  status(): TracerStatus {
    const { contacts, people } = this.graph();
    return {
      entries: this.#follower.size,
      presenceReports: this.#presence,
      missingPayloads: this.#missing,
      counts: this.#intake.counts,
      contacts: contacts.length,
      mutual: contacts.filter((contact) => contact.mutual).length,
      people: people.length,
    };
  }

  #take(entry: IndexedEntry, payload: Uint8Array | undefined): void {
    if (entry.type === ENTRY_TYPE.presenceReport) this.#presence += 1;
    if (entry.type !== ENTRY_TYPE.tagReport) return;
    if (payload === undefined) {
      this.#missing += 1;
      return;
    }
    for (const testimony of this.#intake.take(entry, payload)) this.#book.add(testimony);
    this.#graph = undefined;
  }
}
