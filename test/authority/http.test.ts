import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { enrolByWire, renewByWire, timeByWire } from '../../authority/credentials/enrolment-client.js';
import { memoryDayKeyStore } from '../../authority/days/day-key-store-memory.js';
import { openEnrolmentHttp, type EnrolmentHttp, type EnrolmentService } from '../../authority/http.js';
import { listenOn } from '../../host/listen.js';
import { asTagNumber } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { DayKeys } from '../../protocol/keys.js';
import { silentLog, type Log, type LogFields } from '../../protocol/log.js';
import { AskingTag, newAuthority, TODAY } from './fixture.js';

const opened: EnrolmentHttp[] = [];
afterEach(async () => {
  for (const http of opened.splice(0)) await http.close();
});

async function serve(service: EnrolmentService, log = silentLog): Promise<string> {
  const http = await openEnrolmentHttp({ service, log });
  opened.push(http);
  return `http://127.0.0.1:${http.port}`;
}

const echo: EnrolmentService = {
  enrol: async (request, tag) => Uint8Array.of(...request, tag ?? 255),
  renew: async (report) => report,
};
const failing = (error: Error): EnrolmentService => ({
  enrol: async () => {
    throw error;
  },
  renew: async () => {
    throw error;
  },
});
const send = (url: string, init: RequestInit = {}) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, ...init });

describe('the time by wire', () => {
  it('is the authority’s, and refused where nobody is told', async () => {
    const { world } = await newAuthority();
    const url = await serve({ ...echo, nowMs: () => world.clock.nowMs() });
    expect(await timeByWire({ url })).toBe(TODAY * 86_400_000);
    await expect(timeByWire({ url: await serve(echo) })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('enrolment by wire', () => {
  it('enrols and renews a tag as the authority itself does', async () => {
    const { authority } = await newAuthority();
    const url = await serve(authority);
    const tag = new AskingTag('a');
    const pack = tag.open(await enrolByWire({ url }, tag.firstRequest(TODAY, 7), asTagNumber(9)));
    expect(pack.days).toHaveLength(7);
    const next = tag.open(await renewByWire({ url }, tag.renewal(pack, TODAY, TODAY + 7, 7)));
    expect(next.firstDay).toBe(TODAY + 7);
  });

  it('hands the number on, and none when none is given', async () => {
    const url = await serve(echo);
    expect([...(await enrolByWire({ url }, Uint8Array.of(1), asTagNumber(9)))]).toEqual([1, 9]);
    expect([...(await enrolByWire({ url }, Uint8Array.of(1)))]).toEqual([1, 255]);
  });

  it('hands on why the authority refused', async () => {
    const url = await serve(failing(new FirebreakError('exists', 'this tag number is enrolled')));
    const refused = enrolByWire({ url }, Uint8Array.of(1));
    await expect(refused).rejects.toEqual(
      expect.objectContaining({ code: 'exists', message: 'this tag number is enrolled' }),
    );
  });

  it.each(['', '-1', '1e3', '0x10', '281474976710656', '9'.repeat(16)])(
    'refuses the tag number "%s"',
    async (number) => {
      const url = await serve(echo);
      const response = await send(`${url}/enrol?tag=${number}`, { body: Uint8Array.of(1) });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ message: expect.stringContaining('tag') as string });
    },
  );

  it('answers one line of JSON to whatever it does not know', async () => {
    const url = await serve(echo);
    for (const response of [await send(`${url}/else`), await fetch(`${url}/enrol`)]) {
      expect(response.status).toBe(404);
      expect(await response.text()).toMatch(/^\{"code":"not-found","message":"[^\n]+"\}\n$/);
    }
  });

  it('finds nothing at a path that is no address, and blames itself for none', async () => {
    const said: string[] = [];
    const error = (message: string) => void said.push(message);
    const url = new URL(await serve(echo, { ...silentLog, error }));
    for (const path of ['/\\[', '/\\a:99999', '//[']) {
      const asked = httpRequest({ port: url.port, method: 'POST', path });
      const [response] = (await once(asked.end(), 'response')) as [IncomingMessage];
      expect(response.resume().statusCode).toBe(404);
    }
    expect(said).toEqual([]);
  });

  it('is found below the path of a proxy', async () => {
    const paths: (string | undefined)[] = [];
    const proxy = createServer((request, response) => {
      paths.push(request.url);
      request.resume().on('end', () => response.end(Uint8Array.of(1)));
    });
    const { port } = await listenOn(proxy, '127.0.0.1', 0, 'a proxy');
    const url = `http://127.0.0.1:${port}/firebreak`;
    await enrolByWire({ url }, Uint8Array.of(1), asTagNumber(9));
    await renewByWire({ url: `${url}/` }, Uint8Array.of(1));
    expect(paths).toEqual(['/firebreak/enrol?tag=9', '/firebreak/renew']);
    proxy.closeAllConnections();
    proxy.close();
  });

  it('refuses what a web page could send without being asked', async () => {
    const url = await serve(echo);
    const response = await fetch(`${url}/enrol`, { method: 'POST', body: 'x' });
    expect(response.status).toBe(400);
  });

  it('refuses a body longer than any request', async () => {
    const url = await serve(echo);
    const tooLong = enrolByWire({ url }, new Uint8Array(40_000));
    await expect(tooLong).rejects.toMatchObject({
      code: expect.stringMatching(/size|unreachable/) as string,
    });
    const small = await enrolByWire({ url }, Uint8Array.of(1));
    expect(small).toHaveLength(2);
  });

  const failed = [
    500,
    { code: 'damaged', message: 'the authority failed to answer; its log says why' },
  ] as const;
  const noRoom = { code: 'full', message: 'the authority has no room at this time; try again later' };

  it.each([
    ['an error that nobody foresaw', new Error('key 00112233'), failed],
    [
      'a day key file that is damaged',
      new FirebreakError('damaged', '/srv/day-keys/00112233.key: cut short'),
      failed,
    ],
    [
      'a spool that has no room',
      new FirebreakError('full', 'the spool in /srv/00112233 cannot be written'),
      [503, noRoom] as const,
    ],
  ])('says what failed inside to its own log alone: %s', async (_what, error, [status, answer]) => {
    const said: string[] = [];
    const note = (_message: string, fields?: LogFields) => void said.push(JSON.stringify(fields));
    const log: Log = { info: () => {}, warn: () => {}, error: note };
    const url = await serve(failing(error), log);
    const response = await send(`${url}/enrol`, { body: Uint8Array.of(1) });
    expect([response.status, await response.json()]).toEqual([status, answer]);
    expect(said).toEqual([expect.stringContaining('00112233')]);
  });

  it.each(['input', 'unconfirmed', 'exists'] as const)(
    'says what kept day keys from being written to its own log alone: %s',
    async (code) => {
      const said: string[] = [];
      const dayKeys = memoryDayKeyStore();
      const put = async (keys: DayKeys): Promise<void> => {
        if (keys.day > TODAY + 1) throw new FirebreakError(code, '/srv/day-keys/00112233.key');
        await dayKeys.put(keys);
      };
      const { authority } = await newAuthority({ dayKeys: { ...dayKeys, put } });
      const error = (_message: string, fields?: LogFields) => void said.push(JSON.stringify(fields));
      const url = await serve(authority, { ...silentLog, error });
      const body = new Uint8Array(new AskingTag('a').firstRequest(TODAY, 7));
      const response = await send(`${url}/enrol`, { body });
      expect([response.status, await response.json()]).toEqual(failed);
      expect(said).toEqual([expect.stringContaining('00112233')]);
    },
  );

  it('fills no log with one trouble that many meet', async () => {
    let said = 0;
    const url = await serve(failing(new Error('the disk did not answer')), {
      ...silentLog,
      error: () => void (said += 1),
    });
    for (let k = 0; k < 20; k += 1) await (await send(`${url}/renew`, { body: Uint8Array.of(1) })).text();
    expect(said).toBe(9); // the first 8, and the 16th
  });

  it('refuses what comes while it has its hands full', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const url = await serve({ ...echo, enrol: (request) => gate.then(() => request) });
    const asked = Array.from({ length: 40 }, () =>
      enrolByWire({ url }, Uint8Array.of(1)).then(
        () => 'answered',
        (error: unknown) => {
          release();
          return error instanceof FirebreakError ? error.code : 'crashed';
        },
      ),
    );
    const outcomes = await Promise.all(asked);
    expect(new Set(outcomes)).toEqual(new Set(['answered', 'busy']));
    expect(outcomes.filter((outcome) => outcome === 'answered').length).toBeGreaterThanOrEqual(32);
  });

  it('is not held up by those who send their bodies slowly', async () => {
    const url = await serve(echo);
    const port = Number(new URL(url).port);
    const slow = Array.from({ length: 64 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    for (const socket of slow)
      socket.write(
        'POST /renew HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nContent-Length: 20000\r\n\r\nx',
      );
    await Promise.all(slow.map((socket) => once(socket, 'ready')));
    await new Promise((resolve) => setTimeout(resolve, 200)); // the first bytes are in
    expect(await renewByWire({ url }, Uint8Array.of(5))).toEqual(Uint8Array.of(5));
    for (const socket of slow) socket.destroy();
  });

  it('survives a caller that leaves in the middle of its request', async () => {
    const url = await serve(echo);
    const port = Number(new URL(url).port);
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          'POST /enrol HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nContent-Length: 99\r\n\r\nabc',
        );
        socket.destroySoon();
        socket.once('close', () => resolve());
      });
    });
    expect(await enrolByWire({ url }, Uint8Array.of(1))).toHaveLength(2);
  });

  it('survives a path that is no path', async () => {
    const url = new URL(await serve(echo));
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asking = httpRequest(
        { port: url.port, host: url.hostname, path: '//', method: 'POST' },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      asking.once('error', reject).end();
    });
    expect(status).toBe(404);
  });

  it('says that its port is taken', async () => {
    const port = Number(new URL(await serve(echo)).port);
    await expect(openEnrolmentHttp({ service: echo, log: silentLog, port })).rejects.toMatchObject({
      code: 'port-in-use',
    });
  });

  it('says that it cannot listen on an address of another machine', async () => {
    const host = '192.0.2.1';
    await expect(openEnrolmentHttp({ service: echo, log: silentLog, host })).rejects.toMatchObject({
      code: 'input',
      message: expect.stringContaining(host) as string,
    });
  });
});

describe('what may be made public', () => {
  const { renew } = echo;

  it('renews, and enrols nobody, but says where that is done', async () => {
    const url = await serve({ renew });
    expect(await renewByWire({ url }, Uint8Array.of(5))).toEqual(Uint8Array.of(5));
    for (const tag of [undefined, asTagNumber(17)])
      await expect(enrolByWire({ url }, Uint8Array.of(1), tag)).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringContaining('at the desk') as string,
      });
  });

  it('tells nobody which numbers are given', async () => {
    const { authority } = await newAuthority();
    await authority.enrol(new AskingTag('a').firstRequest(TODAY, 1), asTagNumber(17));
    const url = await serve({ renew: (report) => authority.renew(report) });
    const answers = [17, 18].map(async (tag) => {
      const response = await send(`${url}/enrol?tag=${tag}`, { body: Uint8Array.of(1) });
      return [response.status, await response.text()];
    });
    const [taken, free] = await Promise.all(answers);
    expect(taken).toEqual(free);
    expect(taken?.[0]).toBe(404);
  });
});

it('closes a connection that does not read its answer', async () => {
  const long = { ...echo, enrol: async () => new Uint8Array(40_000_000) };
  const http = await openEnrolmentHttp({ service: long, log: silentLog, silentMs: 200 });
  opened.push(http);
  const socket = connect(http.port, '127.0.0.1').on('error', () => {});
  const words = [
    'POST /enrol HTTP/1.1',
    'host: a',
    'content-type: application/octet-stream',
    'content-length: 0',
  ];
  socket.pause().write(`${words.join('\r\n')}\r\n\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  let length = 0;
  socket.on('data', (part) => (length += part.length)).resume();
  await once(socket, 'close');
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(40_000_000);
});

describe('a tag that asks by wire', () => {
  it('is told that nobody is there', async () => {
    const http = await openEnrolmentHttp({ service: echo, log: silentLog });
    await http.close();
    const asked = enrolByWire({ url: `http://127.0.0.1:${http.port}` }, Uint8Array.of(1));
    await expect(asked).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('does not wait for ever', async () => {
    const url = await serve({ ...echo, enrol: () => new Promise(() => {}) });
    await expect(enrolByWire({ url, timeoutMs: 50 }, Uint8Array.of(1))).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  it('stops waiting when told to', async () => {
    const url = await serve({ ...echo, enrol: () => new Promise(() => {}) });
    const stop = new AbortController();
    const asked = enrolByWire({ url, signal: stop.signal }, Uint8Array.of(1));
    stop.abort(new Error('told to'));
    await expect(asked).rejects.toThrow('told to');
  });
});
