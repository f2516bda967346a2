/** The description of the API, as whoever reads it gets it. */
import { expect } from 'vitest';
import { z } from 'zod';
import type { MemoryLog } from '../memory-log.js';
import { realApi, serve } from './stage.js';

const schema = z.looseObject({});
const content = z.record(z.string(), z.strictObject({ schema }));
const response = z.looseObject({ description: z.string(), content });
const operation = z.looseObject({
  summary: z.string().min(10),
  requestBody: z.looseObject({ required: z.literal(true), content }).optional(),
  responses: z.record(z.string().regex(/^(\d{3}|[45]XX)$/), response),
});
/** What OpenAPI 3.1 asks of a document, as far as this one goes. */
const document = z.looseObject({
  openapi: z.string().regex(/^3\.1\.\d$/),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(
    z.string().startsWith('/'),
    z.record(z.enum(['get', 'post']), operation).or(z.looseObject({})),
  ),
  components: z.looseObject({
    securitySchemes: z.record(
      z.string(),
      z.looseObject({ type: z.literal('http'), scheme: z.literal('bearer') }),
    ),
  }),
  security: z.array(z.record(z.string(), z.array(z.string()))),
});

/** A tracer that is asked, and what it says of itself. */
export async function described(changes: object = {}, log?: MemoryLog) {
  const { api } = await realApi(log);
  const stage = await serve({ ...api, ...changes });
  const answer = await fetch(new URL('/openapi.json', stage.url));
  expect(answer.status).toBe(200);
  const text = await answer.text();
  return { ...stage, text, ...document.parse(JSON.parse(text)) };
}

export const operationAt = (paths: Record<string, unknown>, path: string, method: 'get' | 'post') =>
  z.looseObject({ [method]: operation }).parse(paths[path])[method] as z.infer<typeof operation>;

/** The schema of a body in JSON. */
export const schemaIn = (body: { readonly content: z.infer<typeof content> } | undefined): z.ZodType =>
  z.fromJSONSchema(body?.content['application/json']?.schema ?? false);
