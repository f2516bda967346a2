/**
 * Moves contacts from live tables into segments, and segments into longer ones, while others are added: threads
 * make the files, the result is put in place between two additions (placement.ts). What changed meanwhile stays
 * live, and takes the place of what was sealed. Nothing of it counts on the disk before the next commit,
 * together with the state that goes with it.
 */
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { expiredSegments } from './compaction-policy.js';
import { wantedCompaction } from './wanted-compaction.js';
import { gatherDays } from './live-days.js';
import type { DayToSeal } from './live-days.js';
import type { LiveRows } from './live-table.js';
import { MOST_MOVED } from './live-writer.js';
import type { LiveWriter } from './live-writer.js';
import type { PartChange } from './kept-parts.js';
import type { LedgerPosition } from './manifest.js';
import { Placement } from './placement.js';
import type { Made, MadeDay } from './placement.js';
import { sealedSegment } from './sealed-segment.js';
import type { SegmentStore } from './segment-store.js';
import { isDamaged } from './store-errors.js';

export interface SealerDeps {
  readonly store: SegmentStore;
  readonly writer: LiveWriter;
  readonly log: Log;
  /** A day with fewer contacts in a table stays live. */
  readonly leastRows: number;
  /** Full tables that wait for their days to be over. */
  readonly waitingTables: number;
}

/** A day is over for its reports, most of them, three hours after its end. */
const DAY_OVER_SECONDS = 3 * 3600;
/** Beyond what waits, before additions have to. */
const SPARE_TABLES = 2;

export class LiveSealer {
  readonly #deps: SealerDeps;
  readonly #placement: Placement;
  readonly #stop = new AbortController();
  /** By table: the value of {@link #overDay} at which none of its days had enough contacts to be sealed. */
  readonly #tooFewBy = new WeakMap<LiveRows, number>();
  #keepFrom = 0;
  /** Days before this one are over, by the contacts that came. */
  #overDay = 0;
  #mayCompact = true;
  #work: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(deps: SealerDeps) {
    this.#deps = deps;
    this.#placement = new Placement(deps);
  }

  /** Goes up whenever a view has other tables than before. */
  get changes(): number {
    return this.#placement.changes;
  }

  /** Set when what lies on the disk proved damaged, and when putting a segment in place failed half way. */
  get damage(): Error | undefined {
    return this.#placement.damage ?? (isDamaged(this.#failure) ? this.#failure : undefined);
  }

  /** Whether there is something that a commit would make last. */
  get hasUncommitted(): boolean {
    return this.#placement.segments.hasUncommitted;
  }

  /**
   * Puts the segments of the store in place; contacts before `keepFrom` had to go in an earlier life, which may
   * have ended before it came to cut them.
   */
  async begin(keepFrom: number): Promise<void> {
    await this.#placement.begin(keepFrom);
    this.#keepFrom = keepFrom;
  }

  /**
   * Resolves when there is room for more. Throws what kept contacts from being sealed, the next call tries
   * again; `closed` after {@link close}.
   */
  async ready(): Promise<void> {
    const most = this.#deps.waitingTables + SPARE_TABLES;
    while (this.#waiting().length > most) {
      if (this.#stop.signal.aborted) throw new FirebreakError('closed', 'the contact store is closed');
      this.nudge();
      await this.#work;
      this.#throwFailure();
    }
  }

  /** Begins whatever is to be done, unless it is under way. Called after additions. */
  nudge(): void {
    this.#closeDay();
    if (this.#work !== undefined || this.#stop.signal.aborted || this.#nextStep() === undefined) return;
    this.#work = this.#run().finally(() => (this.#work = undefined));
  }

  /** Resolves when nothing is left to be done. Throws what failed. */
  async settled(): Promise<void> {
    for (this.nudge(); this.#work !== undefined; this.nudge()) {
      await this.#work;
      this.#throwFailure();
    }
  }

  /** Contacts that ended before this are to go, unix seconds. */
  expireBefore(seconds: number): void {
    this.#keepFrom = seconds;
    this.#mayCompact = true;
    const expired = expiredSegments(this.#placement.segments.inPlace, seconds);
    if (expired.length > 0) this.#placement.remove(expired);
    this.nudge();
  }

  /** Makes the state of things last, with the state that goes with it. */
  async commit(position: LedgerPosition, state: Uint8Array, parts: readonly PartChange[]): Promise<void> {
    await this.#placement.segments.commit(position, state, parts);
    this.#failure = this.damage;
    this.#mayCompact = true;
  }

  /** Ends what is under way; what it made so far is not lost, only made again. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#work;
    await this.#deps.store.close();
  }

  #throwFailure(): void {
    const failure = this.#placement.damage ?? this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  async #run(): Promise<void> {
    try {
      for (let step = this.#nextStep(); step !== undefined; step = this.#nextStep()) await step();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#failure = asError(error);
      this.#deps.log.warn('contacts could not be sealed; they stay in memory until it is tried again', {
        why: this.#failure.message,
      });
    }
  }

  #nextStep(): (() => Promise<void>) | undefined {
    if (this.damage !== undefined || this.#failure !== undefined || this.#stop.signal.aborted)
      return undefined;
    const table = this.#nextTable();
    if (table !== undefined) return () => this.#seal(table);
    const ids = this.#nextCompaction();
    return ids && (() => this.#compact(ids));
  }

  /** Full tables, and those that were closed when a day was over. */
  #waiting(): readonly LiveRows[] {
    return this.#deps.writer.tables.slice(0, -1);
  }

  #closeDay(): void {
    const newest = Math.max(...this.#deps.writer.tables.map(({ lastEnd }) => lastEnd));
    const overDay = dayOf(newest - DAY_OVER_SECONDS);
    if (!(overDay > this.#overDay)) return;
    this.#overDay = overDay;
    this.#mayCompact = true;
    const current = this.#deps.writer.tables.at(-1);
    if (current && current.count >= this.#deps.leastRows) this.#deps.writer.rotate();
  }

  #nextTable(): LiveRows | undefined {
    const waiting = this.#waiting();
    if (waiting.length > this.#deps.waitingTables) return waiting[0];
    const isOver = (rows: LiveRows): boolean =>
      rows.firstStart < this.#overDay * DAY_SECONDS && this.#tooFewBy.get(rows) !== this.#overDay;
    return waiting.find((rows) => isOver(rows) || this.#isToGo(rows));
  }

  /**
   * Whether it may have dead rows past retention, which go with it alone, and all its days are over: so it can be sealed
   * to its last contact.
   */
  #isToGo({ earliest, contacts, lastEnd }: LiveRows): boolean {
    return earliest < this.#keepFrom && contacts > MOST_MOVED && lastEnd < this.#overDay * DAY_SECONDS;
  }

  /** Makes a segment of each day with enough contacts; what is left moves to the table that is written to. */
  async #seal(table: LiveRows): Promise<void> {
    const isLate = this.#waiting().length > this.#deps.waitingTables;
    const days = await this.#daysOf(table, isLate);
    if (!isLate && days.length === 0 && !this.#isToGo(table))
      return void this.#tooFewBy.set(table, this.#overDay);
    const made: MadeDay[] = [];
    let put: () => void;
    try {
      for (const day of days) {
        const stored = await this.#deps.store.seal(day.contacts, { signal: this.#stop.signal });
        made.push({ day, stored, sealed: await sealedSegment(stored) });
      }
      put = this.#placement.lookUpDays(table, made);
    } catch (error) {
      await this.#discard(made);
      throw error;
    }
    put();
  }

  /**
   * Days that are over, small ones too where that alone takes what is past retention out of memory; when too many tables
   * wait, others too, and small ones where that finds nothing.
   */
  async #daysOf(table: LiveRows, isLate: boolean): Promise<DayToSeal[]> {
    const before = isLate ? Infinity : this.#overDay;
    const days = await gatherDays(table, before, this.#deps.leastRows);
    if (days.length > 0) return days;
    const takesSmall = isLate ? 2 * table.contacts > table.count : this.#isToGo(table);
    return takesSmall ? gatherDays(table, before, 1) : days;
  }

  /** Of segments of the store alone: what is not committed yet has its turn after the next commit. */
  #nextCompaction(): readonly number[] | undefined {
    if (!this.#mayCompact) return undefined;
    const next = wantedCompaction(this.#placement.segments.lasting, this.#deps.writer.sealed, {
      today: this.#overDay,
      keepFrom: this.#keepFrom,
      cutAt: (id) => this.#placement.cutAt(id),
    });
    this.#mayCompact = next !== undefined;
    return next;
  }

  /** A segment that expired meanwhile was taken out, and its files may be gone: to fail for that is no failure. */
  async #compact(ids: readonly number[]): Promise<void> {
    try {
      await this.#replace(ids);
    } catch (error) {
      const standing = new Set(this.#placement.segments.lasting.map(({ id }) => id));
      if (this.#placement.damage !== undefined || ids.every((id) => standing.has(id))) throw error;
    }
  }

  async #replace(ids: readonly number[]): Promise<void> {
    const keepFrom = this.#keepFrom;
    const { sealed } = this.#deps.writer;
    const before = new Map(ids.map((id) => [id, sealed.replacedIn(id)]));
    const dropped = new Map(
      [...before].map(([id, known]) => [id, Uint32Array.from(known, ({ entry }) => entry)]),
    );
    const stored = await this.#deps.store.compact({ ids, dropped, keepFrom }, { signal: this.#stop.signal });
    const made = stored && { stored, sealed: await sealedSegment(stored) };
    // The border moved: it is made once more.
    if (keepFrom !== this.#keepFrom) return this.#discard(made ? [made] : []);
    let put: () => void;
    try {
      put = this.#placement.lookUpSegments({ ids, before, keepFrom, made });
    } catch (error) {
      await this.#discard(made ? [made] : []);
      throw error;
    }
    put();
  }

  /** What was made and is not in its place. */
  async #discard(made: readonly Made[]): Promise<void> {
    for (const { stored } of made) await this.#deps.store.discard(stored.info.id);
  }
}
