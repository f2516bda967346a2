/**
 * Merges evidence as it streams by, in its order (evidence-file.ts); of records with the same key the first
 * source's come first.
 */
import { durationOf } from './evidence-file.js';
import type { EvidenceWriter } from './evidence-writer.js';
import type { StandAside } from './stand-aside.js';
import { ownerOf, rankOf } from './segment-search.js';
import { MAX_CONTACT_SECONDS, startAt } from './segment.js';
import type { Segment } from './segment.js';

/** Stands at one record of evidence after another. */
export interface EvidenceSource {
  readonly isDone: boolean;
  /** The record it stands at: six words of `words` from `at` on. */
  readonly words: Uint32Array;
  readonly at: number;
  details(): Uint8Array | undefined;
  /** Goes on by one record; `false` when {@link read} has to be asked for more first. */
  step(): boolean;
  /** Stands at the next record, or is done. */
  read(): Promise<void>;
  /** Whether the record it stands at is to be kept; asked once for each, in turn. */
  keeps?(): boolean;
}

const RECORDS_A_LOOK = 2048;

export async function mergeEvidence(
  writer: EvidenceWriter,
  sources: readonly EvidenceSource[],
  standAside: StandAside,
): Promise<void> {
  let records = 0;
  let open = sources.filter((source) => !source.isDone);
  while (open.length > 0) {
    const [first, rival] = firstTwo(open);
    do {
      if (records++ % RECORDS_A_LOOK === 0) standAside();
      if (first.keeps?.() ?? true) writer.add(first.words, first.at, first.details());
      if (writer.isFull) await writer.flush();
      if (!first.step()) await first.read();
    } while (!first.isDone && isBefore(first, rival));
    open = open.filter((source) => !source.isDone);
  }
}

interface Rival {
  readonly source: EvidenceSource | undefined;
  /** It comes after `first` in the order of sources, so that ties are not its. */
  readonly isLater: boolean;
}

function firstTwo(open: readonly EvidenceSource[]): readonly [EvidenceSource, Rival] {
  let first = 0;
  for (let i = 1; i < open.length; i++) if (compare(open[i]!, open[first]!) < 0) first = i;
  let second: number | undefined;
  for (let i = 0; i < open.length; i++)
    if (i !== first && (second === undefined || compare(open[i]!, open[second]!) < 0)) second = i;
  const source = second === undefined ? undefined : open[second];
  return [open[first]!, { source, isLater: second !== undefined && second > first }];
}

function isBefore(first: EvidenceSource, { source, isLater }: Rival): boolean {
  if (source === undefined) return true;
  const difference = compare(first, source);
  return difference < 0 || (difference === 0 && isLater);
}

function compare(x: EvidenceSource, y: EvidenceSource): number {
  for (let word = 0; word < 3; word++) {
    const difference = x.words[x.at + word]! - y.words[y.at + word]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Four numbers: start, lower, upper, and how many of the same come before. */
type Key = readonly [number, number, number, number];

/** Leaves out contacts that were replaced, and those that end before `keepFrom` (unix seconds). */
export class KeptEvidence implements EvidenceSource {
  readonly #source: EvidenceSource;
  readonly #keepFrom: number;
  readonly #dropped: readonly Key[];
  #nextDropped = 0;
  #previous: Key = [-1, 0, 0, 0];

  /** `dropped`: entries of the segment, each contact's in the row of its lower person at least. */
  constructor(source: EvidenceSource, segment: Segment, dropped: Uint32Array, keepFrom: number) {
    this.#source = source;
    this.#keepFrom = keepFrom;
    this.#dropped = keysOf(segment, dropped);
  }

  get isDone(): boolean {
    return this.#source.isDone;
  }

  get words(): Uint32Array {
    return this.#source.words;
  }

  get at(): number {
    return this.#source.at;
  }

  details = (): Uint8Array | undefined => this.#source.details();
  step = (): boolean => this.#source.step();
  read = (): Promise<void> => this.#source.read();

  keeps(): boolean {
    return !this.#isDropped() && this.#end() >= this.#keepFrom;
  }

  /** As the segment has it. */
  #end(): number {
    return this.words[this.at]! + Math.min(durationOf(this.words, this.at), MAX_CONTACT_SECONDS);
  }

  #isDropped(): boolean {
    if (this.#dropped.length === 0) return false;
    const [start, lower, upper] = [
      this.words[this.at]!,
      this.words[this.at + 1]!,
      this.words[this.at + 2]!,
    ] as const;
    const [beforeStart, beforeLower, beforeUpper, rank] = this.#previous;
    const again = start === beforeStart && lower === beforeLower && upper === beforeUpper;
    this.#previous = [start, lower, upper, again ? rank + 1 : 0];
    const next = this.#dropped[this.#nextDropped];
    if (next === undefined || compareKeys(this.#previous, next) !== 0) return false;
    this.#nextDropped += 1;
    return true;
  }
}

function keysOf(segment: Segment, dropped: Uint32Array): readonly Key[] {
  const keys: Key[] = [];
  for (const entry of dropped) {
    const [owner, peer] = [ownerOf(segment, entry), segment.peer[entry]!];
    if (owner < peer) keys.push([startAt(segment, entry), owner, peer, rankOf(segment, entry)]);
  }
  return keys.sort(compareKeys);
}

const compareKeys = (x: Key, y: Key): number => x[0] - y[0] || x[1] - y[1] || x[2] - y[2] || x[3] - y[3];
