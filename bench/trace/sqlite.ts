/**
 * SQLite as a peer of the trace bench: one table without rowids that is its own covering index, an index of the close
 * contacts alone, and a table of these with what scores and paths tell; all in memory as far as they fit.
 */
import { CLOSE_SECONDS } from './question.js';
import type { Answerer } from './question.js';
import type { Peers, SqliteDatabase } from './peers.js';
import type { Rows } from './rows.js';
import { explainedInProgram, frontierInProgram, frontierTable, unrolled } from './sqlite-queries.js';

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
  db.exec(
    'CREATE TABLE told (u INTEGER, t INTEGER, v INTEGER, d INTEGER, n INTEGER, g INTEGER, m INTEGER, w INTEGER, PRIMARY KEY (u, t, v)) WITHOUT ROWID',
  );
  db.exec('BEGIN');
  for await (const part of rows) insertAll(db, part);
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
  const ask = explainedInProgram(db);
  const explained = { name: 'sqlite, close contacts, with scores and paths', ask, explains: true };
  return { answerers: [...answerers, explained], close: () => db.close() };
}

function insertAll(db: SqliteDatabase, { firstTag, bounds, ...columns }: Rows): void {
  const { start, peer, duration, nearInDay, near, attenuationDb, mutual, weight } = columns;
  const insert = db.prepare('INSERT INTO adj VALUES (?, ?, ?, ?, ?)');
  const tell = db.prepare('INSERT INTO told VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  for (let person = 0; person + 1 < bounds.length; person++)
    for (let at = bounds[person]!; at < bounds[person + 1]!; at++) {
      const contact = [firstTag + person, start[at]!, peer[at]!, duration[at]!] as const;
      insert.run(...contact, nearInDay[at]!);
      if (nearInDay[at]! >= CLOSE_SECONDS)
        tell.run(...contact, near[at]!, attenuationDb[at]!, mutual[at]!, weight[at]!);
    }
}
