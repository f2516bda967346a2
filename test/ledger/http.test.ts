import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveLedgerHttp, type LedgerHttp, type LedgerHttpOptions } from '../../ledger/http/server.js';
import { BundleGzip, takesGzip } from '../../ledger/http/gzip.js';
import { openLedger } from '../../ledger/ledger.js';
import { filesOf } from '../../ledger/readers/log-files.js';
import { openLedgerReaderHttp } from '../../ledger/readers/reader-http.js';
import { toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { silentLog, type LogFields } from '../../protocol/log.js';
import { entriesPath, tilePath, tileWidthAt } from '../../protocol/tlog/tile.js';
import { batchOf, ledgerDeps, noticeItem, officer, temporaryFolder } from './deployment.js';

const TOKEN = 'a token of thirty-two characters';

async function served(changes: Partial<LedgerHttpOptions> = { payloadToken: TOKEN }): Promise<LedgerHttp> {
  const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
  await ledger.submit(
    batchOf(
      officer,
      1,
      Array.from({ length: 256 }, (_, i) => noticeItem(`${i}`)),
    ),
  );
  await ledger.submit(batchOf(officer, 2, [noticeItem('last')]));
  const options = { reader: ledger.reader(), port: 0, log: silentLog, ...changes };
  const http = await serveLedgerHttp(options);
  onTestFinished(async () => {
    await http.close();
    await ledger.close();
  });
  return http;
}

const headersOf = async (url: string) => {
  const { status, headers } = await fetch(url);
  return [status, headers.get('content-type'), headers.get('cache-control')];
};

function readAll(socket: Socket) {
  let length = 0;
  socket.on('data', (part) => (length += part.length)).on('error', () => {});
  return { bytes: () => length, closed: once(socket, 'close') };
}

describe("the ledger's HTTP", () => {
  test('serves checkpoint, tiles and bundles with the types and caching C2SP asks for', async () => {
    const { url } = await served();
    const forEver = [200, 'application/octet-stream', 'public, max-age=31536000, immutable'];
    expect(await headersOf(`${url}/checkpoint`)).toEqual([200, 'text/plain; charset=utf-8', 'no-cache']);
    expect(await headersOf(`${url}/tile/0/000`)).toEqual(forEver);
    expect(await headersOf(`${url}/tile/0/001.p/1`)).toEqual(forEver);
    expect(await headersOf(`${url}/tile/entries/000`)).toEqual(forEver);
    expect(await headersOf(`${url}/tile/entries/000.p/17`)).toEqual(forEver);
  });

  test.each([
    ['/', 404],
    ['/tile/0/001', 404],
    ['/tile/0/001.p/2', 404],
    ['/tile/entries/002.p/1', 404],
    ['/tile/0/000.p/256', 400],
    ['/tile/0/0', 400],
    ['/tile/%2F..%2Fhead', 400],
    ['/store/CURRENT', 404],
  ])('answers %s with %i', async (path, status) => {
    const { url } = await served();
    expect((await fetch(url + path)).status).toBe(status);
  });

  test('answers other methods with 405 and those it allows', async () => {
    const { url } = await served({ payloadToken: TOKEN, days: () => [] });
    const refused = async (path: string, method: string) => {
      const { status, headers } = await fetch(url + path, { method });
      return [status, headers.get('allow')];
    };
    expect(await refused('/checkpoint', 'POST')).toEqual([405, 'GET, HEAD']);
    expect(await refused('/tile/0/000', 'DELETE')).toEqual([405, 'GET, HEAD']);
    expect(await refused(`/payload/${'0'.repeat(64)}`, 'PUT')).toEqual([405, 'GET, HEAD']);
    expect(await refused('/days', 'POST')).toEqual([405, 'GET, HEAD']);
    expect(await refused('/payloads', 'GET')).toEqual([405, 'POST']);
    expect(await refused('/nothing', 'POST')).toEqual([404, null]);
    expect((await fetch(`${url}/checkpoint`, { method: 'HEAD' })).status).toBe(200);
  });

  test('gives payloads to nobody without the token', async () => {
    const { payload } = noticeItem('last');
    const path = `/payload/${toHex(sha256(payload))}`;
    const { url } = await served();
    const withToken = (token: string) => fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    const refused = await fetch(url + path);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await withToken(`${TOKEN}.`)).status).toBe(401);
    const given = await withToken(TOKEN);
    expect(Buffer.from(await given.arrayBuffer())).toEqual(Buffer.from(payload));
    expect(given.headers.get('cache-control')).toBe('no-store');

    const closed = await served({});
    expect((await fetch(closed.url + path, { headers: { authorization: 'Bearer undefined' } })).status).toBe(
      401,
    );
    const reader = openLedgerReaderHttp({ url, token: 'wrong' });
    await expect(reader.payloads([sha256(payload)])).rejects.toMatchObject({ code: 'permission' });
  });

  test('refuses a request for payloads that is too large or no whole hashes', async () => {
    const { url } = await served();
    const post = async (length: number) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      return (await fetch(`${url}/payloads`, { method: 'POST', headers, body: Buffer.alloc(length) })).status;
    };
    expect(await post(33)).toBe(400);
    expect(await post(0)).toBe(400);
    expect(await post(257 * 32)).toBe(413);
    expect(await post(256 * 32)).toBe(200);
  });

  test('does not take a request that was cut off for trouble of its own', async () => {
    const said: unknown[] = [];
    const log = { ...silentLog, error: (...line: unknown[]) => void said.push(line) };
    const http = await served({ payloadToken: TOKEN, log });
    const ask = request(`${http.url}/payloads`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-length': 64, expect: '100-continue' },
    });
    ask.on('error', () => undefined);
    ask.flushHeaders();
    await once(ask, 'continue');
    ask.destroy();
    await http.close();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(said).toEqual([]);
  });

  test.each(['permission', 'format', 'size', 'usage'] as const)(
    'does not blame who asks when its own store fails with %s, and keeps the words to its log',
    async (code) => {
      const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
      onTestFinished(() => ledger.close());
      const fail = () => Promise.reject(new FirebreakError(code, 'the folder /srv/ledger may not be read'));
      const reader = { ...ledger.reader(), tile: fail, payloads: fail };
      const said: unknown[] = [];
      const log = { ...silentLog, error: (_: string, fields?: LogFields) => void said.push(fields) };
      const { url } = await served({ reader, payloadToken: TOKEN, log });
      const answers = [
        await fetch(`${url}/tile/0/000.p/1`),
        await fetch(`${url}/payload/${'0'.repeat(64)}`, { headers: { authorization: `Bearer ${TOKEN}` } }),
      ];
      for (const answer of answers)
        expect([answer.status, await answer.text()]).toEqual([500, 'the ledger could not answer\n']);
      const why = { why: 'the folder /srv/ledger may not be read' };
      expect(said).toEqual([why, why]);
    },
  );

  test('writes few lines for one damaged tile that is asked for again and again, and counts the rest', async () => {
    const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
    onTestFinished(() => ledger.close());
    const fail = () => Promise.reject(new FirebreakError('damaged', 'tile 0/000'));
    const said: unknown[] = [];
    const log = { ...silentLog, error: (...line: unknown[]) => void said.push(line) };
    const reader = { ...ledger.reader(), tile: fail };
    const http = await serveLedgerHttp({ reader, port: 0, log });
    onTestFinished(() => http.close());
    for (let i = 0; i < 40; i++) expect((await fetch(`${http.url}/tile/0/000.p/1`)).status).toBe(500);
    await http.close();
    const message = 'the ledger could not answer a reader';
    expect(said).toHaveLength(11);
    expect(said.slice(7)).toEqual([
      [message, { why: 'tile 0/000' }],
      [message, { why: 'tile 0/000', leftOut: 7 }],
      [message, { why: 'tile 0/000', leftOut: 15 }],
      ['lines were left out', { of: message, why: 'tile 0/000', leftOut: 8 }],
    ]);
  });

  test('says when its port is in use', async () => {
    const { url } = await served();
    await expect(served({ port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining('the port is in use') as string,
    });
  });

  test('packs entry bundles for whoever takes gzip, and nothing else', async () => {
    const { url } = await served();
    const ask = async (path: string, accept: string, method = 'GET') => {
      const answer = await new Promise<IncomingMessage>((resolve, reject) =>
        request(url + path, { method, headers: { 'accept-encoding': accept } }, resolve)
          .on('error', reject)
          .end(),
      );
      const parts: Buffer[] = [];
      for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
      return { headers: answer.headers, body: Buffer.concat(parts) };
    };
    for (const path of ['/tile/entries/000', '/tile/entries/000.p/200']) {
      const plain = await ask(path, 'identity');
      const packed = await ask(path, 'br, gzip;q=0.8');
      expect(plain.headers).not.toHaveProperty('content-encoding');
      expect(packed.headers['content-encoding']).toBe('gzip');
      expect(packed.body.length).toBeLessThan(0.8 * plain.body.length);
      expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
      for (const { headers, body } of [plain, packed])
        expect(headers).toMatchObject({
          vary: 'accept-encoding',
          'content-length': String(body.length),
          'content-type': 'application/octet-stream',
          'cache-control': 'public, max-age=31536000, immutable',
        });
      const head = await ask(path, 'gzip', 'HEAD');
      expect(head.headers).toMatchObject({
        'content-encoding': 'gzip',
        'content-length': String(packed.body.length),
      });
      const bundle = await openLedgerReaderHttp({ url }).entryBundle(0, path.endsWith('200') ? 200 : 256);
      expect(plain.body.equals(bundle)).toBe(true);
    }
    for (const path of ['/tile/0/000', '/checkpoint', '/tile/entries/007'])
      expect((await ask(path, 'gzip')).headers).not.toHaveProperty('content-encoding');
  });

  test.each([
    ['gzip', true],
    ['GZIP', true],
    ['deflate, x-gzip', true],
    ['*', true],
    ['*;q=0, gzip;q=0.001', true],
    [undefined, false],
    ['', false],
    ['identity', false],
    ['br;q=1, deflate', false],
    ['gzip; q=0', false],
    ['gzip;q=0.000, *', false],
    ['gzip;q=much', false],
  ])('takes the Accept-Encoding %j as %j for gzip', (header, takes) => {
    expect(takesGzip(header)).toBe(takes);
  });

  test('is asked for packed bundles by a reader elsewhere, for plain ones by one on the same machine', async () => {
    const { url } = await served();
    const asked: unknown[] = [];
    const between = createServer((incoming, response) => {
      asked.push(incoming.headers['accept-encoding']);
      const { headers } = incoming;
      const forward = request(`${url}${incoming.url}`, { headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      forward.end();
    });
    await new Promise<void>((resolve) => between.listen(0, '0.0.0.0', resolve));
    onTestFinished(() => void between.close());
    const address = between.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const near = await openLedgerReaderHttp({ url: `http://127.0.0.1:${port}` }).entryBundle(0, 256);
    const far = await openLedgerReaderHttp({ url: `http://0.0.0.0:${port}` }).entryBundle(0, 256);
    expect(asked).toEqual(['identity', expect.stringContaining('gzip')]);
    expect(Buffer.from(far).equals(near)).toBe(true);
  });

  test('packs no more than two bundles at once, and sends the others as they are', async () => {
    const gzip = new BundleGzip();
    const bundle = Buffer.alloc(100_000, 'entry');
    const packed = await Promise.all(Array.from({ length: 5 }, () => gzip.pack(bundle)));
    expect(packed.map((one) => one?.length !== undefined)).toEqual([true, true, false, false, false]);
    expect(await gzip.pack(bundle)).toBeDefined();
    expect(await gzip.pack(randomBytes(1000))).toBeUndefined(); // would grow
  });

  test('serves the partial tiles of every size it published, each the beginning of the same', async () => {
    const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
    const sizes: number[] = [];
    for (const [seq, count] of [1, 7, 200, 47, 1, 120, 200, 3].entries()) {
      const items = Array.from({ length: count }, (_, i) => noticeItem(`${seq}/${i}`));
      await ledger.submit(batchOf(officer, seq, items));
      sizes.push(ledger.status().size);
    }
    const { url } = await served({ reader: ledger.reader() });
    onTestFinished(() => ledger.close());
    const bytesAt = async (path: string) => {
      const answer = await fetch(`${url}/${path}`);
      return answer.ok ? Buffer.from(await answer.arrayBuffer()) : undefined;
    };
    for (const size of sizes)
      for (const { path, address } of filesOf(size)) {
        const { index, width } = address;
        const level = address.kind === 'entries' ? 0 : address.level;
        const now = tileWidthAt(level, index, ledger.status().size);
        const whole = address.kind === 'entries' ? entriesPath(index, now) : tilePath(level, index, now);
        const part = await bytesAt(path);
        expect(part?.length, `${path} of ${size}`).toBeGreaterThanOrEqual(width * 32);
        expect((await bytesAt(whole))?.subarray(0, part?.length).equals(part ?? Buffer.alloc(0))).toBe(true);
      }
  });

  test('closes while connections are open', async () => {
    const http = await served();
    const socket = connect(Number(new URL(http.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const started = performance.now();
    await http.close();
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test('closes a connection that asks on without waiting for answers', async () => {
    const http = await served();
    const socket = connect(Number(new URL(http.url).port), '127.0.0.1');
    const answered = readAll(socket);
    const ask = 'GET /tile/entries/000 HTTP/1.1\r\nhost: l\r\n\r\n';
    socket.write(ask.repeat(8));
    await expect.poll(() => answered.bytes()).toBeGreaterThan(8 * 20_000);
    socket.write(ask.repeat(300));
    await answered.closed;
    expect(answered.bytes()).toBeLessThan(50 * 20_000);
  });

  const patient = {
    connections: 1,
    headersMs: 60_000,
    requestMs: 60_000,
    silentMs: 60_000,
    answerMs: 60_000,
    checkEveryMs: 50,
  };
  test.each([
    ['half a question', { headersMs: 2000 }, 'GET /checkpoint HTTP/1.1\r\n', 0],
    [
      'half a body',
      { headersMs: 2000, requestMs: 2000 },
      `POST /payloads HTTP/1.1\r\nhost: l\r\nauthorization: Bearer ${TOKEN}\r\ncontent-length: 32\r\n\r\n12`,
      0,
    ],
    ['no reading', { silentMs: 2000 }, 'GET /tile/entries/000 HTTP/1.1\r\nhost: l\r\n\r\n', 0],
    ['slow reading', { answerMs: 2000 }, 'GET /tile/entries/000 HTTP/1.1\r\nhost: l\r\n\r\n', 20_000],
  ])('gives the place of a connection with %s to the next', async (_, limits, words, readBytes) => {
    const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
    onTestFinished(() => ledger.close());
    const reader = { ...ledger.reader(), entryBundle: async () => Buffer.alloc(40_000_000) };
    const { url } = await served({ reader, payloadToken: TOKEN, limits: { ...patient, ...limits } });
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    await once(socket.pause(), 'connect');
    const reading = setInterval(() => void (readBytes > 0 && socket.read(readBytes)), 20);
    onTestFinished(() => {
      clearInterval(reading);
      socket.destroy();
    });
    socket.write(words);
    const status = () =>
      fetch(`${url}/checkpoint`, { signal: AbortSignal.timeout(1000) }).then(
        (answer) => answer.status,
        String,
      );
    expect(await status()).not.toBe(200);
    await expect.poll(status).toBe(200);
  });

  test('gives a coded error for a checkpoint that is not text', async () => {
    const server = createServer((_request, response) => void response.end(Buffer.from([0xff, 0xfe])));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const reader = openLedgerReaderHttp({ url: `http://127.0.0.1:${port}` });
    await expect(reader.checkpoint()).rejects.toMatchObject({ code: 'format' });
    await reader.close();
  });

  test('is unreachable when it is not there, and a reader gives up in time', async () => {
    // A port of the system's own: one that was just given back may be somebody else's by now.
    const reader = openLedgerReaderHttp({ url: 'http://127.0.0.1:2' });
    await expect(reader.checkpoint()).rejects.toMatchObject({ code: 'unreachable' });
    const never = await served({ reader: { ...reader, checkpoint: () => new Promise<string>(() => {}) } });
    const slow = openLedgerReaderHttp({ url: never.url, timeoutMs: 50 });
    await expect(slow.checkpoint()).rejects.toMatchObject({ code: 'timeout' });
    expect(() => openLedgerReaderHttp({ url: 'ledger.example' })).toThrow('is not the URL of a ledger');
  });
});
