/** What the routes share. */
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Log } from '../../protocol/log.js';
import type { TracerApi } from './contract.js';
import type { Desk } from './desk.js';
import type { ApiMetrics } from './metrics.js';
import type { SendLimits } from './send.js';

export interface ApiRoom {
  readonly api: TracerApi;
  readonly desk: Desk;
  readonly metrics: ApiMetrics;
  readonly limits: SendLimits;
  readonly log: Log;
  /** The wall clock. */
  readonly nowMs: () => number;
}

/** A server whose schemas are zod's. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
