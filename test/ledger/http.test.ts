import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveLedgerHttp, type LedgerHttp, type LedgerHttpOptions } from '../../ledger/http.js';
import { openLedger } from '../../ledger/ledger.js';
import { openLedgerReaderHttp } from '../../ledger/reader-http.js';
import { toHex } from '../../protocol/bytes.js';
import { sha256 } from '../../protocol/hash.js';
import { silentLog } from '../../protocol/log.js';
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

  test('answers other methods with 405', async () => {
    const { url } = await served();
    expect((await fetch(`${url}/checkpoint`, { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await fetch(`${url}/tile/0/000`, { method: 'DELETE' })).status).toBe(405);
    expect((await fetch(`${url}/payloads`)).status).toBe(405);
    expect((await fetch(`${url}/checkpoint`, { method: 'HEAD' })).status).toBe(200);
  });

  test('gives payloads to nobody without the token', async () => {
    const { payload } = noticeItem('last');
    const path = `/payload/${toHex(sha256(payload))}`;
    const { url } = await served();
    const withToken = (token: string) => fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    expect((await fetch(url + path)).status).toBe(401);
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

  test('says when its port is in use', async () => {
    const { url } = await served();
    await expect(served({ port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining('the port is in use') as string,
    });
  });

  test('closes while connections are open', async () => {
    const http = await served();
    const socket = connect(Number(new URL(http.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const started = performance.now();
    await http.close();
    expect(performance.now() - started).toBeLessThan(3000);
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
