/** Several questions on one connection before the first is answered (RFC 9112, "Pipelining"). */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { unlessAborted } from '../../../host/time-limit.js';
import type { TracerApi } from '../../../tracer/api/contract.js';
import { OFFICER, realApi, serve } from './stage.js';

const request = { case: '1', direction: 'forward', hops: 3, minSeconds: 900, latentSeconds: 0 };
const body = JSON.stringify({ purpose: 'ward outbreak', request });
const question =
  `POST /v1/trace HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${OFFICER}\r\n` +
  `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

/** Two questions on one connection, of which the second is answered and the first waits to be let go. */
async function twoAsked() {
  const { api } = await realApi();
  const signals: AbortSignal[] = [];
  let letGo: () => void = () => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const trace: TracerApi['trace'] = async (asked, asking) => {
    if (signals.push(asking.signal) === 1) await gate;
    return api.trace(asked, asking);
  };
  const { url, get } = await serve({ ...api, trace });
  const figures = async (): Promise<string> => (await get('/metrics')).text();
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(question + question));
  onTestFinished(() => void socket.destroy());
  await expect.poll(figures, POLLING).toContain('firebreak_questions_sending 1\n');
  return { socket, signals, letGo, figures };
}

const POLLING = { timeout: 20_000 };

function textFrom(socket: Socket): () => string {
  let text = '';
  socket.on('data', (piece: Buffer) => void (text += piece.toString()));
  return () => text;
}

/** The entries that record the answered looks, in the order of the answers. */
const looksIn = (text: string): number[] =>
  [...text.matchAll(/"accessIndex":(\d+)/g)].map(([, index]) => Number(index));

describe('questions that are sent one behind the other', () => {
  it('are answered in their order', async () => {
    const { socket, letGo, figures } = await twoAsked();
    const text = textFrom(socket);
    letGo();
    await expect.poll(() => text().match(/HTTP\/1\.1 200 OK/g)?.length, POLLING).toBe(2);
    await expect.poll(() => looksIn(text()), POLLING).toHaveLength(2);
    const [first = 0, second = 0] = looksIn(text());
    expect(first).toBeGreaterThan(second); // which was worked on while the first had to wait
    await expect.poll(figures, POLLING).toContain('firebreak_questions_sending 0\n');
  });

  it('let go of their places when the connection ends', async () => {
    const { socket, signals, letGo, figures } = await twoAsked();
    socket.destroy();
    await expect.poll(figures, POLLING).toContain('firebreak_questions_sending 0\n');
    await expect.poll(() => signals[0]?.aborted, POLLING).toBe(true);
    letGo();
    await expect.poll(figures, POLLING).toContain('firebreak_questions_working 0\n');
  });

  it('are refused one as the other when the tracer stops between them', async () => {
    const { api } = await realApi();
    const signals: AbortSignal[] = [];
    const trace: TracerApi['trace'] = (_asked, { signal }) => {
      signals.push(signal);
      return unlessAborted(new Promise<never>(() => undefined), signal);
    };
    const { url, close } = await serve({ ...api, trace });
    const { hostname, port } = new URL(url);
    const begun = question.slice(0, 20); // so that the connection is in use while the server closes
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(question + begun));
    onTestFinished(() => void socket.destroy());
    const text = textFrom(socket);
    const ended = once(socket, 'close');
    await expect.poll(() => signals.length, POLLING).toBe(1);
    const closed = close();
    await expect.poll(text, { ...POLLING, interval: 1 }).toContain('the tracer is stopping');
    socket.write(question.slice(20));
    await ended;
    await closed;
    const refused = '{"code":"closed","message":"the tracer is stopping"}';
    expect(text().split(refused)).toHaveLength(3);
    expect(signals).toHaveLength(1);
  });

  it('are told to stop when the connection ends', async () => {
    const { api } = await realApi();
    const signals: AbortSignal[] = [];
    const trace: TracerApi['trace'] = (_asked, { signal }) => {
      signals.push(signal);
      return unlessAborted(new Promise<never>(() => undefined), signal);
    };
    const { url } = await serve({ ...api, trace });
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(question + question));
    await expect.poll(() => signals.length, POLLING).toBe(2);
    socket.destroy();
    await expect.poll(() => signals.map(({ aborted }) => aborted), POLLING).toEqual([true, true]);
  });
});
