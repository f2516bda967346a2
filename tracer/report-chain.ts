/**
 * The reports of all tags (protocol.md §8): each (tag, seq) counts once, and each report names one before it by hash.
 * Reports travel by different gateways, so they are logged in any order: a missing link is one that has not come yet.
 *
 * A report that was never receipted leaves a hole in seq and none in the chain, so links are judged by hash, not by seq.
 * Of a hash 16 bytes are kept: nobody can make two reports that share them. Reports are forgotten with their day.
 *
 * A city of a million sends millions a day, so what is kept of them grows at its end: a part for each day (kept-parts.ts), which
 * goes with the day.
 */
import type { TagNumber } from '../protocol/brands.js';
import { ByteReader, ByteWriter, concat, isZero } from '../protocol/bytes.js';
import type { KeptParts, PartChange } from './contacts/kept-parts.js';
import { WordLog, wordsOfLog } from './word-log.js';
import { NO_ROW, WordTable } from './word-table.js';

export type ChainVerdict =
  | { readonly kind: 'new' }
  /** The same plaintext again: a retry under a new nonce. */
  | { readonly kind: 'retry' }
  /** Another plaintext under the same seq; `firstIndex` is where the one that stands was logged. */
  | { readonly kind: 'clone'; readonly firstIndex: number };

export interface ChainLink {
  readonly tag: TagNumber;
  readonly seq: number;
  /** Of the report. */
  readonly day: number;
  readonly prev: Uint8Array;
  /** H(report), signature included: a retry has its own. */
  readonly reportHash: Uint8Array;
  readonly plaintextHash: Uint8Array;
  readonly ledgerIndex: number;
}

/** Only those just before the window are named by reports inside it. Beyond it, the oldest count as gaps. */
const MAX_PRUNED = 262_144;
const TWO_TO_32 = 2 ** 32;
/** Tags are divided among so many groups: whatever is done to a table at once, is done to a small one. */
const GROUP_BITS = 12;

/** A row of a part: tag 2, seq 1, whether it stands 1, index 2, plaintext hash 4, report hash 4. */
const KEPT_WORDS = 14;
const PART = 'reports/';

/** The reports of some tags. */
class Group {
  /** The one that stands: tag 2, seq 1 | day 1, index 2, plaintext hash 4. */
  readonly standing = new WordTable(10, 3);
  /** Of every report, retries included, since a successor may name any: tag 2, report hash 4 | day 1. */
  readonly seen = new WordTable(7, 6);
  /** Named by a report, not seen yet: tag 2, report hash 4 | day 1 of the one that names it. */
  readonly missing = new WordTable(7, 6);
  #firstDay = 0;

  forgetBefore(firstDay: number): void {
    if (firstDay <= this.#firstDay) return;
    this.#firstDay = firstDay;
    this.standing.filter((row) => row[3]! >= firstDay);
    for (const table of [this.seen, this.missing]) table.filter((row) => row[6]! >= firstDay);
  }
}

/** Reports of one day. */
interface Day {
  /** Those that stand. */
  count: number;
  /** Not saved yet. */
  fresh: WordLog;
  isKept: boolean;
}

export class ReportChains {
  readonly #groups: (Group | undefined)[] = Array.from({ length: 2 ** GROUP_BITS });
  readonly #days = new Map<number, Day>();
  /** Days that are saved and are to be so no longer. */
  #gone: number[] = [];
  #firstDay = 0;
  /** Seen once, and pruned since: report hash 4. */
  readonly #pruned = new WordTable(4, 4);
  readonly #maxPruned: number;

  constructor(maxPruned = MAX_PRUNED) {
    this.#maxPruned = maxPruned;
  }

  /** Reports that are named by another and have not come. */
  get gaps(): number {
    let gaps = 0;
    for (const row of this.#missing()) if (this.#pruned.find(row.subarray(2, 6)) === NO_ROW) gaps += 1;
    return gaps;
  }

  /** Of a day that was forgotten nothing more is remembered than that the report came. */
  add(link: ChainLink): ChainVerdict {
    const { tag, seq, day, prev } = link;
    const { standing, seen, missing } = this.#groupOf(tag);
    const [owner, plaintext, report] = [
      wordsOf(tag),
      hashWords(link.plaintextHash),
      hashWords(link.reportHash),
    ];
    const known = standing.find(Uint32Array.of(owner[0], owner[1], seq));
    if (known !== NO_ROW) {
      const [, , , , low = 0, high = 0, ...words] = standing.row(known);
      if (words.some((word, k) => word !== plaintext[k]))
        return { kind: 'clone', firstIndex: high * TWO_TO_32 + low };
    }
    const isNew = known === NO_ROW;
    if (day < this.#firstDay) {
      this.#rememberPruned(report);
      return { kind: isNew ? 'new' : 'retry' };
    }
    const seenRow = seenWords(owner, report, day);
    const kept = keptWords(link, plaintext, report, isNew);
    if (seen.add(seenRow) || isNew) this.#note(day, isNew, kept);
    missing.delete(seenRow);
    if (!isNew) return { kind: 'retry' };
    standing.add(standingWords(kept, day));
    const named = seenWords(owner, hashWords(prev), day);
    if (!isZero(prev) && seen.find(named) === NO_ROW) missing.add(named);
    return { kind: 'new' };
  }

  /** A report that came and is pruned: whoever names it as the one before leaves no gap. */
  notePruned(reportHash: Uint8Array): void {
    this.#rememberPruned(hashWords(reportHash));
  }

  #rememberPruned(report: Uint32Array): void {
    this.#pruned.add(report);
    if (this.#pruned.count <= this.#maxPruned) return;
    let spare = this.#pruned.count - this.#maxPruned / 2;
    this.#pruned.filter(() => spare-- <= 0);
  }

  /** Forgets reports of days before this one, and what they named: a group as soon as it is needed. Gives how many reports. */
  forgetBefore(firstDay: number): number {
    this.#firstDay = Math.max(firstDay, this.#firstDay);
    let forgotten = 0;
    for (const [day, { count, isKept }] of this.#days) {
      if (day >= this.#firstDay) continue;
      forgotten += count;
      if (isKept) this.#gone.push(day);
      this.#days.delete(day);
    }
    return forgotten;
  }

  /** What is not saved yet of the reports, a part for each day. It is as good as saved once {@link saved} is called. */
  changes(): PartChange[] {
    const grown = [...this.#days].filter(([, { fresh }]) => !fresh.isEmpty);
    return [
      ...this.#gone.map((day) => ({ kind: 'remove', name: PART + day }) as const),
      ...grown.map(
        ([day, { fresh }]) => ({ kind: 'append', name: PART + day, bytes: fresh.bytes() }) as const,
      ),
    ];
  }

  saved(): void {
    this.#gone = [];
    for (const day of this.#days.values()) {
      if (!day.fresh.isEmpty) day.isKept = true;
      day.fresh = new WordLog();
    }
  }

  /** What parts do not say: the reports that are missing, and those that are pruned. Two tables, each with its length before it, u32. */
  encode(): Uint8Array {
    const missing = new WordTable(7, 6);
    for (const row of this.#missing()) missing.add(row);
    const parts = [missing, this.#pruned].flatMap((table) => {
      const bytes = table.encode();
      return [new ByteWriter(4).u32(bytes.length).finish(), bytes];
    });
    return concat(...parts);
  }

  /** What {@link encode} gave, and the parts, into chains that are empty. Throws `format`. */
  restore(bytes: Uint8Array, parts: KeptParts): void {
    for (const [name, rows] of parts)
      if (name.startsWith(PART)) this.#restoreDay(Number(name.slice(PART.length)), rows);
    const reader = new ByteReader(bytes, 'the chains of reports');
    const missing = new WordTable(7, 6);
    for (const table of [missing, this.#pruned]) table.decode(reader.view(reader.u32()));
    reader.end();
    for (let at = 0; at < missing.count; at++) {
      const row = missing.row(at);
      this.#groupOf(row[0]! + row[1]! * TWO_TO_32).missing.add(row);
    }
  }

  #restoreDay(day: number, bytes: Uint8Array): void {
    const words = wordsOfLog(bytes, KEPT_WORDS, `reports of day ${day}`);
    let count = 0;
    for (let at = 0; at < words.length; at += KEPT_WORDS) {
      const kept = words.subarray(at, at + KEPT_WORDS);
      const { standing, seen } = this.#groupOf(kept[0]! + kept[1]! * TWO_TO_32);
      seen.add(seenWords(kept, kept.subarray(10), day));
      if (kept[3] !== 1) continue;
      standing.add(standingWords(kept, day));
      count += 1;
    }
    this.#days.set(day, { count, fresh: new WordLog(), isKept: true });
  }

  #note(day: number, stands: boolean, row: Uint32Array): void {
    const noted = this.#days.get(day) ?? { count: 0, fresh: new WordLog(), isKept: false };
    this.#days.set(day, noted);
    noted.fresh.push(row);
    if (stands) noted.count += 1;
  }

  #groupOf(tag: number): Group {
    const [low, high] = wordsOf(tag);
    const at = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> (32 - GROUP_BITS);
    const group = (this.#groups[at] ??= new Group());
    group.forgetBefore(this.#firstDay);
    return group;
  }

  *#missing(): Generator<Uint32Array, void, undefined> {
    for (const group of this.#groups)
      for (let at = 0; at < (group?.missing.count ?? 0); at++) {
        const row = group!.missing.row(at);
        if (row[6]! >= this.#firstDay) yield row;
      }
  }
}

function keptWords(
  { tag, seq, ledgerIndex }: ChainLink,
  plaintext: Uint32Array,
  report: Uint32Array,
  stands: boolean,
): Uint32Array {
  const row = new Uint32Array(KEPT_WORDS);
  row.set(wordsOf(tag));
  row.set([seq, Number(stands)], 2);
  row.set(wordsOf(ledgerIndex), 4);
  row.set(plaintext, 6);
  row.set(report, 10);
  return row;
}

function seenWords(owner: ArrayLike<number>, report: Uint32Array, day: number): Uint32Array {
  return Uint32Array.of(owner[0]!, owner[1]!, report[0]!, report[1]!, report[2]!, report[3]!, day);
}

/** From a row of a part. */
function standingWords(kept: Uint32Array, day: number): Uint32Array {
  const row = new Uint32Array(10);
  row.set(kept.subarray(0, 3));
  row[3] = day;
  row.set(kept.subarray(4, 10), 4);
  return row;
}

/** Low word first. */
const wordsOf = (value: number): readonly [number, number] => [
  value % TWO_TO_32,
  Math.floor(value / TWO_TO_32),
];

function hashWords(hash: Uint8Array): Uint32Array {
  const view = new DataView(hash.buffer, hash.byteOffset, 16);
  return Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
}
