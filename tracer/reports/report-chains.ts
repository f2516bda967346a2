/**
 * The reports of all tags (protocol.md §8): each (tag, seq) counts once, and each report names one before it by hash.
 * Reports travel by different gateways, so they are logged in any order: a missing link is one that has not come yet.
 *
 * A report that was never receipted leaves a hole in seq and none in the chain, so links are judged by hash,
 * not by seq. Of a hash 16 bytes are kept: nobody can make two reports that share them. Reports are forgotten
 * with their day.
 *
 * A city of a million sends millions a day (decisions/0022). Those of the last days are in memory, and in a
 * part for each day that grows at its end; those of days that are over, when they are many, in files that do
 * not change. All of it goes with the day.
 */
import type { TagNumber } from '../../protocol/brands.js';
import { ByteReader, ByteWriter, concat, isZero } from '../../protocol/bytes.js';
import type { ColdPath, KeptParts, PartChange } from '../contacts/kept-parts.js';
import { AT, HASH_WORDS, NAME_WORDS, ROW_WORDS } from './live-reports.js';
import type { LiveReports } from './live-reports.js';
import { MissingReports } from './missing-reports.js';
import { ReportDay } from './report-day.js';
import { nameOf } from './sealed-reports.js';
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

export interface ChainSettings {
  /** Where a sealed day is found again; without it nothing is sealed. */
  readonly coldPath?: ColdPath | undefined;
  /** Reports of a day that is over and has fewer in memory stay there; 65,536 by default. */
  readonly leastSealed?: number | undefined;
  /** 262,144 by default. */
  readonly maxPruned?: number;
}

/** Only those just before the window are named by reports inside it. Beyond it, the oldest count as gaps. */
const MAX_PRUNED = 262_144;
const LEAST_SEALED = 65_536;
/** A day is over once there are reports of the second day after it. */
const OPEN_DAYS = 2;
const TWO_TO_32 = 2 ** 32;

export class ReportChains {
  /** In the order they came to be known. */
  readonly #days = new Map<number, ReportDay>();
  readonly #coldPath: ColdPath | undefined;
  readonly #leastSealed: number;
  readonly #maxPruned: number;
  /** Named by a report, not seen yet. */
  readonly #missing = new MissingReports((name) => this.#isPruned(name));
  /** Came, and are of days that were forgotten or pruned: report hash 4. */
  readonly #pruned = new WordTable(HASH_WORDS, HASH_WORDS);
  /** Names of parts that are saved and are to be so no longer. */
  #gone: string[] = [];
  #firstDay = 0;
  #newestDay = 0;
  /** Of the report that is being added; its name, and that of the one before it. */
  readonly #row = new Uint32Array(ROW_WORDS);
  readonly #name = new Uint32Array(NAME_WORDS);
  readonly #named = new Uint32Array(NAME_WORDS);

  constructor({ coldPath, leastSealed = LEAST_SEALED, maxPruned = MAX_PRUNED }: ChainSettings = {}) {
    this.#coldPath = coldPath;
    this.#leastSealed = leastSealed;
    this.#maxPruned = maxPruned;
  }

  /** Reports that are named by another and have not come. */
  get gaps(): number {
    return this.#missing.gaps;
  }

  /**
   * Of a day that was forgotten nothing more is remembered than that the report came. Throws `damaged` when
   * what was kept of earlier ones was changed, and what the disk says.
   */
  add(link: ChainLink): ChainVerdict {
    const { day, prev } = link;
    const row = writeRow(link, this.#row);
    const known = this.#standingLike(row);
    if (known !== undefined && !hasSamePlaintext(known, row))
      return { kind: 'clone', firstIndex: indexIn(known) };
    const isNew = known === undefined;
    row[AT.stands] = Number(isNew);
    if (day < this.#firstDay) this.#rememberPruned(row.subarray(AT.report));
    else {
      const name = nameOf(row, this.#name);
      this.#dayOf(day).add(row, name);
      this.#missing.delete(name);
      if (isNew && !isZero(prev)) this.#link(name, prev, day);
    }
    return { kind: isNew ? 'new' : 'retry' };
  }

  /** A report that came and is pruned: whoever names it as the one before leaves no gap. */
  notePruned(reportHash: Uint8Array): void {
    const report = new Uint32Array(HASH_WORDS);
    writeHash(reportHash, report, 0);
    this.#rememberPruned(report);
  }

  /**
   * Forgets reports of days before this one, and what they named. Gives how many reports. That they came is still
   * known, but not of days with so many that they are sealed, which are not read again; whether they were sealed is
   * no matter, so it is the same in whatever lives the log was read.
   */
  forgetBefore(firstDay: number): number {
    if (firstDay <= this.#firstDay) return 0;
    this.#firstDay = firstDay;
    let forgotten = 0;
    for (const [number, day] of [...this.#days].sort(([x], [y]) => x - y)) {
      if (number >= firstDay) break;
      forgotten += day.standing;
      if (day.count < this.#leastSealed) this.#rememberAll(day.live);
      this.#gone.push(...day.partNames());
      this.#days.delete(number);
    }
    this.#missing.forgetBefore(firstDay);
    return forgotten;
  }

  /**
   * What is not saved yet of the reports. It is as good as saved once {@link saved} is called; until then
   * nothing is to be added. Days that are over are sealed first: others have their turns meanwhile.
   */
  async changes(): Promise<PartChange[]> {
    const changes: PartChange[] = this.#gone.map((name) => ({ kind: 'remove', name }));
    for (const [number, day] of this.#days) {
      const isOver = number <= this.#newestDay - OPEN_DAYS && day.live.count >= this.#leastSealed;
      if (isOver && this.#coldPath !== undefined) changes.push(...(await day.sealing()));
      else changes.push(...day.growth());
    }
    return [...changes, ...this.#missing.changes()];
  }

  /** The changes are kept. */
  saved(): void {
    this.#gone = [];
    for (const day of this.#days.values()) day.saved(this.#coldPath);
    this.#missing.saved();
  }

  /** What parts do not say: the reports that are pruned, a table with its length before it, u32. */
  encode(): Uint8Array {
    const bytes = this.#pruned.encode();
    return concat(new ByteWriter(4).u32(bytes.length).finish(), bytes);
  }

  /**
   * What {@link encode} gave, and the parts, into chains that are empty; up to version 4 of the folder another
   * table comes first, of the reports that are missing. Throws `format`, and `damaged` for parts of another
   * kind.
   */
  restore(bytes: Uint8Array, parts: KeptParts): void {
    for (const number of ReportDay.numbersIn(parts)) this.#dayOf(number).restore(parts, this.#coldPath);
    const reader = new ByteReader(bytes, 'the chains of reports');
    const first = reader.view(reader.u32());
    const second = reader.remaining > 0 ? reader.view(reader.u32()) : undefined;
    reader.end();
    this.#pruned.decode(second ?? first);
    this.#missing.restore(parts);
    if (second !== undefined) this.#takeMissing(first);
  }

  #dayOf(number: number): ReportDay {
    const day = this.#days.get(number) ?? new ReportDay(number);
    this.#days.set(number, day);
    this.#newestDay = Math.max(number, this.#newestDay);
    return day;
  }

  #standingLike(row: Uint32Array): Uint32Array | undefined {
    for (const day of this.#days.values()) {
      const standing = day.standingLike(row);
      if (standing !== undefined) return standing;
    }
    return undefined;
  }

  /** The report before it is missing, unless it has come. */
  #link(name: Uint32Array, prev: Uint8Array, day: number): void {
    const named = this.#named;
    named.set(name);
    writeHash(prev, named, AT.seq);
    for (const known of this.#days.values()) if (known.has(named)) return;
    this.#missing.add(named, day);
  }

  /** Rows of the name and the day of the one that names it. */
  #takeMissing(bytes: Uint8Array): void {
    const table = new WordTable(NAME_WORDS + 1, NAME_WORDS);
    table.decode(bytes);
    for (let at = 0; at < table.count; at++) {
      const row = table.row(at);
      this.#missing.add(row.subarray(0, NAME_WORDS), row[NAME_WORDS]!);
    }
  }

  #isPruned(name: Uint32Array): boolean {
    return this.#pruned.find(name.subarray(AT.seq, NAME_WORDS)) !== NO_ROW;
  }

  #rememberAll(live: LiveReports): void {
    for (let at = 0; at < live.count; at++) this.#rememberPruned(live.row(at).subarray(AT.report));
  }

  #rememberPruned(report: Uint32Array): void {
    if (!this.#pruned.add(report)) return;
    this.#missing.recount();
    if (this.#pruned.count <= this.#maxPruned) return;
    let spare = this.#pruned.count - this.#maxPruned / 2;
    this.#pruned.filter(() => spare-- <= 0);
  }
}

/** A row of live reports, of which it is not said whether it stands. */
function writeRow(link: ChainLink, row: Uint32Array): Uint32Array {
  const { tag, seq, ledgerIndex, plaintextHash, reportHash } = link;
  writeNumber(tag, row, AT.tag);
  row[AT.seq] = seq;
  writeNumber(ledgerIndex, row, AT.index);
  writeHash(plaintextHash, row, AT.plaintext);
  writeHash(reportHash, row, AT.report);
  return row;
}

const indexIn = (row: Uint32Array): number => row[AT.index + 1]! * TWO_TO_32 + row[AT.index]!;

function hasSamePlaintext(row: Uint32Array, other: Uint32Array): boolean {
  for (let at: number = AT.plaintext; at < AT.report; at++) if (row[at] !== other[at]) return false;
  return true;
}

/** Low word first. */
function writeNumber(value: number, words: Uint32Array, at: number): void {
  words[at] = value % TWO_TO_32;
  words[at + 1] = Math.floor(value / TWO_TO_32);
}

/** As much of it as is kept. */
function writeHash(hash: Uint8Array, words: Uint32Array, at: number): void {
  for (let k = 0; k < HASH_WORDS; k++) {
    const byte = 4 * k;
    words[at + k] = (hash[byte]! << 24) | (hash[byte + 1]! << 16) | (hash[byte + 2]! << 8) | hash[byte + 3]!;
  }
}
