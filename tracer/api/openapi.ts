/** The API's description, made of the schemas that its requests are checked with (OpenAPI 3.1). */
import swagger from '@fastify/swagger';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiServer } from './room.js';

const SECURITY = 'token';
const BASE64 = { contentEncoding: 'base64' };

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
    transform: (route) => withHeaders(route.schema, toJsonSchema(route)),
    transformObject: (described) => {
      if (!('openapiObject' in described)) return described.swaggerObject;
      sayBase64(described.openapiObject);
      return described.openapiObject;
    },
  });
}

const toJsonSchema = createJsonSchemaTransform({
  zodToJsonConfig: { unrepresentable: 'any', override: asItIsSent },
});

const responses = z.record(z.string(), z.looseObject({}));
const answers = z.looseObject({ response: responses });
const withSome = z.looseObject({ headers: z.record(z.string(), z.looseObject({})) });

/** Of a response the transform keeps the schema alone; its headers are put back. */
function withHeaders<Transformed extends { readonly schema: object }>(
  schema: unknown,
  transformed: Transformed,
): Transformed {
  const asked = answers.safeParse(schema).data?.response ?? {};
  const told = answers.safeParse(transformed.schema).data?.response ?? {};
  const response = Object.entries(told).map(([status, one]) => {
    const { headers } = withSome.safeParse(asked[status]).data ?? {};
    return [status, headers ? { ...one, headers } : one] as const;
  });
  return { ...transformed, schema: { ...transformed.schema, response: Object.fromEntries(response) } };
}

export function addDescriptionRoute(app: ApiServer): void {
  const response = { 200: z.looseObject({}).describe('OpenAPI 3.1') };
  const schema = { summary: 'This description', security: [], response };
  app.get('/openapi.json', { schema }, async () => ({ ...app.swagger() }));
}

/** Bytes go over HTTP in base64; schemas of answers turn them back into bytes, which JSON has no word for. */
function asItIsSent({ zodSchema, jsonSchema }: Parameters<Override>[0]): void {
  if (zodSchema._zod.def.type === 'transform') Object.assign(jsonSchema, { type: 'string', ...BASE64 });
}

/** @fastify/swagger says base64 as OpenAPI 3.0 does, `format: byte`, of which 3.1 knows nothing. */
function sayBase64(part: unknown): void {
  if (typeof part !== 'object' || part === null) return;
  if ('format' in part && part.format === 'byte') {
    delete part.format;
    Object.assign(part, BASE64);
  }
  for (const inner of Object.values(part)) sayBase64(inner);
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>;
