/**
 * SQLite as a peer of the trace bench: one table without rowids that is its own covering index, and an index of the close
 * contacts alone; both in memory as far as they fit.
 */
import { CLOSE_SECONDS } from './question.js';
import type { Answerer } from './question.js';
import type { Peers } from './peers.js';
import type { Rows } from './rows.js';
import { frontierInProgram, frontierTable, unrolled } from './sqlite-queries.js';

export interface Sqlite {
  readonly answerers: readonly Answerer[];
  readonly close: () => void;
}

/** `cacheBytes`: memory for its pages. The file is made anew. */
export async function openSqlite(
  { Sqlite }: Peers,
  file: string,
  rows: AsyncIterable<Rows>,
  cacheBytes: number,
): Promise<Sqlite> {
  const db = new Sqlite(file);
  for (const pragma of [
    'page_size = 8192',
    'journal_mode = OFF',
    'synchronous = OFF',
    'locking_mode = EXCLUSIVE',
    'temp_store = MEMORY',
    `cache_size = ${-Math.ceil(cacheBytes / 1024)}`,
    `mmap_size = ${2 ** 36}`,
    'threads = 2',
  ])
    db.pragma(pragma);
  db.exec(
    'CREATE TABLE adj (u INTEGER, t INTEGER, v INTEGER, d INTEGER, q INTEGER, PRIMARY KEY (u, t, v)) WITHOUT ROWID',
  );
  const insert = db.prepare('INSERT INTO adj VALUES (?, ?, ?, ?, ?)');
  db.exec('BEGIN');
  for await (const { firstTag, bounds, start, peer, duration, nearInDay } of rows)
    for (let person = 0; person + 1 < bounds.length; person++)
      for (let at = bounds[person]!; at < bounds[person + 1]!; at++)
        insert.run(firstTag + person, start[at]!, peer[at]!, duration[at]!, nearInDay[at]!);
  db.exec('COMMIT');
  db.exec(`CREATE INDEX close ON adj (u, t, v, d) WHERE q >= ${CLOSE_SECONDS}`);
  db.exec('ANALYZE');
  const layouts = [
    ['all contacts', 'NOT INDEXED'],
    ['close contacts', 'INDEXED BY close'],
  ] as const;
  const answerers = layouts.flatMap(([layout, index]) => [
    { name: `sqlite, ${layout}, unrolled CTE`, ask: unrolled(db, index) },
    { name: `sqlite, ${layout}, frontier table`, ask: frontierTable(db, index) },
    { name: `sqlite, ${layout}, frontier in the program`, ask: frontierInProgram(db, index) },
  ]);
  return { answerers, close: () => db.close() };
}
