import { describe, expect, it, onTestFinished } from 'vitest';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { askTracer } from '../../tracer/http-client.js';
import { serveTracerHttp } from '../../tracer/http.js';
import type { TracerHttpOptions } from '../../tracer/http.js';
import type { LookUp, LookUpAnswer } from '../../tracer/trace-message.js';

const question: LookUp = {
  officer: 'Dr. Ada',
  purpose: 'ward outbreak',
  request: { case: '1525', direction: 'forward', hops: 3, minSeconds: 900, latentSeconds: 0 },
};
const step = { from: '1525', to: '3', start: 1, end: 9, nearSeconds: 8, mutual: true, ledger: [1, 2] };
const { case: indexCase, direction, hops, minSeconds, latentSeconds } = question.request;
const answer: LookUpAnswer = {
  accessIndex: 7,
  result: {
    ...{ case: indexCase, direction, hops, minSeconds, latentSeconds },
    from: 0,
    to: 9,
    reachedCount: 1,
    reached: [{ person: '3', hop: 1, exposedAt: 9, earliestAt: 9, score: 0.5, path: [step], source: '1525' }],
    sourceCount: 0,
    sources: [],
  },
};

async function serve(reply: TracerHttpOptions['answer']) {
  const lines: string[] = [];
  const log: Log = {
    info: () => {},
    error: () => {},
    warn: (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  };
  const http = await serveTracerHttp({ answer: reply, token: 'secret', port: 0, log });
  onTestFinished(() => http.close());
  return { ...http, lines };
}

describe('asking a tracer over HTTP', () => {
  it('gives the question and the answer as they were', async () => {
    const asked: LookUp[] = [];
    const { url } = await serve(async (one) => {
      asked.push(one);
      return answer;
    });
    expect(await askTracer(url, 'secret', question)).toEqual(answer);
    expect(asked).toEqual([question]);
  });

  it('hands evidence over as it was, to the byte', async () => {
    const evidence = Uint8Array.from({ length: 300 }, (_, k) => k);
    const asked: LookUp[] = [];
    const { url } = await serve(async (one) => (asked.push(one), { ...answer, evidence }));
    const wish = { ...question, evidence: { persons: ['3'] } };
    expect(await askTracer(url, 'secret', wish)).toEqual({ ...answer, evidence });
    expect(asked).toEqual([wish]);
  });

  it('refuses a wrong token without asking', async () => {
    const { url } = await serve(() => Promise.reject(new Error('asked')));
    await expect(askTracer(url, 'other', question)).rejects.toMatchObject({ code: 'permission' });
  });

  it('hands on why there is no answer, and writes no case into the log', async () => {
    const { url, lines } = await serve(() =>
      Promise.reject(new FirebreakError('not-found', 'case 1525 is nobody')),
    );
    await expect(askTracer(url, 'secret', question)).rejects.toMatchObject({
      code: 'not-found',
      message: 'case 1525 is nobody',
    });
    expect(lines.join()).toContain('not-found');
    expect(lines.join()).not.toContain('1525');
  });

  it.each([
    ['is no JSON', '{', 400],
    ['has a field too many', JSON.stringify({ ...question, more: 1 }), 400],
    ['asks for evidence of nobody', JSON.stringify({ ...question, evidence: { persons: [] } }), 400],
    ['has no officer', JSON.stringify({ ...question, officer: '' }), 400],
    ['is too long', JSON.stringify({ ...question, purpose: 'x'.repeat(20_000) }), 413],
  ])('refuses a question that %s', async (_what, body, status) => {
    const { url } = await serve(() => Promise.reject(new Error('asked')));
    const headers = { authorization: 'Bearer secret' };
    const response = await fetch(new URL('/trace', url), { method: 'POST', headers, body });
    expect(response.status).toBe(status);
  });

  it('says so when nobody answers, or something else does', async () => {
    const http = await serve(async () => ({ ...answer, accessIndex: Number.NaN }));
    const { url } = http;
    await expect(askTracer(url, 'secret', question)).rejects.toMatchObject({ code: 'format' });
    await http.close();
    await expect(askTracer(url, 'secret', question)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('names a port that is in use', async () => {
    const { url } = await serve(async () => answer);
    const port = Number(new URL(url).port);
    const log: Log = { info: () => {}, error: () => {}, warn: () => {} };
    const second = serveTracerHttp({ answer: async () => answer, token: 'secret', port, log });
    await expect(second).rejects.toMatchObject({ code: 'port-in-use' });
  });
});
