/**
 * What gateways saw, kept for walks and clusters: sightings in any order, late ones and repeated ones too, become stays
 * (tracing.md). By day of the sighting's start, which is its report's, so that a day leaves with nothing of it kept.
 */
import { ByteReader, ByteWriter, concat, toHex } from '../../protocol/bytes.js';
import type { TagNumber } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { DayParts } from '../contacts/day-parts.js';
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import { DayLog } from './day-log.js';
import type { PresenceView } from './presence-view.js';
import { presenceView } from './snapshot.js';
import type { PresenceSnapshot } from './snapshot.js';
import { ReportPlaces } from './report-places.js';
import type { PlacesView, ReportPlace } from './report-places.js';
import type { Sighting } from './sighting.js';

export interface PresenceBookDeps {
  /** The dense number of a tag, the same one every time; people nobody met have one too. */
  readonly personOf: (tag: TagNumber) => number;
  /** Runs and sightings not yet joined that are kept at most, some 24 bytes each; 16 million by default. */
  readonly maxRuns?: number;
}

const MAX_RUNS = 2 ** 24;
const GATEWAY_BYTES = 16;
/** What had to go: first day of which all is known u32, how many u48. */
const HEAD_BYTES = 10;
const PART = 'presence/';

export class PresenceBook {
  readonly #personOf: (tag: TagNumber) => number;
  readonly #maxRuns: number;
  readonly #logs = new DayParts(PART, (day) => new DayLog(day));
  /** Where the sightings of each day are from. */
  readonly #places = new ReportPlaces();
  readonly #gateways = new Map<string, number>();
  readonly #gatewayIds: Uint8Array[] = [];
  #firstDay = 0;
  #version = 0;
  #view: { readonly version: number; readonly view: PresenceView } | undefined;
  #dropped = 0;
  /** Of days before this one some had to go. */
  #knownDay = 0;

  constructor({ personOf, maxRuns = MAX_RUNS }: PresenceBookDeps) {
    this.#personOf = personOf;
    this.#maxRuns = maxRuns;
  }

  /** Changes with what the book holds. */
  get version(): number {
    return this.#version;
  }

  /** Runs held, and sightings that are not joined yet. */
  get size(): number {
    let size = 0;
    for (const log of this.#logs.days.values()) size += log.size;
    return size;
  }

  /** Runs and sightings that had to go, or were not taken, because the book was full; forgotten days do not count. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Unix seconds from which on nothing had to go; undefined where that is all of the days that are kept. */
  get knownFrom(): number | undefined {
    return this.#knownDay > this.#firstDay ? this.#knownDay * DAY_SECONDS : undefined;
  }

  /**
   * When the book is full the oldest day makes room, unless the sighting is of that day itself or of an older
   * one. Gives whether it was taken.
   */
  add({ tag, gatewayId, start, end }: Sighting): boolean {
    const day = dayOf(start);
    if (day < this.#firstDay) return false;
    if (!this.#hasRoomFor(day)) {
      this.#drop(day, 1);
      return false;
    }
    this.#logs.at(day).add(this.#personOf(tag), this.#gatewayOf(gatewayId), start, Math.max(start, end));
    this.#version += 1;
    return true;
  }

  /**
   * What a presence report says, and where in the ledger it stands; but not where one stands of which not all
   * was taken, since evidence would find more in it than walks go by.
   */
  addReport(report: ReportPlace, sightings: readonly Sighting[]): void {
    const taken = sightings.filter((sighting) => this.add(sighting));
    if (taken.length === 0 || taken.length < sightings.length) return;
    const from = Math.min(...sightings.map(({ start }) => start));
    const to = Math.max(...sightings.map(({ end }) => end));
    this.#places.add(report, from, to);
  }

  /** The presence reports of the sightings as they stand. */
  places(): PlacesView {
    return this.#places.view();
  }

  /** Of earlier days nothing is kept, and nothing is taken any more. */
  forgetBefore(day: number): void {
    if (day <= this.#firstDay) return;
    this.#firstDay = day;
    this.#version += 1;
    this.#logs.forgetBefore(day);
    this.#places.forgetBefore(day);
  }

  /** As of {@link DayParts.changes}. */
  changes(): PartChange[] {
    return [...this.#logs.changes(), ...this.#places.changes()];
  }

  saved(): void {
    this.#logs.saved();
    this.#places.saved();
  }

  /** What parts do not say: what had to go, and the gateways, in the order of their numbers. */
  encode(): Uint8Array {
    const head = new ByteWriter(HEAD_BYTES).u32(this.#knownDay).u48(this.#dropped).finish();
    return concat(head, ...this.#gatewayIds);
  }

  /** What {@link encode} gave, and the parts, into an empty book. Throws `format`. */
  restore(bytes: Uint8Array, parts: KeptParts): void {
    const head = new ByteReader(bytes, 'the presence book');
    [this.#knownDay, this.#dropped] = [head.u32(), head.u48()];
    this.#restoreGateways(bytes.subarray(HEAD_BYTES));
    this.#places.restore(parts);
    this.#logs.restore(parts);
    this.#version += 1;
  }

  /** Start of the first and end of the last sighting; undefined before there is one. */
  span(): { readonly from: number; readonly to: number } | undefined {
    const days = [...this.#logs.days.values()];
    const from = Math.min(...days.map(({ firstStart }) => firstStart));
    const to = Math.max(...days.map(({ lastEnd }) => lastEnd));
    return to < from ? undefined : { from, to };
  }

  snapshot(): PresenceSnapshot {
    const days = [...this.#logs.days].sort(([x], [y]) => x - y).flatMap(([, log]) => log.pieces());
    return { days, gatewayIds: [...this.#gatewayIds], knownFrom: this.knownFrom };
  }

  /** As it stands: what is added later is not in it. */
  view(): PresenceView {
    if (this.#view?.version !== this.#version)
      this.#view = { version: this.#version, view: presenceView(this.snapshot()) };
    return this.#view.view;
  }

  #restoreGateways(gateways: Uint8Array): void {
    if (gateways.length % GATEWAY_BYTES !== 0)
      throw new FirebreakError('format', 'the gateways of the presence book are cut short');
    for (let at = 0; at < gateways.length; at += GATEWAY_BYTES)
      this.#gatewayOf(gateways.subarray(at, at + GATEWAY_BYTES));
  }

  #hasRoomFor(day: number): boolean {
    while (this.#isFull()) {
      const oldest = Math.min(...this.#logs.days.keys());
      if (oldest >= day) return false;
      this.#drop(oldest, this.#logs.days.get(oldest)?.size ?? 0);
      this.#logs.forget(oldest);
      this.#places.forget(oldest);
    }
    return true;
  }

  /** Joining what waits may make room; it is not done for a few. */
  #isFull(): boolean {
    if (this.size < this.#maxRuns) return false;
    const logs = [...this.#logs.days.values()];
    if (logs.reduce((sum, { pending }) => sum + pending, 0) < this.#maxRuns / 4) return true;
    for (const log of logs) log.rows();
    return this.size >= this.#maxRuns;
  }

  #drop(day: number, count: number): void {
    this.#dropped += count;
    this.#knownDay = Math.max(this.#knownDay, day + 1);
    this.#version += 1;
  }

  #gatewayOf(gatewayId: Uint8Array): number {
    const key = toHex(gatewayId);
    const known = this.#gateways.get(key);
    if (known !== undefined) return known;
    const gateway = this.#gatewayIds.length;
    this.#gateways.set(key, gateway);
    this.#gatewayIds.push(Uint8Array.from(gatewayId));
    return gateway;
  }
}
