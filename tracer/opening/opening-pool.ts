/**
 * Opens the reports of a page on threads beside this one, a few reports at a time, so that this one has nothing
 * to do but what depends on their order. It makes no difference to what is found.
 *
 * Threads are started once there was enough to open. What a thread that died had goes to another; what two threads died
 * of, and whatever is asked for while none is there, is opened on this one: a page waits for no thread to start.
 */
import { availableParallelism } from 'node:os';
import { asError } from '../../protocol/errors.js';
import { wipeKeys } from '../../protocol/keys.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import { openLogged } from './open-report.js';
import type { LoggedReport, Opening, OpeningSettings } from './open-report.js';
import { inlineOpener, reportAt } from './opener.js';
import type { Openings, ReportOpener } from './opener.js';
import { openingsOf, requestOf } from './opening-messages.js';
import type { OpenRequest } from './opening-messages.js';
import { startOpeningThread } from './opening-thread.js';
import type { OpeningThread, StartOpeningThread } from './opening-thread.js';

/** What a thread is given at once: as much as this one would open in a turn or two. */
const REPORTS_AT_ONCE = 16;
const BYTES_AT_ONCE = 32_768;
/** A page of less is opened here sooner than threads would answer. */
const LEAST_CHUNKS = 2;
/** One being opened and one that waits for it in the thread, so that no thread waits for this one. */
const CHUNKS_PER_THREAD = 2;
/** Some 500 small reports, a fifth of a second here: what starting threads is worth. */
const CHUNKS_BEFORE_START = 32;
const DEATHS_PER_CHUNK = 2;
const FRUITLESS_DEATHS = 3;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Some reports of a page, from one place on. */
interface Chunk {
  readonly from: number;
  readonly reports: readonly LoggedReport[];
  readonly dayKeysOf: DayKeysOf;
  openings: readonly Opening[] | undefined;
  /** Left to this thread. */
  isHere: boolean;
  deaths: number;
}

interface Member {
  readonly thread: OpeningThread;
  readonly chunks: Chunk[];
  isReady: boolean;
}

export interface OpeningPool extends ReportOpener {
  status(): OpeningPoolStatus;
  /** What waits is opened here. Resolves when every thread is gone. */
  close(): Promise<void>;
}

export interface OpeningPoolStatus {
  readonly threads: number;
  /** Reports that were opened by threads since the start. */
  readonly opened: number;
  /** Threads that died since the start, and what the last one died of. */
  readonly deaths: number;
  readonly lastDeath: string | undefined;
}

export interface OpeningPoolOptions {
  /** Told what each thread died of. */
  readonly onDeath?: (why: string) => void;
  /** Times sixteen small reports that come before threads are started; 32 by default. */
  readonly chunksBeforeStart?: number;
  readonly startThread?: StartOpeningThread;
}

class ThreadPool implements OpeningPool {
  readonly #settings: OpeningSettings;
  readonly #most: number;
  readonly #options: OpeningPoolOptions;
  readonly #members = new Set<Member>();
  #waiting: Chunk[] = [];
  #change = newChange();
  #chunks = 0;
  #opened = 0;
  #deaths = 0;
  #lastDeath: string | undefined;
  /** Deaths since a thread did anything, and when the next one may be started. */
  #fruitless = 0;
  #notBeforeMs = 0;
  #isClosed = false;

  constructor(settings: OpeningSettings, threads: number, options: OpeningPoolOptions) {
    this.#settings = settings;
    this.#most = threads;
    this.#options = options;
  }

  open(reports: readonly LoggedReport[], dayKeysOf: DayKeysOf): Openings {
    const chunks = chunksOf(reports, dayKeysOf);
    if (this.#isClosed || chunks.length < LEAST_CHUNKS)
      return inlineOpener(this.#settings).open(reports, dayKeysOf);
    this.#chunks += chunks.length;
    this.#waiting.push(...chunks);
    if (this.#chunks >= (this.#options.chunksBeforeStart ?? CHUNKS_BEFORE_START)) this.#startMissing();
    this.#handOut();
    const byPlace = chunks.flatMap((chunk) => chunk.reports.map(() => chunk));
    const at = (place: number): Opening | Promise<Opening> => {
      const chunk = byPlace[place];
      const known = chunk?.openings?.[place - chunk.from];
      if (known !== undefined) return known;
      if (chunk === undefined || this.#leave(chunk))
        return openLogged(reportAt(reports, place), this.#settings, dayKeysOf);
      return this.#change.happened.then(() => at(place));
    };
    return { at, done: () => (this.#waiting = this.#waiting.filter((chunk) => !chunks.includes(chunk))) };
  }

  status(): OpeningPoolStatus {
    return {
      threads: this.#members.size,
      opened: this.#opened,
      deaths: this.#deaths,
      lastDeath: this.#lastDeath,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#members].map(({ thread }) => thread.end()));
  }

  /** Whether it is for this thread to open, from now on: no other has it, and none is there that should. */
  #leave(chunk: Chunk): boolean {
    if (chunk.isHere) return true;
    const place = this.#waiting.indexOf(chunk);
    if (place < 0) return false;
    const isWanted = chunk.deaths < DEATHS_PER_CHUNK && [...this.#members].some(({ isReady }) => isReady);
    if (isWanted) return false;
    this.#waiting.splice(place, 1);
    chunk.isHere = true;
    return true;
  }

  #startMissing(): void {
    if (this.#isClosed || performance.now() < this.#notBeforeMs) return;
    try {
      while (this.#members.size < this.#most) this.#start();
    } catch (error) {
      this.#noteDeath(asError(error).message); // the machine has no room for another thread
    }
  }

  #start(): void {
    const { startThread = startOpeningThread } = this.#options;
    const thread = startThread(this.#settings, {
      onReady: () => {
        member.isReady = true;
        this.#handOut();
      },
      onAnswer: (answer) => {
        const chunk = member.chunks.shift();
        if (chunk === undefined) return;
        this.#fruitless = 0;
        this.#opened += chunk.reports.length;
        chunk.openings = openingsOf(answer, chunk.reports);
        this.#handOut();
        this.#tell();
      },
      onEnd: (why) => this.#bury(member, why),
    });
    const member: Member = { thread, chunks: [], isReady: false };
    this.#members.add(member);
  }

  /** To the thread with the least to do, in the order of the log. */
  #handOut(): void {
    for (;;) {
      const chunk = this.#waiting.find(({ deaths }) => deaths < DEATHS_PER_CHUNK);
      const member = this.#leastBusy();
      if (chunk === undefined || member === undefined) return;
      this.#waiting.splice(this.#waiting.indexOf(chunk), 1);
      this.#give(member, chunk);
    }
  }

  /** What a thread never got has no answer; where there was no memory to hand it over, it is opened here. */
  #give(member: Member, chunk: Chunk): void {
    try {
      post(member.thread, requestOf(chunk.reports, chunk.dayKeysOf));
      member.chunks.push(chunk);
    } catch {
      chunk.deaths = DEATHS_PER_CHUNK;
      this.#waiting.unshift(chunk);
      this.#tell();
    }
  }

  #leastBusy(): Member | undefined {
    let found: Member | undefined;
    for (const member of this.#members) {
      if (member.isReady && member.chunks.length < (found?.chunks.length ?? CHUNKS_PER_THREAD))
        found = member;
    }
    return found;
  }

  #bury(member: Member, why: string): void {
    this.#members.delete(member);
    const [first] = member.chunks;
    if (first !== undefined) first.deaths += 1;
    this.#waiting.unshift(...member.chunks);
    if (!this.#isClosed) {
      this.#noteDeath(why);
      if (this.#waiting.length > 0) this.#startMissing();
      this.#handOut();
    }
    this.#tell();
  }

  /** A defect that ends every thread is not to keep the machine busy with starting them. */
  #noteDeath(why: string): void {
    this.#deaths += 1;
    this.#lastDeath = why;
    this.#options.onDeath?.(why);
    this.#fruitless += 1;
    const late = this.#fruitless - FRUITLESS_DEATHS;
    if (late < 0) return;
    this.#notBeforeMs = performance.now() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** late);
  }

  /** Whoever waits for an opening looks again. */
  #tell(): void {
    const { happen } = this.#change;
    this.#change = newChange();
    happen();
  }
}

/** What is posted is a copy of the request's own copies of keys. */
function post(thread: OpeningThread, request: OpenRequest): void {
  try {
    thread.post(request);
  } finally {
    wipeKeys(request.keys);
  }
}

function newChange() {
  let happen = (): void => undefined;
  const happened = new Promise<void>((resolve) => (happen = resolve));
  return { happen: () => happen(), happened };
}

function chunksOf(reports: readonly LoggedReport[], dayKeysOf: DayKeysOf): Chunk[] {
  const chunks: Chunk[] = [];
  for (let from = 0; from < reports.length;) {
    let to = from;
    for (let bytes = 0; to < reports.length && to < from + REPORTS_AT_ONCE; to++) {
      bytes += reportAt(reports, to).payload.length;
      if (bytes > BYTES_AT_ONCE && to > from) break;
    }
    const some = { from, reports: reports.slice(from, to), dayKeysOf };
    chunks.push({ ...some, openings: undefined, isHere: false, deaths: 0 });
    from = to;
  }
  return chunks;
}

/** A pool of at most `threads`, one or more; they are started when they are first needed. */
export const openOpeningPool = (
  settings: OpeningSettings,
  threads: number,
  options: OpeningPoolOptions = {},
): OpeningPool => new ThreadPool(settings, threads, options);

/** One for each core, four at most: they leave the reading thread what it needs, since the system takes turns. */
export const defaultOpenThreads = (): number => Math.min(4, availableParallelism());
