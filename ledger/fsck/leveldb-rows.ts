/** Rows of a store as one ordered stream, from sources that overlap: of equal keys the newest counts. Pure. */
import assert from 'node:assert/strict';

export interface StoredRow {
  readonly key: Uint8Array;
  /** Later changes have higher numbers. */
  readonly sequence: number;
  /** `undefined`: the row was deleted. */
  readonly value: Uint8Array | undefined;
}

/** Keys from `gte` up to, not including, `lt`. */
export interface KeyRange {
  readonly gte: Uint8Array;
  /** `undefined`: to the end. */
  readonly lt: Uint8Array | undefined;
}

export interface RowSource {
  /** In order of keys, and of one key the newest first. */
  rows(range: KeyRange): Iterable<StoredRow>;
}

/** By key, and of one key the newest first. */
const compareRows = (a: StoredRow, b: StoredRow): number =>
  Buffer.compare(a.key, b.key) || b.sequence - a.sequence;

/** Rows held in memory, such as those of a write-ahead log. */
export function memorySource(rows: readonly StoredRow[]): RowSource {
  const sorted = [...rows].sort(compareRows);
  const from = (key: Uint8Array): number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare((sorted[middle] as StoredRow).key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return { rows: ({ gte, lt }) => sorted.slice(from(gte), lt && from(lt)) };
}

/** A source, and the row it stands at. */
interface Cursor {
  readonly rest: Iterator<StoredRow>;
  row: StoredRow;
}

/** Moves on; false at the end. */
function advance(cursor: Cursor): boolean {
  const next = cursor.rest.next();
  if (next.done === true) return false;
  cursor.row = next.value;
  return true;
}

function open(sources: readonly RowSource[], range: KeyRange): Cursor[] {
  return sources.flatMap((source) => {
    const rest = source.rows(range)[Symbol.iterator]();
    const first = rest.next();
    return first.done === true ? [] : [{ rest, row: first.value }];
  });
}

export interface LiveRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The newest change of each key, deletions among them. */
function* newestOf(cursors: Cursor[]): Generator<StoredRow> {
  let last: Uint8Array | undefined;
  for (let [best] = cursors; best !== undefined; [best] = cursors) {
    const { row } = best;
    const order = last === undefined ? -1 : Buffer.compare(last, row.key);
    assert(order <= 0, 'sources give rows in order');
    if (order < 0) yield row;
    last = row.key;
    if (advance(best)) sink(cursors);
    else cursors.shift();
  }
}

/** The rows that a reader of the store would see. Stopping early closes what the sources have open. */
export function* mergeRows(sources: readonly RowSource[], range: KeyRange): Generator<LiveRow> {
  const cursors = open(sources, range).sort((a, b) => compareRows(a.row, b.row));
  try {
    for (const { key, value } of newestOf(cursors)) if (value !== undefined) yield { key, value };
  } finally {
    for (const { rest } of cursors) rest.return?.();
  }
}

/** The first cursor has moved: puts it where it belongs among the others, which are in order. */
function sink(cursors: Cursor[]): void {
  const moved = cursors[0] as Cursor;
  let at = 0;
  for (; at + 1 < cursors.length; at++) {
    const next = cursors[at + 1] as Cursor;
    if (compareRows(moved.row, next.row) <= 0) break;
    cursors[at] = next;
  }
  cursors[at] = moved;
}
