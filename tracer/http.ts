/**
 * Asking a running tracer, on loopback:
 *
 *     POST /trace   bearer token; body: trace-message.ts   answer: {"result": …, "accessIndex": n, "evidence": base64}
 *
 * Errors are one line of JSON, {"code": …, "message": …}.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FirebreakError } from '../protocol/errors.js';
import { sha256 } from '../protocol/hash.js';
import type { Log } from '../protocol/log.js';
import { answerJson, lookUpSchema } from './trace-message.js';
import type { LookUp, LookUpAnswer } from './trace-message.js';

const MAX_BODY_BYTES = 16_384;
const REQUEST_MS = 10_000;
const MAX_CONNECTIONS = 64;
const STATUS: Readonly<Record<string, number>> = {
  permission: 401,
  format: 400,
  input: 400,
  'not-found': 404,
  size: 413,
};

export interface TracerHttpOptions {
  readonly answer: (question: LookUp) => Promise<LookUpAnswer>;
  readonly token: string;
  readonly port: number;
  readonly log: Log;
}

export interface TracerHttp {
  readonly url: string;
  close(): Promise<void>;
}

/** Throws `port-in-use`. */
export async function serveTracerHttp(options: TracerHttpOptions): Promise<TracerHttp> {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => {
      void respond(request, response, options);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  const { port } = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE';
      reject(
        inUse
          ? new FirebreakError('port-in-use', `port ${port} is in use; choose another`, { cause })
          : cause,
      );
    });
    server.listen(port, '127.0.0.1', () => resolve(server.address() as AddressInfo));
  });
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: TracerHttpOptions,
): Promise<void> {
  try {
    requireToken(request, options.token);
    if (request.method !== 'POST' || request.url !== '/trace')
      throw new FirebreakError('not-found', 'ask POST /trace');
    const question = lookUpSchema.safeParse(JSON.parse(await readBody(request)));
    if (!question.success)
      throw new FirebreakError('input', question.error.issues[0]?.message ?? 'the question does not fit');
    send(response, 200, answerJson(await options.answer(question.data)));
  } catch (error) {
    const code =
      error instanceof FirebreakError ? error.code : error instanceof SyntaxError ? 'format' : 'closed';
    const message = error instanceof Error ? error.message : String(error);
    options.log.warn('a question was not answered', { code }); // the message may name the case
    send(response, STATUS[code] ?? 503, JSON.stringify({ code, message }));
  }
}

function requireToken(request: IncomingMessage, token: string): void {
  const shown = Buffer.from((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  if (timingSafeEqual(sha256(shown), sha256(Buffer.from(token)))) return;
  throw new FirebreakError('permission', 'this token may not ask');
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAX_BODY_BYTES)
      throw new FirebreakError('size', `a question has at most ${MAX_BODY_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function send(response: ServerResponse, status: number, json: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(json);
}
