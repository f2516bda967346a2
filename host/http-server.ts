/** An HTTP server that nobody can hold up: connections, headers, requests, answers and silence are bounded. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';

/** Times are wall ms. */
export interface ConnectionLimits {
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
  /** By then an answer is read whole, or the connection is closed. */
  readonly answerMs: number;
  /** How often connections are held against their limits. */
  readonly checkEveryMs: number;
}

const MAX_HEADER_BYTES = 8192;
/** What is being answered when a server stops has so long to be read. */
const LAST_ANSWERS_MS = 1000;

export function boundedServer(limits: ConnectionLimits, answer: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    withinLimits(answer, limits),
  );
  server.timeout = limits.silentMs;
  server.maxConnections = limits.connections;
  return server;
}

/** So that nobody keeps answers, or the place of another, by asking on or by not reading them. */
function withinLimits(answer: RequestListener, { pipelined, answerMs }: ConnectionLimits): RequestListener {
  const unanswered = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    const count = (unanswered.get(socket) ?? 0) + 1;
    unanswered.set(socket, count);
    if (count > pipelined) return void socket.destroy();
    const late = setTimeout(() => socket.destroy(), answerMs).unref();
    response.once('close', () => {
      clearTimeout(late);
      unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1);
    });
    answer(request, response);
  };
}

/** How a process that reaches `host` reaches the server. */
export function httpUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Takes no more requests; resolves when those under way are answered, or were given a second to be. */
export function stopServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS).unref();
  });
}
