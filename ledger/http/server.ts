/**
 * The ledger over HTTP, for whoever reads it (docs/ledger-http.md). Public: what C2SP tlog-tiles says.
 * With a token: payloads, which are sealed reports and no business of the public.
 *
 *     GET  /checkpoint                       the latest signed checkpoint
 *     GET  /tile/<L>/<N>[.p/<W>]             hashes
 *     GET  /tile/entries/<N>[.p/<W>]         entries
 *     POST /payloads                         payloads by hash, payload-frames.ts
 *     GET  /payload/<SHA-256 in hex>         one payload
 *     GET  /days                             what is stored and pruned, by day; days.ts
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { boundedServer, httpUrl, stopServer, type ConnectionLimits } from '../../host/http-server.js';
import { LimitedLog } from '../../host/limited-log.js';
import { listenOn } from '../../host/listen.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { Log } from '../../protocol/log.js';
import type { DayRecord } from '../store/day-record.js';
import { BundleGzip } from './gzip.js';
import { answerTo, MethodRefusal, type HttpAnswer } from './routes.js';
import { CODE_HEADER } from './payload-frames.js';

const LIMITS: ConnectionLimits = {
  connections: 256,
  pipelined: 8,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 5_000,
  silentMs: 30_000,
  /** Longer than our own reader waits. */
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
  readonly limits?: Partial<ConnectionLimits>;
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
  /** Nothing is published until witnesses cosign. */
  witness: 503,
};

/** Errors that are about what was asked for, not about the ledger. */
const ASKERS_ERRORS: ReadonlySet<ErrorCode> = new Set(['not-found', 'pruned', 'witness', 'damaged-payload']);

/**
 * Any other error is the ledger's own trouble: whoever asks can do nothing about it, and is not shown the
 * paths in it.
 */
async function withoutInternals<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof FirebreakError && ASKERS_ERRORS.has(error.code)) throw error;
    throw new Error(asError(error).message, { cause: error });
  }
}

const publicReader = (reader: LedgerReader): LedgerReader => ({
  checkpoint: () => withoutInternals(reader.checkpoint()),
  tile: (level, index, width) => withoutInternals(reader.tile(level, index, width)),
  entryBundle: (index, width) => withoutInternals(reader.entryBundle(index, width)),
  payloads: (hashes) => withoutInternals(reader.payloads(hashes)),
  close: () => reader.close(),
});

/** Error codes sent in a header, for programs: the status alone does not tell them apart. */
const CODES_IN_HEADER: ReadonlySet<string> = new Set<ErrorCode>(['damaged-payload', 'witness']);

function refusalOf(error: unknown, log: Log): HttpAnswer {
  const status = error instanceof FirebreakError ? STATUS[error.code] : undefined;
  const message = asError(error).message;
  const code = error instanceof FirebreakError && CODES_IN_HEADER.has(error.code) ? error.code : undefined;
  if (status === undefined) log.error('the ledger could not answer a reader', { why: message });
  return {
    status: status ?? 500,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      ...(code !== undefined && { [CODE_HEADER]: code }),
      ...(status === 401 && { 'www-authenticate': 'Bearer' }), // RFC 9110 §15.5.2
      ...(error instanceof MethodRefusal && { allow: error.allowed.join(', ') }), // RFC 9110 §15.5.6
    },
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
  const deps = { ...options, reader: publicReader(options.reader), gzip: new BundleGzip() };
  return async (request, response) => {
    try {
      send(request, response, await answerTo(request, deps));
    } catch (error) {
      if (!response.headersSent) send(request, response, refusalOf(error, options.log));
      else response.destroy();
    }
  };
}

/** Serves `reader`, which stays the caller's. Throws `port-in-use`, `permission`, `input`. */
export async function serveLedgerHttp(options: LedgerHttpOptions): Promise<LedgerHttp> {
  const host = options.host ?? '127.0.0.1';
  const limits = { ...LIMITS, ...options.limits };
  const log = new LimitedLog(options.log);
  const handle = handlerOf({ ...options, log });
  const server = boundedServer(limits, (request, response) => void handle(request, response));
  const { port } = await listenOn(server, host, options.port, "the ledger's HTTP");
  return { url: httpUrl(host, port), close: () => stopServer(server).finally(() => log.close()) };
}
