/**
 * Live contacts as bytes, for the next life: words of 32 bits, little-endian. A part for each live table (kept-parts.ts), which
 * grows as the table does, so that saving costs what is new and not what is there:
 *
 *     a row, nine words (live-words.ts), of which the last counts the words of its accounts (live-accounts.ts), which follow |
 *     BLANK, for a row that died before it was saved | DEATH, row: one that died since
 *
 * A part with the entries of segments that live rows took the place of: segment, entry, person in whose row it stands. And a
 * section beside: keepFrom.
 */
import { FirebreakError } from '../../protocol/errors.js';
import { WordLog, wordsOfLog } from '../word-log.js';
import type { PartChange } from './kept-parts.js';
import type { LiveRows } from './live-table.js';
import { ROW_WORDS, writeRow } from './live-words.js';
import type { LiveWriter } from './live-writer.js';

const TABLE = 'live/';
const REPLACED = 'replaced';
/** In the place of a person: no store has so many. */
const [BLANK, DEATH] = [2 ** 32 - 1, 2 ** 32 - 2] as const;
const REPLACED_WORDS = 3;
const WHAT = 'the live contacts that were kept';

export interface ReplacedKept {
  readonly segment: number;
  readonly entry: number;
  readonly person: number;
}

/** What {@link readLive} reads. `keepFrom`: contacts that ended before it are gone, unix seconds. */
export function writeLive(keepFrom: number): Uint8Array {
  const log = new WordLog();
  log.push([keepFrom]);
  return log.bytes();
}

/** Throws `format` for bytes that {@link writeLive} did not make. */
export function readLive(bytes: Uint8Array): number {
  const [keepFrom] = wordsOfLog(bytes, 1, WHAT);
  if (keepFrom !== undefined) return keepFrom;
  throw new FirebreakError('format', `${WHAT} cannot be read`);
}

/** How far a table is saved. */
interface Mark {
  readonly rows: number;
  readonly deaths: number;
}

/** What a save holds, and {@link LiveKeeper.saved} notes. */
interface Saving {
  readonly marks: ReadonlyMap<LiveRows, Mark>;
  readonly replaced: number;
  readonly rebuilds: number;
}

/** Saves live tables by what changed in them, and what they replaced. */
export class LiveKeeper {
  #kept: Saving;
  #saving: Saving;

  /** Tables of the writer are as their parts have them, and so is what was replaced. */
  constructor({ tables, sealed }: LiveWriter) {
    this.#kept = {
      marks: new Map(tables.map((table) => [table, markOf(table)])),
      replaced: sealed.replacements.rows(REPLACED_WORDS),
      rebuilds: sealed.rebuilds,
    };
    this.#saving = this.#kept;
  }

  /** What is not saved yet. It is as good as saved once {@link saved} is called. */
  changes({ tables, sealed }: LiveWriter): PartChange[] {
    const gone = [...this.#kept.marks.keys()].filter((table) => !tables.includes(table));
    this.#saving = {
      marks: new Map(tables.map((table) => [table, markOf(table)])),
      replaced: sealed.replacements.rows(REPLACED_WORDS),
      rebuilds: sealed.rebuilds,
    };
    const replaced = this.#changeOfReplaced(sealed.replacements);
    return [
      ...gone.map((table) => ({ kind: 'remove', name: nameOf(table) }) as const),
      ...tables.flatMap((table) => this.#changeOf(table) ?? []),
      ...(replaced ? [replaced] : []),
    ];
  }

  saved(): void {
    this.#kept = this.#saving;
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

  #changeOf(table: LiveRows): PartChange | undefined {
    const mark = this.#kept.marks.get(table);
    const log = new WordLog();
    for (let row = mark?.rows ?? 0; row < table.count; row++) writeRow(table, row, log, BLANK);
    for (const row of table.deaths.slice(mark?.deaths ?? 0))
      if (row < (mark?.rows ?? 0)) log.push([DEATH, row]);
    if (mark === undefined) return { kind: 'put', name: nameOf(table), bytes: log.bytes() };
    return log.isEmpty ? undefined : { kind: 'append', name: nameOf(table), bytes: log.bytes() };
  }
}

const markOf = ({ count, deaths }: LiveRows): Mark => ({ rows: count, deaths: deaths.length });
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

/** Where in the words of a table each of its rows is, −1 for one that is dead. Throws `format`. */
export function rowsIn(words: Uint32Array): number[] {
  const rows: number[] = [];
  for (let at = 0; at < words.length;) {
    if (words[at] === DEATH) {
      rows[words[at + 1] ?? rows.length] = -1;
      at += 2;
    } else if (words[at] === BLANK) {
      rows.push(-1);
      at += 1;
    } else {
      rows.push(at);
      at += ROW_WORDS + (words[at + ROW_WORDS - 1] ?? words.length);
    }
    if (at > words.length) throw new FirebreakError('format', `${WHAT} are cut short`);
  }
  return rows;
}
