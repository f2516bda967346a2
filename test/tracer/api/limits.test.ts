/** What is too much, too long, too many or too slow. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TracerApi } from '../../../tracer/api/contract.js';
import type { ApiLimits } from '../../../tracer/api/limits.js';
import { OFFICER, realApi, refusalOf, serve } from './stage.js';

const request = { case: '1', direction: 'forward', hops: 3, minSeconds: 900, latentSeconds: 0 };
const asked = { purpose: 'ward outbreak', request };

/** A tracer whose traces wait until they are let go, and that notes what became of them. */
async function waitingApi() {
  const { api } = await realApi();
  let letGo: () => void = () => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const signals: AbortSignal[] = [];
  const trace: TracerApi['trace'] = async (question, asking) => {
    signals.push(asking.signal);
    await gate;
    return api.trace(question, asking);
  };
  return { api: { ...api, trace }, letGo, signals };
}

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 10) {
    if (waited > 50_000) throw new Error('it did not happen');
    await pause(10);
  }
}

/** Sends these bytes and nothing else; resolves with all that comes back until the connection ends. */
function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (piece: Buffer) => void (text += piece.toString()));
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.once('close', () => resolve(text));
  });
}

const head = (length: number): string =>
  `POST /v1/trace HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${OFFICER}\r\n` +
  `content-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

describe('questions at once', () => {
  it('are so many, and so many wait; the next is told when to come back', async () => {
    const { api, letGo } = await waitingApi();
    const { post, get } = await serve(api, { limits: { atOnce: 1, waiting: 1 } });
    const answers = [post('/v1/trace', asked), post('/v1/trace', asked)];
    const figures = async () => (await get('/metrics')).text(); // operators are not in that line
    await expect.poll(figures).toContain('firebreak_questions_waiting 1\n');
    const third = await post('/v1/trace', asked);
    expect(third.headers.get('retry-after')).toBe('5');
    expect(await refusalOf(third)).toMatchObject({ status: 429, code: 'full' });
    expect(await figures()).toContain('firebreak_questions_working 1\n');
    expect(await figures()).toContain('firebreak_questions_waiting 1\n');
    letGo();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('take no longer than they may, and are told to stop', async () => {
    const { api, letGo, signals } = await waitingApi();
    const { post } = await serve(api, { limits: { atOnce: 1, questionMs: 2000 } });
    const [first, second] = await Promise.all([post('/v1/trace', asked), post('/v1/trace', asked)]);
    expect([first.status, second.status].sort()).toEqual([503, 504]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    letGo();
  });

  it('are told to stop when whoever asked goes away', async () => {
    const { api, letGo, signals } = await waitingApi();
    const { url } = await serve(api);
    const gone = new AbortController();
    const headers = { authorization: `Bearer ${OFFICER}`, 'content-type': 'application/json' };
    const body = JSON.stringify(asked);
    const response = fetch(new URL('/v1/trace', url), { method: 'POST', headers, body, signal: gone.signal });
    response.catch(() => {});
    await until(() => signals.length === 1);
    expect(signals[0]?.aborted).toBe(false);
    gone.abort();
    await until(() => signals[0]?.aborted === true);
    letGo();
  });

  it('end when the tracer stops', async () => {
    const { api, letGo, signals } = await waitingApi();
    const { post, close } = await serve(api);
    const answer = post('/v1/trace', asked);
    await until(() => signals.length === 1);
    await close();
    expect(await refusalOf(await answer)).toMatchObject({ status: 503, code: 'closed' });
    letGo();
  });
});

describe('a request', () => {
  const limited = async (limits: Partial<ApiLimits>) => (await serve((await realApi()).api, { limits })).url;

  it('has a body within its bound, whether it says its length or not', async () => {
    const url = await limited({ bodyBytes: 100 });
    expect(await exchange(url, `${head(101)}${' '.repeat(101)}`)).toContain('413 Payload Too Large');
    const chunked = head(0).replace('content-length: 0', 'transfer-encoding: chunked');
    const text = await exchange(url, `${chunked}65\r\n${' '.repeat(101)}\r\n`);
    expect(text).toContain('413 Payload Too Large');
    expect(text).toContain('{"code":"size"');
  });

  it('has headers within their bound', async () => {
    const url = await limited({});
    const text = await exchange(url, `GET /v1/health HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(9_000)}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 431 .*\{"code":"size"[^\n]*\}$/s);
  });

  it('is HTTP', async () => {
    const text = await exchange(await limited({}), 'SSH-2.0-OpenSSH_9.2\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 .*nosniff.*\{"code":"format"[^\n]*\}$/s);
  });

  it.each([
    ['names its host', '', 400],
    ['expects nothing that nobody does', 'host: x\r\nexpect: x\r\n', 417],
  ])('%s, and is told when it does not', async (_what, lines, status) => {
    const bytes = `GET /openapi.json HTTP/1.1\r\n${lines}connection: close\r\n\r\n`;
    const text = await exchange(await limited({}), bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*nosniff.*\\{"code":"format"[^\\n]*\\}$`, 's'));
  });

  it('of HTTP/1.0 names none', async () => {
    const text = await exchange(await limited({}), 'GET /openapi.json HTTP/1.0\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([
    ['headers', 'POST /v1/trace HTTP/1.1\r\nhost: x\r\n', { headersMs: 200 }],
    ['a body', `${head(50)}{`, { headersMs: 200, requestMs: 200 }],
  ])('has %s that come in time', async (_what, bytes, limits) => {
    const url = await limited({ ...limits, checkEveryMs: 50 });
    expect(await exchange(url, bytes)).toContain('408 Request Timeout');
  });

  it('finds no connection beyond so many, and finds one again once others are silent', async () => {
    const url = await limited({ connections: 1, silentMs: 2000, headersMs: 60_000, requestMs: 60_000 });
    const silent = exchange(url, '');
    await pause(50);
    expect(await exchange(url, head(0))).toBe('');
    await silent;
    expect(await exchange(url, `${head(0)}`)).toContain('400 Bad Request');
  });
});
