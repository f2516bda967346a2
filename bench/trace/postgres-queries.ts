/** The forward trace of docs/tracing.md in PostgreSQL's words, twice, and once with scores and paths; three hops, of close contacts. */
import { ExplainedLabels } from './explained.js';
import type { OpenContact } from './explained.js';
import { Labels } from './labels.js';
import { CLOSE_SECONDS, HOP_UNIT, rowOf } from './question.js';
import type { ExplainedRow, Question, Row } from './question.js';
import type { PgClient } from './peers.js';

type Ask = (question: Question) => Promise<readonly Row[]>;

/** `table`: where the contacts are. */
const step = (frontier: string, table: string): string => `
  SELECT x.v, min(x.t + x.d) AS a FROM ${frontier} AS f JOIN ${table} AS x ON x.u = f.v AND x.t >= f.a + $4::int
  WHERE x.t + x.d <= $3::int AND x.q >= ${CLOSE_SECONDS} AND x.v <> $1::int GROUP BY x.v`;

/** One statement for all rounds. */
export function unrolled(client: PgClient, table: string): Ask {
  const reached = 'SELECT v, a, 1 AS h FROM r1 UNION ALL SELECT v, a, 2 FROM r2';
  const text = `WITH
r1 AS MATERIALIZED (SELECT v, min(t + d) AS a FROM ${table}
  WHERE u = $1::int AND t >= $2::int AND t + d <= $3::int AND q >= ${CLOSE_SECONDS} GROUP BY v),
r2 AS MATERIALIZED (${step('r1', table)}),
n2 AS MATERIALIZED (SELECT v, min(a) AS a FROM (${reached}) AS l GROUP BY v
  HAVING min(a) FILTER (WHERE h = 2) < coalesce(min(a) FILTER (WHERE h = 1), 2147483647)),
r3 AS MATERIALIZED (${step('n2', table)})
SELECT v, min(h * ${HOP_UNIT} + a) AS first, min(a) FROM (${reached} UNION ALL SELECT v, a, 3 FROM r3) AS l
GROUP BY v ORDER BY first, v`;
  return async ({ person, from, to, latentSeconds }) => {
    const values = [person, from, to, latentSeconds];
    const { rows } = await client.query({ name: `unrolled ${table}`, text, values, rowMode: 'array' });
    return rows.map(([v, first, a]) => rowOf(Number(v), Number(first), Number(a)));
  };
}

/** A statement per round; the frontier goes over as arrays, labels are kept in the program. */
export function frontierArrays(client: PgClient, table: string): Ask {
  const text = step('unnest($2::int[], $5::int[])', table).replace('AS f', 'AS f (v, a)');
  return async ({ person, hops, from, to, latentSeconds }) => {
    const labels = new Labels();
    let frontier = new Map([[person, from - latentSeconds]]);
    for (let hop = 1; hop <= hops; hop++) {
      const values = [person, [...frontier.keys()], to, latentSeconds, [...frontier.values()]];
      const { rows } = await client.query({ name: `frontier ${table}`, text, values, rowMode: 'array' });
      frontier = labels.settle(
        hop,
        rows.map(([other, at]) => [Number(other), Number(at)]),
      );
    }
    return labels.rows();
  };
}

/** The same with scores and paths, over the table of what they tell of close contacts. */
export function explainedArrays(client: PgClient): (question: Question) => Promise<readonly ExplainedRow[]> {
  const text = `SELECT x.u, x.v, x.t, x.d, x.n, x.g, x.m, x.w
  FROM unnest($2::int[], $5::int[]) AS f (v, a) JOIN told AS x ON x.u = f.v AND x.t >= f.a + $4::int
  WHERE x.t + x.d <= $3::int AND x.v <> $1::int`;
  return async ({ person, hops, from, to, latentSeconds }) => {
    const labels = new ExplainedLabels(person);
    let frontier = new Map([[person, from - latentSeconds]]);
    for (let hop = 1; hop <= hops; hop++) {
      const values = [person, [...frontier.keys()], to, latentSeconds, [...frontier.values()]];
      const { rows } = await client.query({ name: 'explained', text, values, rowMode: 'array' });
      frontier = labels.settle(hop, rows as unknown as OpenContact[]);
    }
    return labels.rows();
  };
}
