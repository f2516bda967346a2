/** Asking a tracer over HTTP: what it refuses with, and waits that end. Of a trace and of a cluster alike. */
import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { askCluster } from '../../tracer/cluster/ask.js';
import { ask, askTracer } from '../../tracer/api/client.js';
import { answering } from '../answering.js';

const who = { officer: 'Dr. Ada', purpose: 'ward outbreak' };
const settings = { hops: 2, minSeconds: 300, latentSeconds: 0 };
const clients = {
  trace: (url: string, signal?: AbortSignal) =>
    askTracer(url, 'secret', { ...who, request: { ...settings, case: '1', direction: 'forward' } }, signal),
  cluster: (url: string, signal?: AbortSignal) =>
    askCluster(
      url,
      'secret',
      { ...who, request: { ...settings, cases: [{ tag: '1' }, { tag: '2' }] } },
      signal,
    ),
};

const refusing = (status: number, answer: unknown): RequestListener => {
  return (_asked, response) => void response.writeHead(status).end(JSON.stringify(answer));
};

describe.each(['trace', 'cluster'] as const)('a %s asked of a tracer that runs', (what) => {
  const asks = clients[what];

  it.each(['not-found', 'input', 'permission', 'timeout', 'full', 'size', 'sealing', 'damaged'])(
    'is refused with the code that the tracer gives: %s',
    async (code) => {
      const url = await answering(refusing(503, { code, message: 'so it is' }));
      await expect(asks(url)).rejects.toMatchObject({ code, message: 'so it is' });
    },
  );

  it('is refused as by one that is closed with another code, or none', async () => {
    const odd = await answering(refusing(500, { code: 'moon', message: 'full moon' }));
    await expect(asks(odd)).rejects.toMatchObject({ code: 'closed', message: 'full moon' });
    const none = await answering(refusing(500, {}));
    const message = `the tracer at ${none} refused the question`;
    await expect(asks(none)).rejects.toMatchObject({ code: 'closed', message });
  });

  it('is waited for no longer when it is called off, and says that the look may stand', async () => {
    const gone = new AbortController();
    const url = await answering(() => gone.abort());
    await expect(asks(url, gone.signal)).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringContaining('; the look may be recorded') as string,
    });
    await expect(asks(url, AbortSignal.abort())).rejects.toMatchObject({ code: 'closed' });
  });

  it('says of no tracer that none answers', async () => {
    await expect(asks('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'unreachable' });
    const page = await answering((_asked, response) => void response.end('<html>'));
    await expect(asks(page)).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a wait for a tracer', () => {
  const limits = { limitMs: 20, whenLate: 'ask for less' };
  const silences = [
    ['nothing comes', () => undefined],
    ['an answer begins and does not end', (_asked, response) => void response.write('{"code":')],
  ] satisfies [string, RequestListener][];

  it.each(silences)('ends where %s, and says that the look may stand', async (_what, answer) => {
    const url = await answering(answer);
    await expect(ask(url, '', '/v1/cluster', {}, limits)).rejects.toMatchObject({
      code: 'timeout',
      message: `the tracer at ${url} takes too long; ask for less; the look may be recorded`,
    });
  });

  it.each(silences)('that asks about nobody ends where %s, and speaks of no look', async (_what, answer) => {
    const url = await answering(answer);
    await expect(ask(url, '', '/v1/health', undefined, limits)).rejects.toMatchObject({
      ...{ code: 'timeout', message: `the tracer at ${url} takes too long; ask for less` },
    });
  });
});
