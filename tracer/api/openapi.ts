/** The API's description, made of the schemas that its requests are checked with (OpenAPI 3.1). */
import swagger from '@fastify/swagger';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiServer } from './room.js';

const SECURITY = 'token';

/** To be called before any route is added. */
export async function describeApi(app: ApiServer): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Firebreak tracer',
        version: '1',
        description:
          'Questions about contacts. Every question about a person is recorded before it is answered.',
      },
      security: [{ [SECURITY]: [] }],
      components: { securitySchemes: { [SECURITY]: { type: 'http', scheme: 'bearer' } } },
    },
    transform: createJsonSchemaTransform({
      zodToJsonConfig: { unrepresentable: 'any', override: asItIsSent },
    }),
  });
}

export function addDescriptionRoute(app: ApiServer): void {
  const schema = { summary: 'This description', security: [], response: { 200: z.looseObject({}) } };
  app.get('/openapi.json', { schema }, async () => ({ ...app.swagger() }));
}

/** Bytes go over HTTP in base64, which the description then calls the format “byte”; schemas of answers turn them back into bytes, which JSON has no word for. */
function asItIsSent({ zodSchema, jsonSchema }: Parameters<Override>[0]): void {
  if (zodSchema._zod.def.type === 'transform')
    Object.assign(jsonSchema, { type: 'string', contentEncoding: 'base64' });
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>;
