/**
 * Enrolment by wire (protocol.md §7), for tags at the enrolment desk, and what a tag's wearer may ask. Loopback unless told
 * otherwise: whoever reaches it can enrol tags.
 *
 *     POST /enrol[?tag=NUMBER]   body: first request, plaintext || signature      answer: sealed credential pack
 *     POST /renew                body: credential request, a report of kind 3     answer: sealed credential pack
 *     POST /audit                body: audit request (protocol.md §14)            answer: sealed list of looks at this tag
 *
 * Bodies are application/octet-stream, which a web page cannot send here unasked. Errors are one line of JSON,
 * {"code": …, "message": …}.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { asTagNumber, type TagNumber } from '../protocol/brands.js';
import { FirebreakError, type ErrorCode } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';

/** A request for 7 days of credentials, as a report, has 21,814 bytes. */
const MAX_BODY_BYTES = 32_768;
const BODY_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 256;
const MAX_AT_ONCE = 32;
/** Longer than those who ask wait. */
const SILENT_MS = 60_000;
const LIMITS = {
  requestTimeout: BODY_TIMEOUT_MS,
  headersTimeout: BODY_TIMEOUT_MS,
  connectionsCheckingInterval: 1_000,
};

export interface EnrolmentService {
  enrol(request: Uint8Array, tag?: TagNumber): Promise<Uint8Array>;
  renew(report: Uint8Array): Promise<Uint8Array>;
  /** Absent where no log is read. */
  readonly audit?: (request: Uint8Array) => Promise<Uint8Array>;
}

export interface EnrolmentHttp {
  /** The port it listens on. */
  readonly port: number;
  /** Stops listening and drops what is open; resolves when the port is free. */
  close(): Promise<void>;
}

export interface EnrolmentHttpOptions {
  readonly service: EnrolmentService;
  readonly log: Log;
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** A connection on which nothing moves is closed, also one that does not read its answer. */
  readonly silentMs?: number;
}

/** Throws `port-in-use`, `permission`, `input`. */
export async function openEnrolmentHttp(options: EnrolmentHttpOptions): Promise<EnrolmentHttp> {
  let underWay = 0;
  const server = createServer(LIMITS, (request, response) => {
    const isTooMuch = underWay >= MAX_AT_ONCE;
    underWay += 1;
    void answer(request, response, isTooMuch ? BUSY : options.service, options.log).finally(
      () => (underWay -= 1),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = options.silentMs ?? SILENT_MS;
  const port = await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
  return { port, close: () => stop(server) };
}

/** Never rejects: whatever goes wrong becomes an answer or a dropped connection. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  service: EnrolmentService,
  log: Log,
): Promise<void> {
  try {
    const pack = await route(request, service);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': pack.length };
    response.writeHead(200, headers).end(pack);
  } catch (error) {
    sendError(response, error, log);
  }
}

const tooMuch = async () => {
  throw new FirebreakError('busy', `${MAX_AT_ONCE} requests are under way; try again`);
};
const BUSY: EnrolmentService = { enrol: tooMuch, renew: tooMuch, audit: tooMuch };

async function route(request: IncomingMessage, service: EnrolmentService): Promise<Uint8Array> {
  const url = new URL((request.url ?? '').replace(/^\/*/, '/'), 'http://authority');
  const work = request.method === 'POST' ? workOf(url, service) : undefined;
  if (work === undefined)
    throw new FirebreakError('not-found', 'this answers POST /enrol, POST /renew and POST /audit');
  if (request.headers['content-type'] !== 'application/octet-stream') {
    throw new FirebreakError('input', 'the body must be of type application/octet-stream');
  }
  return work(request);
}

type Work = (request: IncomingMessage) => Promise<Uint8Array>;

function workOf({ pathname, searchParams }: URL, service: EnrolmentService): Work | undefined {
  if (pathname === '/enrol')
    return async (request) => {
      const tag = tagOf(searchParams.get('tag'));
      return service.enrol(await readBody(request), tag);
    };
  if (pathname === '/renew') return async (request) => service.renew(await readBody(request));
  const { audit } = service;
  if (pathname !== '/audit' || audit === undefined) return undefined;
  return async (request) => audit(await readBody(request));
}

function tagOf(text: string | null): TagNumber | undefined {
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw new FirebreakError('input', 'tag must be a whole number from 0 to 281474976710655');
  }
  return asTagNumber(Number(text));
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  try {
    return await collect(request as AsyncIterable<Uint8Array>);
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    throw new FirebreakError('timeout', 'the request did not arrive whole', { cause });
  }
}

async function collect(request: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > MAX_BODY_BYTES)
      throw new FirebreakError('size', `a request has at most ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  permission: 403,
  'not-found': 404,
  timeout: 408,
  exists: 409,
  size: 413,
  busy: 503,
  full: 503,
  closed: 503,
};

function sendError(response: ServerResponse, error: unknown, log: Log): void {
  const known = error instanceof FirebreakError;
  if (!known) log.error('an enrolment request failed', { error: String(error) });
  const body = known
    ? { code: error.code, message: error.message }
    : { code: 'damaged', message: 'the authority failed to answer; its log says why' };
  if (response.destroyed || response.headersSent) return;
  const status = known ? (STATUS[error.code] ?? 400) : 500;
  response
    .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    .end(`${JSON.stringify(body)}\n`);
}

function listenFailure(cause: Error, where: string): FirebreakError {
  const code = 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE')
    return new FirebreakError('port-in-use', `${where} is in use: choose another port for enrolment`, {
      cause,
    });
  if (code === 'EACCES')
    return new FirebreakError('permission', `enrolment may not use ${where}: choose a port from 1024 on`, {
      cause,
    });
  return new FirebreakError('input', `enrolment cannot listen on ${where}: ${cause.message}`, { cause });
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => reject(listenFailure(cause, `${host}:${port}`));
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
