/** The forward trace of docs/tracing.md in SQLite's words, three times, and once with scores and paths; three hops, of close contacts. */
import { ExplainedLabels } from './explained.js';
import type { OpenContact } from './explained.js';
import { Labels } from './labels.js';
import { CLOSE_SECONDS, HOP_UNIT, rowOf } from './question.js';
import type { ExplainedRow, Question, Row } from './question.js';
import type { SqliteDatabase } from './peers.js';

type Ask = (question: Question) => readonly Row[];

/** What the rounds of a frontier reach; `index`: how SQLite is to find contacts. */
const step = (frontier: string, index: string): string => `
  SELECT x.v AS v, min(x.t + x.d) AS a
  FROM ${frontier} AS f CROSS JOIN adj AS x ${index} ON x.u = f.v AND x.t >= f.a + @latentSeconds
  WHERE x.t + x.d <= @to AND x.q >= ${CLOSE_SECONDS} AND x.v <> @person GROUP BY x.v`;

const answerOf = (rows: readonly unknown[]): readonly Row[] =>
  (rows as readonly [number, number, number][]).map((row) => rowOf(...row));

/** One statement for all rounds. */
export function unrolled(db: SqliteDatabase, index: string): Ask {
  const reached = 'SELECT v, a, 1 AS h FROM r1 UNION ALL SELECT v, a, 2 FROM r2';
  const statement = db
    .prepare(
      `WITH
r1 AS MATERIALIZED (SELECT x.v AS v, min(x.t + x.d) AS a FROM adj AS x ${index}
  WHERE x.u = @person AND x.t >= @from AND x.t + x.d <= @to AND x.q >= ${CLOSE_SECONDS} GROUP BY x.v),
r2 AS MATERIALIZED (${step('r1', index)}),
n2 AS MATERIALIZED (SELECT v, min(a) AS a FROM (${reached}) GROUP BY v
  HAVING min(CASE h WHEN 2 THEN a END) < coalesce(min(CASE h WHEN 1 THEN a END), ${HOP_UNIT})),
r3 AS MATERIALIZED (${step('n2', index)})
SELECT v, min(h * ${HOP_UNIT} + a) AS first, min(a) FROM (${reached} UNION ALL SELECT v, a, 3 FROM r3)
GROUP BY v ORDER BY first, v`,
    )
    .raw();
  return ({ person, from, to, latentSeconds }) =>
    answerOf(statement.all({ person, from, to, latentSeconds }));
}

/** Rounds over tables in memory. */
export function frontierTable(db: SqliteDatabase, index: string): Ask {
  for (const table of ['label (v INTEGER PRIMARY KEY, first, a)', 'frontier (v INTEGER PRIMARY KEY, a)'])
    db.exec(`CREATE TEMP TABLE IF NOT EXISTS ${table}`);
  db.exec('CREATE TEMP TABLE IF NOT EXISTS found (v INTEGER PRIMARY KEY, a)');
  const empty = ['label', 'frontier', 'found'].map((table) => db.prepare(`DELETE FROM ${table}`));
  const begin = db.prepare('INSERT INTO frontier VALUES (@person, @from - @latentSeconds)');
  const expand = db.prepare(`INSERT INTO found ${step('frontier', index)}`);
  const improve =
    db.prepare(`INSERT INTO frontier SELECT n.v, n.a FROM found AS n LEFT JOIN label AS l ON l.v = n.v
    WHERE l.v IS NULL OR n.a < l.a`);
  const write = db.prepare(`INSERT INTO label SELECT v, @hop * ${HOP_UNIT} + a, a FROM frontier WHERE true
    ON CONFLICT (v) DO UPDATE SET a = excluded.a`);
  const read = db.prepare('SELECT v, first, a FROM label ORDER BY first, v').raw();
  const [begun, done] = [db.prepare('BEGIN'), db.prepare('COMMIT')];
  return ({ person, hops, from, to, latentSeconds }) => {
    begun.run();
    for (const table of empty) table.run();
    begin.run({ person, from, latentSeconds });
    for (let hop = 1; hop <= hops; hop++) {
      expand.run({ person, to, latentSeconds });
      empty[1]?.run();
      improve.run();
      write.run({ hop });
      empty[2]?.run();
    }
    done.run();
    return answerOf(read.all());
  };
}

/** A statement per person of the frontier; labels are kept in the program, which SQLite runs in. */
export function frontierInProgram(db: SqliteDatabase, index: string): Ask {
  const statement = db
    .prepare(
      `SELECT x.v, x.t + x.d FROM adj AS x ${index}
WHERE x.u = ? AND x.t >= ? AND x.t + x.d <= ? AND x.q >= ${CLOSE_SECONDS}`,
    )
    .raw();
  return ({ person, hops, from, to, latentSeconds }) => {
    const labels = new Labels();
    const reachedBy = (one: number, at: number) =>
      statement.all(one, at + latentSeconds, to) as [person: number, at: number][];
    let frontier = new Map([[person, from - latentSeconds]]);
    for (let hop = 1; hop <= hops; hop++) {
      const found = [...frontier].flatMap(([one, at]) => reachedBy(one, at));
      frontier = labels.settle(
        hop,
        found.filter(([other]) => other !== person),
      );
    }
    return labels.rows();
  };
}

/** The same with scores and paths, over the table of what they tell of close contacts. */
export function explainedInProgram(db: SqliteDatabase): (question: Question) => readonly ExplainedRow[] {
  const statement = db
    .prepare('SELECT u, v, t, d, n, g, m, w FROM told WHERE u = ? AND t >= ? AND t + d <= ? AND v <> ?')
    .raw();
  return ({ person, hops, from, to, latentSeconds }) => {
    const labels = new ExplainedLabels(person);
    let frontier = new Map([[person, from - latentSeconds]]);
    for (let hop = 1; hop <= hops; hop++) {
      const found = [...frontier].flatMap(([one, at]) => statement.all(one, at + latentSeconds, to, person));
      frontier = labels.settle(hop, found as OpenContact[]);
    }
    return labels.rows();
  };
}
