/** The description of the API says what the API does. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FirebreakError } from '../../../protocol/errors.js';
import type { Standing } from '../../../tracer/api/contract.js';
import { REFUSAL_CODES } from '../../../tracer/api/refusal-codes.js';
import { described, operationAt, schemaIn } from './described.js';
import { OPERATOR } from './stage.js';

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
      expect(Object.keys(responses)).toEqual(['200', '429', '503', '4XX', '5XX']);
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
    const asked = schemaIn(requestBody);
    expect(asked.safeParse(question)).toMatchObject({ success: true });
    expect(asked.safeParse({ ...question, more: 1 })).toMatchObject({ success: false });
    expect(asked.safeParse({ ...question, purpose: undefined })).toMatchObject({ success: false });
    expect(asked.safeParse({ ...question, purpose: ' ' })).toMatchObject({ success: false });
    const answered = schemaIn(responses['200']);
    const answer = z.looseObject({ accessIndex: z.int() }).parse(await (await post(path, question)).json());
    expect(answered.safeParse(answer)).toMatchObject({ success: true });
    expect(answered.safeParse({ ...answer, accessIndex: undefined })).toMatchObject({ success: false });
    const refused = schemaIn(responses['4XX']);
    expect(refused.safeParse(await (await post(path, {})).json())).toMatchObject({ success: true });
  });

  it('says within which bounds a question stays, and the tracer keeps to them', async () => {
    const { paths, post } = await described();
    const { requestBody } = operationAt(paths, '/v1/trace', 'post');
    const bounds = schemaIn(requestBody);
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

  it('says of every answer what it is', async () => {
    const { paths } = await described();
    for (const [path, methods] of Object.entries(paths))
      for (const method of Object.keys(methods) as ('get' | 'post')[])
        for (const [status, { description }] of Object.entries(operationAt(paths, path, method).responses))
          expect(description, `${path} ${status}`).not.toBe('Default Response');
  });

  it.each(QUESTIONS)('says when to ask %s again', async (path) => {
    const { paths } = await described();
    const { responses } = operationAt(paths, path, 'post');
    const retryAfter = { description: expect.any(String) as string, schema: { type: 'integer' } };
    for (const status of ['429', '503'])
      expect(responses[status]).toMatchObject({ headers: { 'retry-after': retryAfter } });
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
    const schemaOf = schemaIn(told);
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
    const { paths, text } = await described();
    const answer = operationAt(paths, '/v1/trace', 'post').responses['200']?.content['application/json']
      ?.schema;
    expect(answer).toMatchObject({
      properties: { evidence: { type: 'string', contentEncoding: 'base64' } },
    });
    expect(text).not.toContain('"byte"');
  });
});
