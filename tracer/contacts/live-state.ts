/**
 * Live contacts on the disk, in words of 32 bits, little-endian. Each live table has a part (kept-parts.ts),
 * which grows as the table does, so that a save costs what is new and not what is there:
 *
 *     a row: nine words (live-row-format.ts), of which the last counts those of its accounts, which follow |
 *     BLANK, for a row that died before it was saved | DEATH, row: one that died since
 *
 * A part that still has words of a contact past retention, even of one that another row replaced, is written
 * anew with the next save. Its dead rows are BLANK then, so that rows keep their numbers.
 *
 * One more part lists the entries of segments that live rows replaced: segment, entry, person in whose row it
 * stands. The border of retention, keepFrom, is a section of the state.
 */
import { FirebreakError } from '../../protocol/errors.js';
import { Turns } from '../turns.js';
import { WordLog, wordsOfLog } from './word-log.js';
import type { PartChange } from './kept-parts.js';
import type { LiveRows } from './live-table.js';
import { earliestStart } from './live-contact.js';
import { EPOCH_AT, ROW_WORDS, writeRow } from './live-row-format.js';
import type { LiveWriter } from './live-writer.js';

const TABLE = 'live/';
const REPLACED = 'replaced';
/** In the place of a person: no store has so many. */
const [BLANK, DEATH] = [2 ** 32 - 1, 2 ** 32 - 2] as const;
const REPLACED_WORDS = 3;
const WHAT = 'the live contacts that were kept';
/** Others on this thread do not notice so short a turn. */
const TURN_MS = 1;
/** Rows between two looks at the clock. */
const ROWS_A_LOOK = 512;

export interface ReplacedKept {
  readonly segment: number;
  readonly entry: number;
  readonly person: number;
}

/** `keepFrom`: contacts that ended before it are gone, unix seconds. */
export function encodeKeepFrom(keepFrom: number): Uint8Array {
  const log = new WordLog();
  log.push([keepFrom]);
  return log.bytes();
}

/** Throws `format` for bytes that {@link encodeKeepFrom} did not make. */
export function decodeKeepFrom(bytes: Uint8Array): number {
  const [keepFrom] = wordsOfLog(bytes, 1, WHAT);
  if (keepFrom !== undefined) return keepFrom;
  throw new FirebreakError('format', `${WHAT} cannot be read`);
}

/** How far a table is saved. */
interface Mark {
  readonly rows: number;
  readonly deaths: number;
  /**
   * No contact that its part has words of began before this, unix seconds. A part that was written anew at a border of
   * retention has the border here at least.
   */
  readonly earliest: number;
}

/** What is to be written of a table, as far as it is ready: `log`, which brings its part up to `mark`. */
interface Draft {
  readonly mark: Mark;
  readonly log: WordLog;
}

/** What is on the disk once a save is done. */
interface Saving {
  readonly marks: ReadonlyMap<LiveRows, Mark>;
  readonly replaced: number;
  readonly rebuilds: number;
}

/** Says what of the live tables, and of what they replaced, is not on the disk yet. */
export class LiveKeeper {
  #kept: Saving;
  #saving: Saving;
  #drafts: ReadonlyMap<LiveRows, Draft> = new Map();

  /**
   * For a writer that has just what the parts have. `earliest`: by id of a table, what {@link rowsIn} says of
   * its part.
   */
  constructor({ tables, sealed }: LiveWriter, earliest: ReadonlyMap<number, number> = new Map()) {
    this.#kept = {
      marks: new Map(tables.map((table) => [table, markOf(table, earliest.get(table.table.id) ?? Infinity)])),
      replaced: sealed.replacements.rows(REPLACED_WORDS),
      rebuilds: sealed.rebuilds,
    };
    this.#saving = this.#kept;
  }

  /**
   * Whether a part may have words of contacts that ended before this, unix seconds. The next save with it
   * removes them.
   */
  holdsOlder(keepFrom: number): boolean {
    return [...this.#kept.marks.values()].some(({ earliest }) => earliest < keepFrom);
  }

  /**
   * To be called before {@link changes}: writes parts anew that have to be, which may take long, while others
   * have their turns.
   */
  async prepare({ tables }: LiveWriter, keepFrom: number): Promise<void> {
    const drafts = new Map<LiveRows, Draft>();
    for (const [table, { earliest }] of this.#kept.marks)
      if (earliest < keepFrom && tables.includes(table)) drafts.set(table, await draftOf(table, keepFrom));
    this.#drafts = drafts;
  }

  /**
   * What is not saved yet; {@link saved} says that it is now. The writer has let go of contacts that ended
   * before `keepFrom`.
   */
  changes({ tables, sealed }: LiveWriter, keepFrom: number): PartChange[] {
    const removed = [...this.#kept.marks.keys()].filter((table) => !tables.includes(table));
    const written = tables.map((table) => ({ table, ...this.#write(table, keepFrom) }));
    this.#drafts = new Map();
    this.#saving = {
      marks: new Map(written.map(({ table, mark }) => [table, mark])),
      replaced: sealed.replacements.rows(REPLACED_WORDS),
      rebuilds: sealed.rebuilds,
    };
    const replaced = this.#changeOfReplaced(sealed.replacements);
    return [
      ...removed.map((table) => ({ kind: 'remove', name: nameOf(table) }) as const),
      ...written
        .filter(({ kind, log }) => kind === 'put' || !log.isEmpty)
        .map(({ table, kind, log }) => ({ kind, name: nameOf(table), bytes: log.bytes() })),
      ...(replaced ? [replaced] : []),
    ];
  }

  /** The last {@link changes} are on the disk. */
  saved(): void {
    this.#kept = this.#saving;
  }

  /** What is new, for the end of the table's part; or all of it, where that has words of contacts past retention. */
  #write(table: LiveRows, keepFrom: number): Draft & { readonly kind: 'append' | 'put' } {
    const mark = this.#kept.marks.get(table);
    if (mark !== undefined && mark.earliest >= keepFrom)
      return { kind: 'append', ...finished(table, keepFrom, { mark, log: new WordLog() }) };
    return { kind: 'put', ...finished(table, keepFrom, this.#drafts.get(table)) };
  }

  #changeOfReplaced(log: WordLog): PartChange | undefined {
    const { replaced, rebuilds } = this.#saving;
    if (rebuilds !== this.#kept.rebuilds) return { kind: 'put', name: REPLACED, bytes: log.bytes() };
    if (replaced === this.#kept.replaced) return undefined;
    return {
      kind: 'append',
      name: REPLACED,
      bytes: log.bytes().subarray(4 * REPLACED_WORDS * this.#kept.replaced),
    };
  }
}

/** All of a table, in turns. What comes or dies meanwhile is left to {@link finished}. */
async function draftOf(table: LiveRows, keepFrom: number): Promise<Draft> {
  const log = new WordLog();
  const turns = new Turns(undefined, TURN_MS);
  const { count } = table;
  const deaths = table.deaths.length;
  let earliest = Infinity;
  for (let row = 0; row < count; row++) {
    earliest = Math.min(earliest, earliestIn(table, row));
    writeRow(table, row, log, BLANK);
    if (row % ROWS_A_LOOK === 0 && turns.isOver) await turns.next();
  }
  return { mark: { rows: count, deaths, earliest: Math.max(earliest, keepFrom) }, log };
}

/**
 * A draft with what came and died since. What still stands is not past retention, however early its epoch lets
 * it begin.
 */
function finished(table: LiveRows, keepFrom: number, { mark, log }: Draft = newDraft()): Draft {
  let earliest = Infinity;
  for (let row = mark.rows; row < table.count; row++) {
    earliest = Math.min(earliest, earliestIn(table, row));
    writeRow(table, row, log, BLANK);
  }
  for (const row of table.deaths.slice(mark.deaths)) if (row < mark.rows) log.push([DEATH, row]);
  return { mark: markOf(table, Math.min(mark.earliest, Math.max(earliest, keepFrom))), log };
}

const newDraft = (): Draft => ({ mark: { rows: 0, deaths: 0, earliest: Infinity }, log: new WordLog() });

/** When the contact of a row that stands began at the earliest; Infinity for one that is dead. */
const earliestIn = ({ table, beside }: LiveRows, row: number): number =>
  table.died[row] === 0 ? earliestStart(beside.epoch[row]!) : Infinity;

const markOf = ({ count, deaths }: LiveRows, earliest: number): Mark => ({
  rows: count,
  deaths: deaths.length,
  earliest,
});
const nameOf = ({ table }: LiveRows): string => TABLE + table.id;

export interface LiveParts {
  /** Oldest first. */
  readonly tables: readonly { readonly id: number; readonly words: Uint32Array }[];
  readonly replaced: readonly ReplacedKept[];
}

/** Takes what is kept of live contacts out of the parts. Throws `format`. */
export function takeLiveParts(parts: Map<string, Uint8Array>): LiveParts {
  const wordsOf = (name: string, rowWords: number): Uint32Array => {
    const bytes = parts.get(name) ?? new Uint8Array(0);
    parts.delete(name);
    return wordsOfLog(bytes, rowWords, WHAT);
  };
  const ids = [...parts.keys()]
    .filter((name) => name.startsWith(TABLE))
    .map((name) => Number(name.slice(TABLE.length)));
  ids.sort((x, y) => x - y);
  const words = wordsOf(REPLACED, REPLACED_WORDS);
  const replaced = Array.from({ length: words.length / REPLACED_WORDS }, (_, k) => {
    const [segment = 0, entry = 0, person = 0] = words.subarray(REPLACED_WORDS * k);
    return { segment, entry, person };
  });
  return { tables: ids.map((id) => ({ id, words: wordsOf(TABLE + id, 1) })), replaced };
}

export interface RowsKept {
  /** Where in the words each row is, −1 for one that is dead. */
  readonly rows: readonly number[];
  /** {@link earliestStart} of all that there are words of, unix seconds. */
  readonly earliest: number;
}

/** Of the words of a table. Throws `format`. */
export function rowsIn(words: Uint32Array): RowsKept {
  const rows: number[] = [];
  let earliest = Infinity;
  for (let at = 0; at < words.length;) {
    if (words[at] === DEATH) {
      rows[words[at + 1] ?? rows.length] = -1;
      at += 2;
    } else if (words[at] === BLANK) {
      rows.push(-1);
      at += 1;
    } else {
      rows.push(at);
      earliest = Math.min(earliest, earliestStart(words[at + EPOCH_AT] ?? 0));
      at += ROW_WORDS + (words[at + ROW_WORDS - 1] ?? words.length);
    }
    if (at > words.length) throw new FirebreakError('format', `${WHAT} are cut short`);
  }
  return { rows, earliest };
}
