/**
 * The tracer over HTTP (docs/tracer-api.md): questions about people for officers; health, figures and what does not add
 * up for operators.
 * Whatever it refuses, it refuses in one line of JSON, {"code": …, "message": …}.
 */
import Fastify from 'fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { requireRole } from './bearers.js';
import type { TracerApi } from './contract.js';
import { Desk } from './desk.js';
import { apiLimits } from './limits.js';
import type { ApiLimits } from './limits.js';
import { apiMetrics } from './metrics.js';
import { addDescriptionRoute, describeApi } from './openapi.js';
import { questionCheck } from './question-check.js';
import { HttpRefusal, refusedBy } from './refusal.js';
import type { ApiRoom, ApiServer } from './room.js';
import { addDoubtsRoute } from './routes-doubts.js';
import { addOperationRoutes } from './routes-operations.js';
import { addQuestionRoutes } from './routes-questions.js';
import { refuseBrokenRequest, refuseExpectation } from './broken-request.js';
import type { KnownToken } from './tokens.js';

const LOOPBACK = '127.0.0.1';
/** Between stopping and cutting off who still reads. */
const GRACE_MS = 1000;

export interface TracerHttpOptions {
  readonly api: TracerApi;
  /** Asked anew for each request. */
  readonly tokens: () => readonly KnownToken[];
  /** Loopback by default; for another address something in front of it must do TLS. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Log;
  readonly limits?: Partial<ApiLimits>;
  /** The wall clock, by default the host's. */
  readonly nowMs?: () => number;
}

export interface TracerHttp {
  readonly url: string;
  /** Ends what is being asked, and what is being sent shortly after. */
  close(): Promise<void>;
}

/** Throws `port-in-use`, or `input` for an address that is not this machine's, or none. */
export async function serveTracerHttp(options: TracerHttpOptions): Promise<TracerHttp> {
  const { api, tokens, host = LOOPBACK, port, log, nowMs = () => Date.now() } = options;
  const limits = apiLimits(options.limits);
  const desk = new Desk(limits);
  const room: ApiRoom = { api, desk, metrics: apiMetrics(api, desk, nowMs), limits, log, nowMs };
  const app = serverOf(limits, room);
  await describeApi(app);
  await app.register(async (scope: ApiServer) => {
    requireRole(scope, ['officer'], tokens);
    addQuestionRoutes(scope, room);
  });
  await app.register(async (scope: ApiServer) => {
    requireRole(scope, ['operator', 'officer'], tokens);
    addOperationRoutes(scope, room);
    addDoubtsRoute(scope, room);
  });
  addDescriptionRoute(app);
  await listen(app, host, port);
  return { url: urlOf(app, host), close: () => close(app, desk) };
}

function serverOf(limits: ApiLimits, room: ApiRoom): ApiServer {
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.silentMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false, // the desk refuses what still comes
    http: {
      requireHostHeader: false, // Node's own refusal is bare
      headersTimeout: limits.headersMs,
      maxHeaderSize: limits.headerBytes,
      connectionsCheckingInterval: limits.checkEveryMs,
    },
    clientErrorHandler: refuseBrokenRequest,
    frameworkErrors: (error, request, reply) => void refuse(room, error, request, reply),
  }).withTypeProvider<ZodTypeProvider>();
  app.removeContentTypeParser('text/plain');
  app.server.maxConnections = limits.connections;
  app.server.on('checkExpectation', refuseExpectation);
  app.setValidatorCompiler(questionCheck).setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => refuse(room, error, request, reply));
  app.setNotFoundHandler(async () => {
    throw new HttpRefusal(404, 'not-found', 'there is nothing here; what there is, /openapi.json says');
  });
  app.addHook('onRequest', async ({ raw }, reply) => {
    void reply.headers(HEADERS);
    if (raw.httpVersion === '1.1' && raw.headers.host === undefined)
      throw new HttpRefusal(400, 'format', 'a request in HTTP/1.1 has to name its host');
  });
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    room.metrics.answered({ method, route: routeOptions.url ?? 'none', status: reply.statusCode });
  });
  return app;
}

/** Answers are for whoever asked, and are no pages. */
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** The message may name a case, so that it goes to whoever asked and not into the log. */
function refuse({ metrics, log }: ApiRoom, error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const { status, code, message, retryAfterSeconds, why } = refusedBy(error);
  const route = request.routeOptions.url ?? 'none';
  metrics.refused(code);
  if (status === 500) log.error('a request failed', { route, why });
  else log.warn('a request was refused', { route, code, status, ...(why !== undefined && { why }) });
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', retryAfterSeconds);
  return reply.headers(HEADERS).code(status).type('application/json; charset=utf-8').send({ code, message });
}

async function listen(app: ApiServer, host: string, port: number): Promise<void> {
  if (host === '') throw new FirebreakError('input', 'the tracer cannot listen on no host: name an address');
  await app.listen({ host, port }).catch(async (cause: NodeJS.ErrnoException) => {
    await app.close();
    throw cause.code === 'EADDRINUSE'
      ? new FirebreakError('port-in-use', `port ${port} is in use; choose another`, { cause })
      : new FirebreakError('input', `the tracer cannot listen on ${host}:${port}: ${cause.message}`, {
          cause,
        });
  });
}

/** How a process of this machine reaches it. */
function urlOf(app: ApiServer, host: string): string {
  const address = app.server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const near = host === '0.0.0.0' ? LOOPBACK : host === '::' ? '::1' : host;
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`;
}

async function close(app: ApiServer, desk: Desk): Promise<void> {
  desk.close();
  const timer = setTimeout(() => app.server.closeAllConnections(), GRACE_MS);
  await app.close().finally(() => clearTimeout(timer));
}
