/** A huge answer holds nothing up, and a reader that does not read holds little. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { TracerApi } from '../../../tracer/api/contract.js';
import type { LookUpAnswer } from '../../../tracer/looks/trace-message.js';
import type { ReachedPerson } from '../../../tracer/looks/trace-result.js';
import { OFFICER, realApi, serve } from './stage.js';

const ROWS = 100_000;
const request = { case: '1', direction: 'forward', hops: 3, minSeconds: 900, latentSeconds: 0 };
const asked = { purpose: 'a city', request };

/** A row of about half a kilobyte; `onWritten` is told each time one is written out. */
function rowsOf(onWritten: () => void): ReachedPerson[] {
  const step = {
    from: '1',
    to: '2',
    start: 1_700_000_000,
    end: 1_700_000_900,
    nearSeconds: 900,
    mutual: true,
  };
  const path = Array.from({ length: 4 }, (_, k) => ({ ...step, ledger: [k, k + 1_000_000] }));
  const row = { hop: 4, exposedAt: 1_700_000_900, earliestAt: 1_700_000_900, score: 0.5, path };
  return Array.from({ length: ROWS }, (_, k) => ({
    ...row,
    get person() {
      onWritten();
      return String(k);
    },
  }));
}

/** Answers as a tracer of a city would, in an instant. */
async function cityApi(): Promise<{ api: TracerApi; written: () => number; answer: LookUpAnswer }> {
  let written = 0;
  const { api } = await realApi();
  const reached = rowsOf(() => void (written += 1));
  const answer: LookUpAnswer = {
    accessIndex: 7,
    result: { ...request, direction: 'forward', from: 0, to: 9, reachedCount: ROWS, reached },
  };
  return { api: { ...api, trace: async () => answer }, written: () => written, answer };
}

/** Sends the question and reads nothing until it is told to. */
async function askAndSit(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  await new Promise((resolve) => socket.once('connect', resolve));
  const body = JSON.stringify(asked);
  const lines = [
    'POST /v1/trace HTTP/1.1',
    'host: tracer',
    `authorization: Bearer ${OFFICER}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  return socket;
}

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 10) {
    if (waited > 50_000) throw new Error('it did not happen');
    await pause(10);
  }
}

/** The number, once it has not changed for a third of a second. */
async function steady(read: () => number): Promise<number> {
  for (let known = NaN; known !== read(); await pause(333)) known = read();
  return read();
}

describe('an answer of a hundred thousand people', () => {
  let timer: NodeJS.Timeout | undefined;
  afterEach(() => clearInterval(timer));

  it('is written row by row while timers go on', async () => {
    const { api, written } = await cityApi();
    const { post } = await serve(api);
    const begun = performance.now();
    let [ticks, longest, last] = [0, 0, begun];
    timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      ticks += 1;
    }, 5);
    const response = await post('/v1/trace', asked);
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body ?? []) pieces.push(piece as Uint8Array);
    clearInterval(timer);
    expect(written()).toBe(ROWS);
    expect(ticks).toBeGreaterThan(20);
    expect(longest).toBeLessThan((last - begun) / 2); // all of it in one go ticks not once
    const { result } = JSON.parse(Buffer.concat(pieces).toString()) as LookUpAnswer;
    expect(result.reached.length).toBe(ROWS);
    expect(result.reached.at(-1)?.person).toBe(String(ROWS - 1));
  });

  it('is written no further than a reader reads, and to its end once that goes on', async () => {
    const { api, written, answer } = await cityApi();
    const { url } = await serve(api);
    const socket = await askAndSit(url);
    await until(() => written() > 0);
    expect(await steady(written)).toBeLessThan(ROWS / 4); // what the sockets of this machine hold, and two buffers
    let tail = '';
    socket.on('data', (piece: Buffer) => void (tail = (tail + piece.toString('latin1')).slice(-2_000)));
    socket.resume();
    await until(() => tail.endsWith('\r\n0\r\n\r\n'));
    expect(written()).toBe(answer.result.reached.length);
    expect(tail).toContain(`"person":"${ROWS - 1}"`);
  });

  it('is cut off from a reader that does not read, says so, and gives its place to the next', async () => {
    const { api, written } = await cityApi();
    const limits = { sliceMs: 500, atOnce: 1, sending: 0 };
    const { url, post, get, lines } = await serve(api, { limits });
    const socket = await askAndSit(url);
    await until(() => written() > 0);
    const small = { ...asked, request: { person: '2' } };
    const next = post('/v1/contacts', small); // waits for the place that the reader holds
    expect((await next).status).toBe(200);
    expect(written()).toBeLessThan(ROWS / 4);
    expect(lines.join()).toContain('its reader was cut off');
    expect(await (await get('/metrics')).text()).toContain('firebreak_http_cut_off_total 1\n');
    let text = '';
    socket.on('data', (piece: Buffer) => void (text += piece.toString('latin1').slice(-20)));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    await closed;
    expect(text.endsWith('0\r\n\r\n')).toBe(false); // whoever reads it sees that it broke off
  });

  it('has an end for a reader that trickles, too', async () => {
    const { api } = await cityApi();
    const { url, lines } = await serve(api, { limits: { answerMs: 400 } });
    const socket = await askAndSit(url);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const trickle = setInterval(() => {
      socket.resume();
      setImmediate(() => socket.pause());
    }, 40);
    await until(() => lines.join().includes('its reader was cut off'));
    clearInterval(trickle);
    setImmediate(() => socket.resume()); // after a pause that is still to come
    await closed;
  });

  it('is not written on for a reader that has gone', async () => {
    const { api, written } = await cityApi();
    const { url, get } = await serve(api);
    const socket = await askAndSit(url);
    await until(() => written() > 0);
    socket.destroy();
    expect(await steady(written)).toBeLessThan(ROWS / 4);
    expect(await (await get('/metrics')).text()).toContain('firebreak_questions_sending 0\n');
  });
});
