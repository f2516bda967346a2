/** What stands where a ledger is expected may answer anything, and as much as it likes. */
import { expect, test } from 'vitest';
import { askDays } from '../../ledger/http/days.js';
import { FirebreakError } from '../../protocol/errors.js';
import { answering } from '../answering.js';

test('whoever asks for the days of a ledger reads no more of an answer than days can be', async () => {
  const sent = { bytes: 0 };
  const url = await answering((_request, response) => {
    const part = Buffer.alloc(1024 * 1024, ' ');
    response.writeHead(200, { 'content-type': 'application/json' });
    const send = (): void => {
      if (sent.bytes === 128 * part.length) return void response.end('{"days": []}');
      sent.bytes += part.length;
      response.write(part, (error) => {
        if (!error) send();
      });
    };
    send();
  });
  await expect(askDays(url, 'sesame')).rejects.toMatchObject({ code: 'size' });
  expect(sent.bytes).toBeLessThan(64 * 1024 * 1024);
});

test.each([
  ['is no JSON', 200, 'hello'],
  ['is of another shape', 200, '{"days": [{}]}'],
  ['is an error', 404, '{"days": []}'],
])('an answer that %s is of no ledger of this version', async (_what, status, body) => {
  const url = await answering((_request, response) => void response.writeHead(status).end(body));
  await expect(askDays(url, 'sesame')).rejects.toMatchObject({ code: 'format' });
});

test('an answer that is cut off, as when the line goes down, is none', async () => {
  const url = await answering((_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"days": ', () => response.destroy());
  });
  await expect(askDays(url, 'sesame')).rejects.toMatchObject({ code: 'unreachable' });
});

test('what stands in front of a ledger that is down says so, and is not taken for a ledger of another version', async () => {
  const url = await answering((_request, response) => void response.writeHead(502).end('Bad Gateway'));
  await expect(askDays(url, 'sesame')).rejects.toMatchObject({ code: 'unreachable' });
});

test('whoever stops waiting for an answer is heard at once, with the reason given', async () => {
  const stop = new AbortController();
  const reason = new FirebreakError('closed', 'stopped');
  const url = await answering(() => stop.abort(reason));
  await expect(askDays(url, 'sesame', stop.signal)).rejects.toBe(reason);
});
