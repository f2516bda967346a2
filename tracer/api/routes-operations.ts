/** How the tracer is: for operators and their machines. Nothing here names anybody. */
import { z } from 'zod';
import { healthOf } from './health.js';
import { healthAnswer, refusal } from './messages.js';
import { REFUSALS } from './refusal-responses.js';
import type { ApiRoom, ApiServer } from './room.js';

const METRICS_TYPE = 'text/plain';

export function addOperationRoutes(app: ApiServer, { api, metrics, nowMs }: ApiRoom): void {
  const tags = ['operations'];
  const health = {
    ...{ summary: 'Whether the tracer is well; 503 when it is not', tags },
    response: {
      200: healthAnswer.describe('The tracer is well'),
      503: z
        .union([healthAnswer, refusal])
        .describe('The tracer is not well, with the same body; or a refusal, where it cannot tell'),
      ...REFUSALS,
    },
  };
  app.get('/v1/health', { schema: health }, async (_request, reply) => {
    const answer = healthOf(api, process.memoryUsage(), nowMs());
    return reply.code(answer.well ? 200 : 503).send(answer);
  });
  const figures = {
    ...{ summary: 'Figures for Prometheus', tags },
    response: {
      200: {
        description: 'The figures, in the text format of Prometheus',
        content: { [METRICS_TYPE]: { schema: z.string() } },
      },
      ...REFUSALS,
    },
  };
  app.get('/metrics', { schema: figures }, async (_request, reply) => {
    const text = await metrics.scrape();
    return reply.type(metrics.contentType).send(text);
  });
}
