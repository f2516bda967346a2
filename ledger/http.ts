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
import type { AddressInfo } from 'node:net';
import { FirebreakError } from '../protocol/errors.js';
import type { LedgerReader } from '../protocol/ledger-reader.js';
import type { Log } from '../protocol/log.js';
import type { DayRecord } from './store/day-record.js';
import { listenOn } from './listen.js';
import { answerTo, type HttpAnswer } from './http-routes.js';

const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const KEEP_ALIVE_MS = 5_000;

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
  readonly maxConnections?: number;
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

async function handle(
  options: LedgerHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    send(request, response, await answerTo(request, options));
  } catch (error) {
    if (!response.headersSent) send(request, response, refusalOf(error, options.log));
    else response.destroy();
  }
}

function serverOf(options: LedgerHttpOptions): Server {
  const limits = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  const server = createServer({ ...limits, maxHeaderSize: 8192 }, (request, response) => {
    void handle(options, request, response);
  });
  server.maxConnections = options.maxConnections ?? 256;
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
