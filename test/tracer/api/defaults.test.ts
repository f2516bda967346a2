/** What a question need not say, because it is usual: hops, how long makes a close contact, how long it is latent. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NOON, recordOf, reportOf } from '../deployment.js';
import { check } from '../evidence-stage.js';
import { MemoryLog } from '../memory-log.js';
import { described, operationAt, schemaIn } from './described.js';
import { readAccess } from './looks.js';
import { realApi, serve } from './stage.js';

const DAY = 86_400;
/** tracing.md, and what `firebreak trace --help` says. */
const USUAL = { hops: 3, minSeconds: 900, latentSeconds: 172_800 };

const meet = (tag: number, peer: number, start: number, seconds: number) =>
  reportOf({ tag, records: [recordOf(peer, start, seconds)], at: start + 3600 });

/** 1 meets 2 for a quarter of an hour and 5 for less; 2 meets 3 a second too early to have infected them. */
async function stage() {
  const log = new MemoryLog();
  log.append(meet(2, 1, NOON - DAY, 900));
  log.append(meet(5, 1, NOON - DAY, 899));
  log.append(meet(3, 2, NOON + DAY + 899, 900));
  const { api } = await realApi(log);
  const { post } = await serve(api);
  return { post, log };
}

const trace = { case: '1', direction: 'forward' };
const UNSAID: readonly (readonly [string, object])[] = [
  ['/v1/trace', trace],
  ['/v1/path', { ...trace, person: '2' }],
  ['/v1/evidence', trace],
  ['/v1/cluster', { cases: [{ tag: '2' }, { tag: '3' }] }],
];
const answered = z.looseObject({ result: z.looseObject({}).optional() });

describe('what a question leaves unsaid', () => {
  it.each(UNSAID)('is taken as usual, recorded so and told so: %s', async (path, request) => {
    const { post, log } = await stage();
    const response = await post(path, { purpose: 'p', request });
    expect(response.status).toBe(200);
    expect(readAccess(log)).toMatchObject(USUAL);
    if (path === '/v1/evidence')
      expect(check(new Uint8Array(await response.arrayBuffer())).request).toMatchObject(USUAL);
    else expect(answered.parse(await response.json()).result ?? USUAL).toMatchObject(USUAL);
  });

  it('is what decides who is reached', async () => {
    const { post } = await stage();
    const row = z.looseObject({ person: z.string() });
    const answer = z.looseObject({ result: z.looseObject({ reached: z.array(row) }) });
    const reached = async (more: object) => {
      const request = { ...trace, from: NOON - DAY, ...more };
      const response = await post('/v1/trace', { purpose: 'p', request });
      return answer.parse(await response.json()).result.reached.map(({ person }) => person);
    };
    expect(await reached({})).toEqual(['2']);
    expect(await reached({ minSeconds: 899 })).toEqual(['5', '2']);
    expect(await reached({ latentSeconds: 172_799 })).toEqual(['2', '3']);
  });

  it.each(UNSAID)('is in the description of %s', async (path, request) => {
    const { paths } = await described();
    const question = schemaIn(operationAt(paths, path, 'post').requestBody);
    expect(question.parse({ purpose: 'p', request })).toEqual({
      purpose: 'p',
      request: { ...request, ...USUAL },
    });
  });
});
