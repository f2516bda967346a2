/**
 * Live contacts as bytes, for the next life: words of 32 bits, little-endian. A part for each live table (kept-parts.ts), which
 * grows as the table does, so that saving costs what is new and not what is there:
 *
 *     a row, nine words (live-table.ts), of which the last counts the words of its accounts (live-accounts.ts), which follow |
 *     BLANK, for a row that died before it was saved | DEATH, row: one that died since
 *
 * And a section beside: keepFrom | replaced entries, then of each: segment, entry, person in whose row it stands.
 */
import { FirebreakError } from '../../protocol/errors.js';
import { WordLog, wordsOfLog } from '../word-log.js';
import type { KeptParts, PartChange } from './kept-parts.js';
import { ROW_WORDS } from './live-table.js';
import type { LiveRows } from './live-table.js';

const PART = 'live/';
/** In the place of a person: no store has so many. */
const [BLANK, DEATH] = [2 ** 32 - 1, 2 ** 32 - 2] as const;
const HEAD_WORDS = 2;
const REPLACED_WORDS = 3;
const WHAT = 'the live contacts that were kept';

export interface ReplacedKept {
  readonly segment: number;
  readonly entry: number;
  readonly person: number;
}

/** What {@link readLive} reads. `keepFrom`: contacts that ended before it are gone, unix seconds. */
export function writeLive(keepFrom: number, replaced: readonly ReplacedKept[]): Uint8Array {
  const log = new WordLog();
  log.push([keepFrom, replaced.length]);
  for (const { segment, entry, person } of replaced) log.push([segment, entry, person]);
  return log.bytes();
}

/** Throws `format` for bytes that {@link writeLive} did not make. */
export function readLive(bytes: Uint8Array): {
  readonly keepFrom: number;
  readonly replaced: readonly ReplacedKept[];
} {
  const words = wordsOfLog(bytes, 1, WHAT);
  const [keepFrom = 0, count = 0] = words;
  if (words.length !== HEAD_WORDS + REPLACED_WORDS * count)
    throw new FirebreakError('format', `${WHAT} cannot be read`);
  const replaced = Array.from({ length: count }, (_, k) => {
    const [segment = 0, entry = 0, person = 0] = words.subarray(HEAD_WORDS + REPLACED_WORDS * k);
    return { segment, entry, person };
  });
  return { keepFrom, replaced };
}

/** How far a table is saved. */
interface Mark {
  readonly rows: number;
  readonly deaths: number;
}

/** Saves live tables by what changed in them. */
export class LiveKeeper {
  #marks = new Map<LiveRows, Mark>();
  #saving = new Map<LiveRows, Mark>();
  /** Names of parts that are there. */
  #names: readonly string[];

  /** @param names - of the parts of an earlier life, whose rows are in new tables now */
  constructor(names: readonly string[] = []) {
    this.#names = names;
  }

  /** What is not saved yet of these tables. It is as good as saved once {@link saved} is called. */
  changes(tables: readonly LiveRows[]): PartChange[] {
    this.#saving = new Map(
      tables.map((table) => [table, { rows: table.count, deaths: table.deaths.length }]),
    );
    const names = tables.map(nameOf);
    return [
      ...this.#names
        .filter((name) => !names.includes(name))
        .map((name) => ({ kind: 'remove', name }) as const),
      ...tables.flatMap((table) => this.#changeOf(table) ?? []),
    ];
  }

  saved(): void {
    this.#marks = this.#saving;
    this.#names = [...this.#saving.keys()].map(nameOf);
  }

  #changeOf(table: LiveRows): PartChange | undefined {
    const mark = this.#marks.get(table);
    const log = new WordLog();
    for (let row = mark?.rows ?? 0; row < table.count; row++) table.writeRow(row, log, BLANK);
    for (const row of table.deaths.slice(mark?.deaths ?? 0))
      if (row < (mark?.rows ?? 0)) log.push([DEATH, row]);
    if (mark === undefined) return { kind: 'put', name: nameOf(table), bytes: log.bytes() };
    return log.isEmpty ? undefined : { kind: 'append', name: nameOf(table), bytes: log.bytes() };
  }
}

const nameOf = ({ table }: LiveRows): string => PART + table.id;

/** The words of live tables among the parts, oldest first, by name. Throws `format`. */
export function livePartsIn(parts: KeptParts): Map<string, Uint32Array> {
  const ids = [...parts.keys()]
    .filter((name) => name.startsWith(PART))
    .map((name) => Number(name.slice(PART.length)));
  ids.sort((x, y) => x - y);
  return new Map(
    ids.map((id) => [PART + id, wordsOfLog(parts.get(PART + id) ?? new Uint8Array(0), 1, WHAT)]),
  );
}

/** Where in the words of a table each row is that was alive, in order. Throws `format`. */
export function rowsAlive(words: Uint32Array): number[] {
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
  return rows.filter((at) => at >= 0);
}
