/**
 * PostgreSQL as a peer of the trace bench, tuned for reading: adjacency in an index that covers the question, so that only
 * indexes are read (vacuumed, prewarmed, in shared buffers), over a Unix socket, with prepared statements and plans that
 * go from the frontier to the index. Nothing is synced or logged while loading.
 *
 * Three tables: all contacts under (u, t) INCLUDE (v, d, q), the close ones alone under the same, and these once more with
 * what scores and paths tell of them. d is the duration: 16 bits where the end would take 32, which makes the index a fifth smaller.
 */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CLOSE_SECONDS } from './question.js';
import type { Answerer } from './question.js';
import type { Peers, PgClient } from './peers.js';
import { explainedArrays, frontierArrays, unrolled } from './postgres-queries.js';
import type { Rows } from './rows.js';

export interface Postgres {
  readonly answerers: readonly Answerer[];
  readonly close: () => Promise<void>;
}

const SESSION = [
  'SET jit = off',
  'SET plan_cache_mode = force_generic_plan',
  'SET enable_seqscan = off',
  'SET enable_bitmapscan = off',
  'SET enable_hashjoin = off',
  'SET enable_mergejoin = off',
  'SET max_parallel_workers_per_gather = 0',
];

/** `folder`: one that the user of the server can reach; `cacheBytes`: its shared buffers. */
export async function openPostgres(
  { PgServer, PgClient }: Peers,
  folder: string,
  rows: AsyncIterable<Rows>,
  cacheBytes: number,
): Promise<Postgres> {
  const databaseDir = join(folder, 'postgres');
  const said: string[] = [];
  const server = new PgServer({
    databaseDir,
    port: 5432, // of the socket's name: nothing listens on the network
    user: 'bench',
    password: 'bench',
    authMethod: 'password',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--locale=C', '--encoding=UTF8', '--no-sync'],
    postgresFlags: flags(databaseDir, cacheBytes),
    onLog: (text: string) => void said.push(text),
    onError: (text: unknown) => void said.push(String(text)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    throw new Error(`PostgreSQL does not start: ${said.slice(-5).join('')}`, { cause });
  }
  const client = new PgClient({
    host: databaseDir,
    port: 5432,
    user: 'bench',
    password: 'bench',
    database: 'postgres',
  });
  const close = async (): Promise<void> => {
    await client.end();
    await server.stop();
  };
  try {
    await client.connect();
    await load(client, folder, rows);
    for (const setting of SESSION) await client.query(setting);
  } catch (error) {
    await close();
    throw error;
  }
  const layouts = [
    ['all contacts', 'adj'],
    ['close contacts', 'close'],
  ] as const;
  const answerers = layouts.flatMap(([layout, table]) => [
    { name: `postgres, ${layout}, unrolled CTE`, ask: unrolled(client, table) },
    { name: `postgres, ${layout}, frontier arrays`, ask: frontierArrays(client, table) },
  ]);
  const ask = explainedArrays(client);
  const explained = { name: 'postgres, close contacts, with scores and paths', ask, explains: true };
  return { answerers: [...answerers, explained], close };
}

function flags(folder: string, cacheBytes: number): readonly string[] {
  const mib = Math.ceil(cacheBytes / 2 ** 20);
  const settings = {
    listen_addresses: '',
    unix_socket_directories: folder,
    shared_buffers: `${mib}MB`,
    effective_cache_size: `${2 * mib}MB`,
    work_mem: '256MB',
    maintenance_work_mem: '1GB',
    max_parallel_maintenance_workers: 2,
    wal_level: 'minimal',
    max_wal_senders: 0,
    max_wal_size: '32GB',
    checkpoint_timeout: '1h',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    autovacuum: 'off',
    random_page_cost: 1,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function load(client: PgClient, folder: string, rows: AsyncIterable<Rows>): Promise<void> {
  const columns = COLUMNS.map(([name, type]) => `${name} ${type} NOT NULL`).join(', ');
  await client.query(`CREATE UNLOGGED TABLE loaded (${columns})`);
  const file = join(folder, 'rows.copy');
  for await (const part of rows) {
    await writeCopy(file, part);
    await client.query(`COPY loaded FROM '${file}' (FORMAT binary)`);
    await rm(file);
  }
  const close = `q >= ${CLOSE_SECONDS}`;
  await client.query('CREATE UNLOGGED TABLE adj AS SELECT u, t, v, d, q FROM loaded');
  await client.query(`CREATE UNLOGGED TABLE close AS SELECT * FROM adj WHERE ${close}`);
  await client.query(
    `CREATE UNLOGGED TABLE told AS SELECT u, t, v, d, n, g, m, w FROM loaded WHERE ${close}`,
  );
  await client.query('DROP TABLE loaded');
  const included = { adj: 'v, d, q', close: 'v, d, q', told: 'v, d, n, g, m, w' };
  for (const [table, fields] of Object.entries(included))
    await client.query(
      `CREATE INDEX ${table}_index ON ${table} (u, t) INCLUDE (${fields}) WITH (fillfactor = 100)`,
    );
  await client.query('VACUUM (ANALYZE, FREEZE)');
  await client.query('CREATE EXTENSION pg_prewarm');
  for (const table of Object.keys(included)) await client.query(`SELECT pg_prewarm('${table}_index')`);
}

/** Case, start, other, duration, nearInDay; nearSeconds, attenuation, mutual, weight. */
const COLUMNS = [
  ['u', 'int'],
  ['t', 'int'],
  ['v', 'int'],
  ['w', 'int'],
  ['d', 'smallint'],
  ['q', 'smallint'],
  ['n', 'smallint'],
  ['g', 'smallint'],
  ['m', 'smallint'],
] as const;
const ROW_BYTES = 2 + 4 * (4 + 4) + 5 * (4 + 2);
const CHUNK_ROWS = 1_000_000;
const COPY_HEAD = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);

/** The binary format of COPY, big-endian: per row its fields, each behind its length. */
async function writeCopy(file: string, rows: Rows): Promise<void> {
  const handle = await open(file, 'w', 0o644);
  try {
    await handle.writeFile(COPY_HEAD);
    for (const chunk of chunksOf(rows)) await handle.writeFile(chunk);
    await handle.writeFile(Buffer.from([0xff, 0xff]));
  } finally {
    await handle.close();
  }
}

/** Each to be written before the next is asked for. */
function* chunksOf({ firstTag, bounds, ...columns }: Rows): Generator<Buffer> {
  const chunk = Buffer.alloc(CHUNK_ROWS * ROW_BYTES);
  let used = 0;
  for (let person = 0; person + 1 < bounds.length; person++)
    for (let at = bounds[person]!; at < bounds[person + 1]!; at++) {
      if (used === chunk.length) yield chunk;
      used = writeRow(chunk, used % chunk.length, firstTag + person, columns, at);
    }
  yield chunk.subarray(0, used);
}

type Columns = Omit<Rows, 'firstTag' | 'bounds'>;

function writeRow(into: Buffer, from: number, u: number, columns: Columns, at: number): number {
  const { start, peer, duration, nearInDay, near, attenuationDb, mutual, weight } = columns;
  let place = into.writeInt16BE(COLUMNS.length, from);
  for (const value of [u, start[at]!, peer[at]!, weight[at]!])
    place = into.writeInt32BE(value, into.writeInt32BE(4, place));
  for (const value of [duration[at]!, nearInDay[at]!, near[at]!, attenuationDb[at]!, mutual[at]!])
    place = into.writeInt16BE(value, into.writeInt32BE(2, place));
  return place;
}
