/**
 * A witness over HTTP (C2SP tlog-witness; protocol/tlog/add-checkpoint.ts):
 *
 *     POST /add-checkpoint    200 cosignature lines; 400, 403, 404, 409, 422 as the specification says
 *     GET  /                  who it is: its verifier key, for people; HEAD the same without it
 *
 * Also 405 another method, 413 a body over 256 KiB, 503 when the witness cannot keep its state, dated what it cosigned last
 * in the future, or is asked more about one log than it gets done: it does not cosign then.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { boundedServer, httpUrl, stopServer, type ConnectionLimits } from '../host/http-server.js';
import { LimitedLog } from '../host/limited-log.js';
import { listenOn } from '../host/listen.js';
import { encodeTlogSize, MAX_ADD_CHECKPOINT_BYTES, TLOG_SIZE_TYPE } from '../protocol/tlog/add-checkpoint.js';
import type { Log } from '../protocol/log.js';
import type { Witness, WitnessAnswer } from './witness.js';

const LIMITS: ConnectionLimits = {
  connections: 64,
  pipelined: 8,
  headersMs: 10_000,
  requestMs: 30_000,
  /** Longer than a log that is alive stays silent, so that connections are kept (tlog-witness asks for it). */
  keepAliveMs: 60_000,
  silentMs: 30_000,
  answerMs: 60_000,
  checkEveryMs: 1_000,
};
const TEXT = 'text/plain; charset=utf-8';

export interface WitnessHttpOptions {
  readonly witness: Witness;
  /** Shown to who asks. */
  readonly verifierKey: string;
  /** Loopback unless something in front of it does TLS. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Log;
  readonly limits?: Partial<ConnectionLimits>;
}

export interface WitnessHttp {
  readonly url: string;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** Methods that are taken there, where another was used. */
  readonly allow?: string;
}

const METHODS: ReadonlyMap<string, readonly string[]> = new Map([
  ['/', ['GET', 'HEAD']],
  ['/add-checkpoint', ['POST']],
]);

const textReply = (status: number, line: string): Reply => ({ status, type: TEXT, body: `${line}\n` });

function replyOf(answer: WitnessAnswer): Reply {
  if (answer.status === 200) return { status: 200, type: TEXT, body: answer.cosignatures };
  if ('size' in answer) return { status: 409, type: TLOG_SIZE_TYPE, body: encodeTlogSize(answer.size) };
  return textReply(answer.status, answer.why);
}

/** `undefined` when it is over its bound; the rest is then not read. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  const body: AsyncIterable<Buffer> = request;
  for await (const part of body) {
    length += part.length;
    if (length > MAX_ADD_CHECKPOINT_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function answerTo(request: IncomingMessage, options: WitnessHttpOptions): Promise<Reply> {
  const path = request.url?.split('?', 1)[0];
  const allow = path === undefined ? undefined : METHODS.get(path);
  if (allow === undefined) return textReply(404, 'there is nothing here');
  if (!allow.includes(request.method ?? ''))
    return { ...textReply(405, `use ${allow.join(' or ')} here`), allow: allow.join(', ') };
  if (path === '/')
    return textReply(200, `witness ${options.verifierKey}\nPOST /add-checkpoint (c2sp.org/tlog-witness)`);
  const body = await bodyOf(request);
  if (body === undefined) return textReply(413, `a request is at most ${MAX_ADD_CHECKPOINT_BYTES} bytes`);
  return replyOf(await options.witness.addCheckpoint(body));
}

function failure(error: unknown, log: Log): Reply {
  const why = error instanceof Error ? error.message : String(error);
  log.error('could not answer a log, nothing was cosigned', { why });
  return textReply(503, 'the witness cannot keep its state; its log says why');
}

async function handle(
  options: WitnessHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = await answerTo(request, options).catch((error: unknown) => {
    if (!request.complete) return textReply(400, 'the request was cut off');
    return failure(error, options.log);
  });
  const ending = request.complete ? {} : { connection: 'close' };
  const body = Buffer.from(reply.body, 'utf8');
  const headers = { 'content-type': reply.type, 'content-length': body.length, 'cache-control': 'no-store' };
  const allow = reply.allow && { allow: reply.allow }; // RFC 9110 §15.5.6
  response.writeHead(reply.status, { ...headers, ...ending, ...allow });
  response.end(body);
}

/** Serves `witness`, which stays the caller's. Throws `port-in-use`, `permission`, `input`. */
export async function serveWitnessHttp(options: WitnessHttpOptions): Promise<WitnessHttp> {
  const host = options.host ?? '127.0.0.1';
  const limits = { ...LIMITS, ...options.limits };
  const log = new LimitedLog(options.log);
  const deps = { ...options, log };
  const server = boundedServer(limits, (request, response) => void handle(deps, request, response));
  const { port } = await listenOn(server, host, options.port, 'the witness');
  return { url: httpUrl(host, port), close: () => stopServer(server).finally(() => log.close()) };
}
