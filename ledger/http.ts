/**
 * The ledger over HTTP, for whoever reads it (docs/ledger-http.md). Public: what C2SP tlog-tiles says.
 * With a token: payloads, which are sealed reports and no business of the public.
 *
 *     GET  /checkpoint                       the latest signed checkpoint
 *     GET  /tile/<L>/<N>[.p/<W>]             hashes
 *     GET  /tile/entries/<N>[.p/<W>]         entries
 *     POST /payloads                         payloads by hash, payload-frames.ts
 *     GET  /payload/<SHA-256 in hex>         one payload
 *     GET  /days                             what is stored and pruned, by day; days-http.ts
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { FirebreakError } from '../protocol/errors.js';
import type { LedgerReader } from '../protocol/ledger-reader.js';
import type { Log } from '../protocol/log.js';
import type { DayRecord } from './store/day-record.js';
import { listenOn } from './listen.js';
import { BundleGzip } from './http-gzip.js';
import { answerTo, type HttpAnswer } from './http-routes.js';

/** Times are wall ms. */
export interface LedgerHttpLimits {
  readonly connections: number;
  /** Requests of one connection that are not answered yet; one with more is closed. */
  readonly pipelined: number;
  /** For all headers of a request, and for the whole of it. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** How long a connection stays open for another request. */
  readonly keepAliveMs: number;
  /** A connection with a request on which nothing moves is closed, also one that does not read its answers. */
  readonly silentMs: number;
  /** By then an answer is read whole, or the connection is closed. Longer than our own reader waits. */
  readonly answerMs: number;
  /** How often connections are held against their limits. */
  readonly checkEveryMs: number;
}

const LIMITS: LedgerHttpLimits = {
  connections: 256,
  pipelined: 8,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 5_000,
  silentMs: 30_000,
  answerMs: 120_000,
  checkEveryMs: 1_000,
};

export interface LedgerHttpOptions {
  readonly reader: LedgerReader;
  /** Loopback unless something in front of it does TLS. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Who shows it may read payloads; without one nobody may. */
  readonly payloadToken?: string;
  /** What is stored and pruned, by day; without it `/days` is not served. */
  readonly days?: () => readonly DayRecord[];
  readonly limits?: Partial<LedgerHttpLimits>;
  readonly log: Log;
}

export interface LedgerHttp {
  readonly url: string;
  close(): Promise<void>;
}

const STATUS: Partial<Record<string, number>> = {
  'not-found': 404,
  pruned: 410,
  format: 400,
  size: 413,
  permission: 401,
  usage: 405,
};

function refusalOf(error: unknown, log: Log): HttpAnswer {
  const status = error instanceof FirebreakError ? STATUS[error.code] : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (status === undefined) log.error('the ledger could not answer a reader', { why: message });
  return {
    status: status ?? 500,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
    body: Buffer.from(status === undefined ? 'the ledger could not answer\n' : `${message}\n`),
  };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: HttpAnswer,
): void {
  // What is left of a refused body is not worth reading; the connection ends with the answer.
  const ending = request.complete ? {} : { connection: 'close' };
  response.writeHead(status, {
    ...headers,
    ...ending,
    'content-length': body.length,
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function handlerOf(options: LedgerHttpOptions): Handler {
  const deps = { ...options, gzip: new BundleGzip() };
  return async (request, response) => {
    try {
      send(request, response, await answerTo(request, deps));
    } catch (error) {
      if (!response.headersSent) send(request, response, refusalOf(error, options.log));
      else response.destroy();
    }
  };
}

/** So that nobody keeps answers, or the place of another reader, by not reading them. */
function withinLimits(handler: Handler, { pipelined, answerMs }: LedgerHttpLimits): Handler {
  const unanswered = new WeakMap<Socket, number>();
  return async (request, response) => {
    const { socket } = request;
    const count = (unanswered.get(socket) ?? 0) + 1;
    unanswered.set(socket, count);
    if (count > pipelined) return void socket.destroy();
    const late = setTimeout(() => socket.destroy(), answerMs).unref();
    response.once('close', () => {
      clearTimeout(late);
      unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1);
    });
    await handler(request, response);
  };
}

function serverOf(options: LedgerHttpOptions): Server {
  const limits = { ...LIMITS, ...options.limits };
  const settings = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: 8192,
  };
  const handle = withinLimits(handlerOf(options), limits);
  const server = createServer(settings, (request, response) => void handle(request, response));
  server.timeout = limits.silentMs;
  server.maxConnections = limits.connections;
  return server;
}

/** Serves `reader`, which stays the caller's. Throws `port-in-use`. */
export async function serveLedgerHttp(options: LedgerHttpOptions): Promise<LedgerHttp> {
  const host = options.host ?? '127.0.0.1';
  const server = serverOf(options);
  const { port }: AddressInfo = await listenOn(server, host, options.port, "the ledger's HTTP");
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 1000).unref();
      }),
  };
}
