/** What the API answers, of a real tracer on a log of real sealed reports. */
import { describe, expect, it } from 'vitest';
import { clusterAnswerSchema } from '../../../tracer/cluster/cluster-message.js';
import { readAccess } from './looks.js';
import { askTracer } from '../../../tracer/api/client.js';
import type { LookUp } from '../../../tracer/looks/trace-message.js';
import { NOON } from '../deployment.js';
import { check } from '../evidence-stage.js';
import { contactsAnswer, pathAnswer } from '../../../tracer/api/messages.js';
import { LOCAL, realApi, refusalOf, serve } from './stage.js';

const HOUR = 3_600;
const request = { case: '1', direction: 'forward', hops: 3, minSeconds: 900, latentSeconds: 0 } as const;
const local: LookUp = { officer: 'Dr. Ada', purpose: 'ward outbreak', request };
const asked = { purpose: 'ward outbreak', request };
const contactsOf = (person: string, more: object = {}) => ({
  purpose: 'visit',
  request: { person, ...more },
});

describe('a trace over HTTP', () => {
  it('answers the folder’s own client as the tracer answers, window filled in', async () => {
    const { api, log } = await realApi();
    const { url } = await serve(api);
    const { result, accessIndex, evidence } = await askTracer(url, LOCAL, local);
    expect(result.reached.map(({ person, hop }) => [person, hop])).toEqual([
      ['2', 1],
      ['3', 2],
      ['4', 3],
    ]);
    expect(result).toMatchObject({ from: NOON, to: NOON + 7 * HOUR + 900 });
    expect(evidence).toBeUndefined();
    expect(accessIndex).toBe(log.entries.length - 1);
    expect(readAccess(log)).toMatchObject({ officer: 'Dr. Ada', purpose: 'ward outbreak' });
  });

  it('brings evidence that checks, to the byte the same in JSON and as a file', async () => {
    const { api } = await realApi();
    const { url, post } = await serve(api);
    const { evidence = new Uint8Array() } = await askTracer(url, LOCAL, {
      ...local,
      evidence: { persons: ['3'] },
    });
    expect(check(evidence).reached.map(({ person }) => person)).toEqual(['3']);
    const response = await post('/v1/evidence', { ...asked, persons: ['4'] });
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    const checked = check(new Uint8Array(await response.arrayBuffer()));
    expect(checked.reached.map(({ person }) => person)).toEqual(['4']);
    expect(Number(response.headers.get('firebreak-access-index'))).toBe(checked.look.index);
  });

  it('hands on why there is no answer, and writes no case, person or officer into the log', async () => {
    const { api, log } = await realApi();
    const { url, lines, post } = await serve(api);
    const nobody = { ...local, request: { ...request, case: '151525' } };
    await expect(askTracer(url, LOCAL, nobody)).rejects.toMatchObject({
      code: 'not-found',
      message: `case 151525 is in no contact that is known: check the number; the look is recorded as ledger entry ${log.entries.length}`,
    });
    expect(readAccess(log)).toMatchObject({ officer: 'Dr. Ada' }); // that nobody was found is an answer too
    for (const response of [
      await post('/v1/path', { ...asked, request: { ...request, person: '151525' } }),
      await post('/v1/contacts', contactsOf('151525')),
    ]) {
      expect(response.status).toBe(404);
      expect(await response.text()).toContain('; the look is recorded');
    }
    expect(lines.join()).toContain('not-found');
    expect(lines.join()).not.toMatch(/151525|Ada|Wu|ward/);
  });
});

describe('a question that does not fit', () => {
  it.each<[string, object, string]>([
    ['no purpose', { request }, 'purpose: it is missing'],
    ['no words of purpose', { ...asked, purpose: '' }, 'purpose: it is too short'],
    ['no request', { purpose: 'visit' }, 'request: it is missing'],
    [
      'text for a number',
      { ...asked, request: { ...request, minSeconds: '900' } },
      'request.minSeconds: it must be a number',
    ],
    [
      'a direction there is not',
      { ...asked, request: { ...request, direction: 'up' } },
      'request.direction: it must be "forward" or "backward" or "both"',
    ],
    ['too many steps', { ...asked, request: { ...request, hops: 17 } }, 'request.hops: hops must be 1 to 16'],
    [
      'no number of a tag',
      { ...asked, request: { ...request, case: 'Anna' } },
      'request.case: a tag number in decimal digits',
    ],
    [
      'a field there is not',
      { ...asked, '/srv': 1 },
      'the question: it holds /srv, which does not belong there',
    ],
    ['a list', [], 'the question: it must be an object in {}'],
  ])('is refused, one with %s, in plain words', async (_what, question, message) => {
    const { api, log } = await realApi();
    const before = log.entries.length;
    const { post, lines } = await serve(api);
    expect(await refusalOf(await post('/v1/trace', question))).toMatchObject({
      status: 400,
      code: 'input',
      message,
    });
    expect(log.entries.length).toBe(before);
    expect(lines.join()).not.toMatch(/Anna|srv/);
  });
});

describe('a path over HTTP', () => {
  it.each([
    ['forward', ['1 to 2', '2 to 3']],
    ['both', ['2 to 3']],
  ] as const)('is the row of the trace that leads to the person: %s', async (direction, steps) => {
    const { api } = await realApi();
    const { url, post } = await serve(api);
    const led = { ...request, direction };
    const { result } = await askTracer(url, LOCAL, { ...local, request: led });
    const response = await post('/v1/path', { ...asked, request: { ...led, person: '3' } });
    const { as, person } = pathAnswer.parse(await response.json());
    expect(as).toBe('reached');
    expect(person).toEqual(result.reached.find((row) => row.person === '3'));
    expect(person.path.map(({ from, to }) => `${from} to ${to}`)).toEqual(steps);
  });

  it('may lead from a source, in a trace both ways', async () => {
    const { api } = await realApi();
    const { post } = await serve(api);
    const both = { ...request, case: '4', direction: 'both', person: '1' };
    const { as, person } = pathAnswer.parse(
      await (await post('/v1/path', { ...asked, request: both })).json(),
    );
    expect([as, person.person, person.hop]).toEqual(['source', '1', 3]);
  });

  it('is recorded even where there is none', async () => {
    const { api, log } = await realApi();
    const { post } = await serve(api);
    const before = log.entries.length;
    const refused = await refusalOf(
      await post('/v1/path', { ...asked, request: { ...request, person: '6' } }),
    );
    expect(refused).toMatchObject({ status: 404, code: 'not-found' });
    expect(log.entries.length).toBe(before + 1);
    const { officer, cases, reached } = readAccess(log);
    expect({ officer, cases, reached: [...reached] }).toEqual({
      officer: 'Dr. Wu',
      cases: [1],
      reached: [6],
    });
  });

  it('names the one it was to lead to also where the case has met nobody, or that one has not', async () => {
    const { api, log } = await realApi();
    const { post } = await serve(api);
    for (const [index, person] of [
      ['151525', '6'],
      ['1', '281474976710655'],
    ]) {
      const response = await post('/v1/path', { ...asked, request: { ...request, case: index, person } });
      expect(response.status).toBe(404);
      expect([...readAccess(log).reached]).toEqual([Number(person)]);
    }
    const before = log.entries.length;
    const tooLarge = { ...request, person: '281474976710656' };
    expect((await post('/v1/path', { ...asked, request: tooLarge })).status).toBe(400);
    expect(log.entries.length).toBe(before);
  });
});

describe('a person’s contacts over HTTP', () => {
  it('say with whom, when, how near, who noticed, whether that qualifies, and where it stands', async () => {
    const { api, log } = await realApi();
    const { post } = await serve(api);
    const answer = contactsAnswer.parse(await (await post('/v1/contacts', contactsOf('2'))).json());
    expect(answer.contacts.map(({ person, start, qualifies }) => [person, start, qualifies])).toEqual([
      ['1', NOON, true],
      ['3', NOON + HOUR, false],
      ['3', NOON + 2 * HOUR, true],
      ['3', NOON + 3 * HOUR, true],
    ]);
    expect(answer.contacts[0]).toEqual({
      ...{ person: '1', start: NOON, end: NOON + 900, epoch: NOON / 900, nearSeconds: 900 },
      ...{ attenuationDb: 50, mutual: true, qualifies: true, ledger: [3, 5] },
    });
    expect(answer.next).toBeUndefined();
    expect(readAccess(log)).toMatchObject({ officer: 'Dr. Wu', purpose: 'visit' });
  });

  it('come page by page, in the same order and each once, and each page is a look', async () => {
    const { api, log } = await realApi();
    const { post } = await serve(api);
    const ask = async (more: object) =>
      contactsAnswer.parse(await (await post('/v1/contacts', contactsOf('2', more))).json());
    const whole = await ask({});
    const before = log.entries.length;
    const pages = [await ask({ limit: 3 })];
    for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next)
      pages.push(await ask({ limit: 3, after: next }));
    expect(pages.map(({ contacts }) => contacts.length)).toEqual([3, 1]);
    expect(pages.flatMap(({ contacts }) => contacts)).toEqual(whole.contacts);
    expect(readAccess(log)).toMatchObject({ question: 'contacts', cases: [2], reached: [3] }); // those on it
    expect(log.entries.length).toBe(before + pages.length);
  });

  it('are those that overlap the window', async () => {
    const { api } = await realApi();
    const { post } = await serve(api);
    const window = { from: NOON + HOUR + 600, to: NOON + 2 * HOUR };
    const answer = contactsAnswer.parse(await (await post('/v1/contacts', contactsOf('2', window))).json());
    expect(answer.contacts.map(({ start }) => start)).toEqual([NOON + HOUR, NOON + 2 * HOUR]);
  });

  it.each([
    ['a person that is no tag number', contactsOf('Ada')],
    ['a page of nobody’s', contactsOf('2', { after: 'x' })],
    ['a page of no rows', contactsOf('2', { limit: 0 })],
    ['a window that ends before it begins', contactsOf('2', { from: 9, to: 8 })],
    ['a field too many', contactsOf('2', { more: 1 })],
    ['no purpose', { request: { person: '2' } }],
  ])('are refused for %s, and nothing is recorded', async (_what, body) => {
    const { api, log } = await realApi();
    const { post } = await serve(api);
    const before = log.entries.length;
    expect(await refusalOf(await post('/v1/contacts', body))).toMatchObject({ status: 400, code: 'input' });
    expect(log.entries.length).toBe(before);
  });
});

describe('several cases over HTTP', () => {
  const settings = { hops: 2, minSeconds: 0, latentSeconds: 0 };
  const body = { purpose: 'two wards', request: { cases: [{ tag: '1' }, { tag: '4' }], ...settings } };

  it('are no route of a tracer that cannot', async () => {
    const api = { ...(await realApi()).api };
    delete api.cluster;
    const { post } = await serve(api);
    expect(await refusalOf(await post('/v1/cluster', body))).toMatchObject({ status: 404 });
  });

  it('are one look at all of them, answered with what they have in common', async () => {
    const { api, log } = await realApi();
    const { post } = await serve(api);
    const answered = await post('/v1/cluster', body);
    expect(answered.status).toBe(200);
    const { result } = clusterAnswerSchema.parse(await answered.json());
    expect(result.sources.length).toBeGreaterThan(0);
    const { officer, question, cases, reached } = readAccess(log);
    expect({ officer, question, cases }).toEqual({ officer: 'Dr. Wu', question: 'cluster', cases: [1, 4] });
    expect(reached).toEqual(expect.arrayContaining([1, 4]));
  });
});

describe('what a refused request is told', () => {
  it.each([
    ['is no JSON', '{', 400, 'format'],
    ['is nothing', '', 400, 'format'],
    ['is a list', '[]', 400, 'input'],
    ['has a field too many', JSON.stringify({ ...local, more: 1 }), 400, 'input'],
    ['asks for evidence of nobody', JSON.stringify({ ...local, evidence: { persons: [] } }), 400, 'input'],
    ['has an empty purpose', JSON.stringify({ ...local, purpose: '' }), 400, 'input'],
    ['names no officer', JSON.stringify({ ...local, officer: undefined }), 400, 'input'],
    ['is too long', JSON.stringify({ ...local, purpose: 'x'.repeat(20_000) }), 413, 'size'],
    ['tampers with prototypes', '{"__proto__": {"x": 1}}', 400, 'format'],
  ])('fits a question that %s', async (_what, body, status, code) => {
    const { url } = await serve((await realApi()).api);
    const headers = { authorization: `Bearer ${LOCAL}`, 'content-type': 'application/json' };
    const response = await fetch(new URL('/v1/trace', url), { method: 'POST', headers, body });
    expect(await refusalOf(response)).toMatchObject({ status, code });
  });

  it.each([
    ['another path', 'POST', '/trace', 404],
    ['another method', 'GET', '/v1/trace', 404],
    ['a path that is none', 'GET', '/v1/%zz', 400],
  ])('fits %s, with the headers that every answer has', async (_what, method, path, status) => {
    const { url } = await serve((await realApi()).api);
    const response = await fetch(url + path, { method, headers: { authorization: `Bearer ${LOCAL}` } });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await refusalOf(response)).toMatchObject({ status });
  });

  it('does not take a question that comes as something else', async () => {
    const { url } = await serve((await realApi()).api);
    const headers = { authorization: `Bearer ${LOCAL}`, 'content-type': 'text/plain' };
    const response = await fetch(new URL('/v1/trace', url), {
      method: 'POST',
      headers,
      body: JSON.stringify(local),
    });
    expect(await refusalOf(response)).toMatchObject({ status: 415, code: 'format' });
  });

  it('keeps what went wrong inside to itself, and logs where it did', async () => {
    const { api } = await realApi();
    const fails = () => Promise.reject(new TypeError('tag 151525 is undefined'));
    const { post, lines } = await serve({ ...api, trace: fails });
    const refused = await refusalOf(await post('/v1/trace', asked));
    expect(refused).toMatchObject({ status: 500, code: 'closed' });
    expect(refused.message).not.toContain('151525');
    expect(lines.join()).toMatch(/TypeError at .*questions\.test\.ts/);
    expect(lines.join()).not.toContain('151525');
  });
});

describe('a client without a tracer', () => {
  it('says so when nobody answers, or something else does', async () => {
    const { api } = await realApi();
    const odd = { ...api, trace: async () => ({ ...(await realAnswer()), accessIndex: Number.NaN }) };
    const { url, close } = await serve(odd);
    await expect(askTracer(url, LOCAL, local)).rejects.toMatchObject({ code: 'format' });
    await close();
    await expect(askTracer(url, LOCAL, local)).rejects.toMatchObject({ code: 'unreachable' });

    async function realAnswer() {
      const look = { officer: 'Dr. Ada', purpose: 'ward outbreak' };
      return api.trace({ request }, { look, signal: new AbortController().signal });
    }
  });

  it('names a port that is in use', async () => {
    const { api } = await realApi();
    const { url } = await serve(api);
    const second = serve(api, { port: Number(new URL(url).port) });
    await expect(second).rejects.toMatchObject({ code: 'port-in-use' });
    await expect(serve(api, { host: '' })).rejects.toMatchObject({ code: 'input' }); // Node would take all there are
    await expect(serve(api, { host: '203.0.113.1' })).rejects.toMatchObject({ code: 'input' });
  });
});
