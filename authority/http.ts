/**
 * The authority by wire (protocol.md §7), on two listeners, both on the loopback unless told otherwise. What is public answers
 * those who show that they are a tag, and a proxy may stand before it. The desk enrols besides: whoever reaches it can enrol
 * tags, under any number that is free or whose credentials have all ended.
 *
 *     POST /renew                body: credential request, a report of kind 3     answer: sealed credential pack
 *     POST /audit                body: audit request (protocol.md §14)            answer: sealed list of looks at this tag
 *     POST /enrol[?tag=NUMBER]   body: first request, plaintext || signature      answer: sealed credential pack; desk only
 *
 *     POST /time                 body: nothing                                    answer: the authority's time, ms u64
 *
 * Bodies are application/octet-stream, which a web page cannot send here unasked. Errors are one line of JSON,
 * {"code": …, "message": …}.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { boundedServer, type ConnectionLimits } from '../host/http-server.js';
import { LimitedLog } from '../host/limited-log.js';
import { listenOn } from '../host/listen.js';
import { asTagNumber, type TagNumber } from '../protocol/brands.js';
import { ByteWriter } from '../protocol/bytes.js';
import { FirebreakError, type ErrorCode } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';
import { UnreadLog } from './looks/audit-desk.js';

/** A request for 7 days of credentials, as a report, has 21,814 bytes. */
const MAX_BODY_BYTES = 32_768;
/** Requests that have arrived whole and are worked on. */
const MAX_AT_ONCE = 32;
const LIMITS: ConnectionLimits = {
  /** With a body each, 16 MiB. Whoever sends slowly holds a connection for as long as a body may take, and nothing else. */
  connections: 512,
  pipelined: 8,
  headersMs: 10_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
  /** Longer than those who ask wait. */
  silentMs: 60_000,
  answerMs: 120_000,
  checkEveryMs: 1_000,
};

export interface EnrolmentService {
  /** Absent on what is public. */
  readonly enrol?: (request: Uint8Array, tag?: TagNumber) => Promise<Uint8Array>;
  readonly renew: (report: Uint8Array) => Promise<Uint8Array>;
  /** Absent where no log is read. */
  readonly audit?: (request: Uint8Array) => Promise<Uint8Array>;
  /** Absent where nobody is told the time. */
  readonly nowMs?: () => number;
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
  const inSlot = slots();
  const log = new LimitedLog(options.log);
  const limits = { ...LIMITS, silentMs: options.silentMs ?? LIMITS.silentMs };
  const server = boundedServer(limits, (request, response) => {
    void answer(request, response, { service: options.service, inSlot, log });
  });
  const { port } = await listenOn(server, options.host ?? '127.0.0.1', options.port ?? 0, 'enrolment');
  return { port, close: () => stop(server).finally(() => log.close()) };
}

type InSlot = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs so many at once, and refuses more: `busy`. */
function slots(): InSlot {
  let underWay = 0;
  return async (work) => {
    if (underWay >= MAX_AT_ONCE)
      throw new FirebreakError('busy', `${MAX_AT_ONCE} requests are under way; try again`);
    underWay += 1;
    return work().finally(() => (underWay -= 1));
  };
}

interface Answering {
  readonly service: EnrolmentService;
  readonly inSlot: InSlot;
  readonly log: Log;
}

/** Never rejects: whatever goes wrong becomes an answer or a dropped connection. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { service, inSlot, log }: Answering,
): Promise<void> {
  try {
    const work = route(request, service);
    const body = await readBody(request); // before the slot: a slow sender must not hold one
    const pack = await inSlot(() => work(body));
    const headers = { 'content-type': 'application/octet-stream', 'content-length': pack.length };
    response.writeHead(200, headers).end(pack);
  } catch (error) {
    sendError(response, error, log);
  }
}

type Work = (body: Uint8Array) => Promise<Uint8Array>;

/** What is asked, decided before the body is read. */
function route(request: IncomingMessage, service: EnrolmentService): Work {
  const path = (request.url ?? '').replace(/^[/\\]*/, '/'); // two of either would begin a host (WHATWG URL §4.4)
  const url = new URL(path, 'http://authority');
  const work = request.method === 'POST' ? workOf(url, service) : undefined;
  if (work === undefined) throw new FirebreakError('not-found', whatIsAnswered(url, service));
  if (request.headers['content-type'] !== 'application/octet-stream') {
    throw new FirebreakError('input', 'the body must be of type application/octet-stream');
  }
  return work;
}

function workOf(
  { pathname, searchParams }: URL,
  { enrol, renew, audit, nowMs }: EnrolmentService,
): Work | undefined {
  if (pathname === '/renew') return renew;
  if (pathname === '/audit') return audit;
  if (pathname === '/time') return nowMs && (async () => new ByteWriter(8).u64(nowMs()).finish());
  if (pathname !== '/enrol' || enrol === undefined) return undefined;
  const tag = tagOf(searchParams.get('tag'));
  return (body) => enrol(body, tag);
}

function whatIsAnswered({ pathname }: URL, { enrol }: EnrolmentService): string {
  if (pathname === '/enrol' && enrol === undefined)
    return 'no tag is enrolled here: that is done at the desk, on a port of its own that firebreak authority run says';
  return `this answers ${enrol === undefined ? '' : 'POST /enrol, '}POST /renew, POST /audit and POST /time`;
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
  closed: 503,
};

interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Troubles of the authority itself, such as an unreadable day key file: who asks can do nothing, and is not told of its files. */
const OWN_TROUBLES: ReadonlySet<ErrorCode> = new Set(['damaged', 'foreign', 'locked', 'full'] as const);
const FAILED: Refusal = {
  status: 500,
  code: 'damaged',
  message: 'the authority failed to answer; its log says why',
};
const NO_ROOM: Refusal = {
  status: 503,
  code: 'full',
  message: 'the authority has no room at this time; try again later',
};

/** The authority's own troubles go to its log, and to whoever asks in words that are always the same. */
function refusalOf(error: unknown, log: Log): Refusal {
  if (error instanceof UnreadLog)
    log.error('the log cannot be read for somebody who asks who looked at them', {
      why: String(error.cause),
    });
  if (error instanceof FirebreakError && !OWN_TROUBLES.has(error.code)) {
    const { code, message } = error;
    return { status: STATUS[code] ?? 400, code, message };
  }
  log.error('an enrolment request failed', { why: String(error) });
  return error instanceof FirebreakError && error.code === 'full' ? NO_ROOM : FAILED;
}

function sendError(response: ServerResponse, error: unknown, log: Log): void {
  const { status, code, message } = refusalOf(error, log);
  if (response.destroyed || response.headersSent) return;
  response
    .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    .end(`${JSON.stringify({ code, message })}\n`);
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
