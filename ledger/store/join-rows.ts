/**
 * Rows of small commits that follow one another as if they had been one commit: few and large values. Pure.
 * They are joined as bytes; what a row was made of is not kept for it.
 */
import { asBuffer } from '../../protocol/bytes.js';
import { TILE_WIDTH } from '../../protocol/tlog/tile.js';
import type { Row } from './journal-frames.js';
import { indexOfKey, isPayloadKey, isSegmentKey } from './store-keys.js';
import { joinPayloadRows } from './store-payloads.js';
import { joinEntrySegments } from './store-segments.js';

/**
 * `rows`: in the order of their commits. Each that comes out has a key that one of the commits alone would
 * give a row as well: put back one by one from the journal, they leave nothing of what was joined.
 */
export function joinRows(rows: readonly Row[]): Row[] {
  const payloads: Row[] = [];
  const segments: Row[] = [];
  const latest = new Map<string, Row>();
  for (const row of rows)
    if (isPayloadKey(row.key)) payloads.push(row);
    else if (isSegmentKey(row.key)) segments.push(row);
    else latest.set(nameOf(row.key), row);
  return [...joinPayloadRows(payloads), ...joinSegmentRows(segments), ...latest.values()];
}

/** One for each bundle, as a bundle is a range of values laid end to end. */
function joinSegmentRows(rows: readonly Row[]): Row[] {
  const joined: Row[] = [];
  for (let at = 0; at < rows.length;) {
    const first = rows[at] as Row;
    const bundle = bundleNumberOf(first);
    let end = at + 1;
    while (end < rows.length && bundleNumberOf(rows[end] as Row) === bundle) end += 1;
    const values = rows.slice(at, end).map(({ value }) => value);
    joined.push(values.length === 1 ? first : { key: first.key, value: joinEntrySegments(values) });
    at = end;
  }
  return joined;
}

const bundleNumberOf = ({ key }: Row): number => Math.floor(indexOfKey(key) / TILE_WIDTH);

const nameOf = (key: Uint8Array): string => asBuffer(key).toString('latin1');
