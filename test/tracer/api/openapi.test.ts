/** The description of the API says what the API does. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FirebreakError } from '../../../protocol/errors.js';
import type { Standing } from '../../../tracer/api/contract.js';
import { REFUSAL_CODES } from '../../../tracer/api/refusal-codes.js';
import { OPERATOR, realApi, serve } from './stage.js';

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

async function described(changes: object = {}) {
  const { api } = await realApi();
  const stage = await serve({ ...api, ...changes });
  const answer = await fetch(new URL('/openapi.json', stage.url));
  expect(answer.status).toBe(200);
  const text = await answer.text();
  return { ...stage, text, ...document.parse(JSON.parse(text)) };
}

const operationAt = (paths: Record<string, unknown>, path: string, method: 'get' | 'post') =>
  z.looseObject({ [method]: operation }).parse(paths[path])[method] as z.infer<typeof operation>;

/** The schemas of steps anywhere in a schema. */
function stepsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  const { data } = z.looseObject({ properties: z.looseObject({}) }).safeParse(value);
  if (data?.properties['nearSeconds'] !== undefined) return [value];
  return Object.values(value).flatMap(stepsIn);
}

const QUESTIONS = ['/v1/trace', '/v1/path', '/v1/contacts', '/v1/evidence', '/v1/cluster'];
const STANDING: Standing = {
  ...{ followsSinceMs: 0, ledgerSeenMs: Date.now(), grewMs: 0, behind: 0, readOnMs: 0, failure: undefined },
};
const request = { case: '1', direction: 'forward', hops: 3, minSeconds: 900, latentSeconds: 0 };
const clusterRequest = { cases: [{ tag: '2' }, { tag: '3' }], hops: 2, minSeconds: 900, latentSeconds: 0 };
const ASKED: Readonly<Record<string, object>> = {
  '/v1/trace': { purpose: 'p', request, evidence: {} },
  '/v1/path': { purpose: 'p', request: { ...request, person: '3' } },
  '/v1/contacts': { purpose: 'p', request: { person: '2', limit: 1 } },
  '/v1/cluster': { purpose: 'p', request: clusterRequest },
};

describe('the description of the API', () => {
  it('is OpenAPI 3.1, is there for everybody, and has every route', async () => {
    const { paths, security, components } = await described();
    expect(Object.keys(paths).sort()).toEqual(
      [...QUESTIONS, '/v1/health', '/v1/doubts', '/metrics', '/openapi.json'].sort(),
    );
    expect(Object.keys(security[0] ?? {})).toEqual(Object.keys(components.securitySchemes));
    for (const path of QUESTIONS) {
      const { requestBody, responses } = operationAt(paths, path, 'post');
      expect(Object.keys(requestBody?.content ?? {})).toEqual(['application/json']);
      expect(Object.keys(responses)).toEqual(['200', '4XX', '5XX']);
    }
    expect(Object.keys(operationAt(paths, '/v1/health', 'get').responses)).toEqual([
      ...['200', '503', '4XX', '5XX'],
    ]);
    const bundle = operationAt(paths, '/v1/evidence', 'post').responses['200'];
    expect(Object.keys(bundle?.content ?? {})).toEqual(['application/octet-stream']);
  });

  it('refers to nothing that is not in it', async () => {
    const { text } = await described();
    const references = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference]) => reference);
    for (const reference of references) expect(text).toContain(`"${reference?.split('/').at(-1)}":`);
    expect(text).not.toContain('"undefined"');
  });

  it.each(Object.entries(ASKED))('describes what %s is asked and what it answers', async (path, question) => {
    const { paths, post } = await described();
    const { requestBody, responses } = operationAt(paths, path, 'post');
    const asked = z.fromJSONSchema(requestBody?.content['application/json']?.schema ?? false);
    expect(asked.safeParse(question)).toMatchObject({ success: true });
    expect(asked.safeParse({ ...question, more: 1 })).toMatchObject({ success: false });
    expect(asked.safeParse({ ...question, purpose: undefined })).toMatchObject({ success: false });
    expect(asked.safeParse({ ...question, purpose: ' ' })).toMatchObject({ success: false });
    const answered = z.fromJSONSchema(responses['200']?.content['application/json']?.schema ?? false);
    const answer = z.looseObject({ accessIndex: z.int() }).parse(await (await post(path, question)).json());
    expect(answered.safeParse(answer)).toMatchObject({ success: true });
    expect(answered.safeParse({ ...answer, accessIndex: undefined })).toMatchObject({ success: false });
    const refused = z.fromJSONSchema(responses['4XX']?.content['application/json']?.schema ?? false);
    expect(refused.safeParse(await (await post(path, {})).json())).toMatchObject({ success: true });
  });

  it('says within which bounds a question stays, and the tracer keeps to them', async () => {
    const { paths, post } = await described();
    const { requestBody } = operationAt(paths, '/v1/trace', 'post');
    const bounds = z.fromJSONSchema(requestBody?.content['application/json']?.schema ?? false);
    for (const [field, value] of [
      ['hops', 0],
      ['hops', 17],
      ['list', 100_001],
      ['case', '01'],
      ['case', 'x'],
      ['from', -1],
    ] as const) {
      const asked = { purpose: 'p', request: { ...request, [field]: value } };
      expect(bounds.safeParse(asked).success, field).toBe(false);
      const answer = await post('/v1/trace', asked);
      expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'input' }]);
    }
    const most = { purpose: 'p', request: { ...request, hops: 16, list: 100_000 } };
    expect(bounds.safeParse(most).success).toBe(true);
    expect((await post('/v1/trace', most)).status).toBe(200);
  });

  it('says of a step that it may be at a gateway, the same in every answer', async () => {
    const { paths } = await described();
    const steps = ['/v1/trace', '/v1/path', '/v1/cluster'].map((path) =>
      stepsIn(operationAt(paths, path, 'post').responses['200']?.content['application/json']?.schema),
    );
    const [first] = steps.flat();
    expect(first).toMatchObject({ properties: { nearSeconds: {}, gateway: {} } });
    expect(steps.map((found) => found.length > 0)).toEqual([true, true, true]);
    for (const one of steps.flat()) expect(one).toEqual(first);
  });

  it('names the header that says where the look at evidence is recorded', async () => {
    const { paths } = await described();
    const answer = operationAt(paths, '/v1/evidence', 'post').responses['200'];
    expect(answer).toMatchObject({ headers: { 'firebreak-access-index': { schema: { type: 'integer' } } } });
  });

  const broken = (error: Error) => ({
    standing: () => {
      throw error;
    },
  });
  it.each([
    ['well', 200, {}],
    ['not well', 503, { standing: () => ({ ...STANDING, behind: 20_000 }) }],
    ['its own failure', 503, broken(new FirebreakError('damaged', 'segment 7'))],
    ['a fault', 500, broken(new Error('a bug'))],
    ['no token', 401, {}],
  ])('describes what health answers: %s', async (_what, status, changes) => {
    const { paths, get } = await described(changes);
    const answer = await get('/v1/health', status === 401 ? 'none' : OPERATOR);
    expect(answer.status).toBe(status);
    const { responses } = operationAt(paths, '/v1/health', 'get');
    const told = responses[status] ?? responses[`${String(status)[0]}XX`];
    const schemaOf = z.fromJSONSchema(told?.content['application/json']?.schema ?? false);
    expect(schemaOf.safeParse(await answer.json())).toMatchObject({ success: true });
  });

  it('lists the codes of refusals', async () => {
    const { paths } = await described();
    for (const status of ['4XX', '5XX'])
      expect(
        operationAt(paths, '/v1/trace', 'post').responses[status]?.content['application/json']?.schema,
      ).toMatchObject({ properties: { code: { enum: [...REFUSAL_CODES] } } });
  });

  it.each([
    ['/v1/trace', 'with presence the stays at gateways count too'],
    ['/v1/path', 'with presence the stays at gateways count too'],
    ['/v1/evidence', 'with presence the stays at gateways count too'],
    ['/v1/cluster', 'the stays at gateways count too, unless gateways is false'],
  ])('says what the window of %s is where it is left open', async (path, words) => {
    const { paths } = await described();
    const { requestBody } = operationAt(paths, path, 'post');
    const description = expect.stringContaining(words) as string;
    expect(requestBody?.content['application/json']?.schema).toMatchObject({
      properties: { request: { properties: { from: { description }, to: { description } } } },
    });
  });

  it('says that evidence comes in base64', async () => {
    const { paths } = await described();
    const answer = operationAt(paths, '/v1/trace', 'post').responses['200']?.content['application/json']
      ?.schema;
    expect(answer).toMatchObject({ properties: { evidence: { type: 'string', format: 'byte' } } });
  });
});
