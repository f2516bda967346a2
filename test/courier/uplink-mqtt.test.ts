import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openMqttUplink } from '../../courier/uplink-mqtt.js';
import type { Log, LogFields } from '../../protocol/log.js';
import { batchOf, certificateItem, issuer, noticeItem, officer, signerOf } from '../ledger/deployment.js';
import { ledgerStage, uplinkTo } from './stage.js';

const gateway = signerOf('gateway one');
const CONNACK = Buffer.from([0x20, 2, 0, 0]);

function recordingLog(): Log & { readonly said: { message: string; fields: LogFields | undefined }[] } {
  const said: { message: string; fields: LogFields | undefined }[] = [];
  const say = (message: string, fields?: LogFields): void => void said.push({ message, fields });
  return { said, info: say, warn: say, error: say };
}

/** A TCP server that does `onData` with what it is told. */
async function pretender(
  onData: (socket: Socket, data: Buffer) => void,
): Promise<{ url: string; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => onData(socket, data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return { url: `mqtt://127.0.0.1:${port}`, server };
}

/** Grants a connection and subscriptions, and acknowledges no PUBLISH. */
function withoutPuback(socket: Socket, data: Buffer): void {
  const kind = (data[0] ?? 0) >> 4;
  if (kind === 1) socket.write(CONNACK);
  if (kind === 8) socket.write(Buffer.from([0x90, 3, data[2] ?? 0, data[3] ?? 0, 1]));
}

/** Shorter than the 10 s a CONNECT and the 30 s a PUBACK may take, and long for a machine that is busy. */
const SOON_MS = 9_000;

const elapsed = async (work: Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work.catch(() => undefined);
  return performance.now() - started;
};

describe('an uplink', () => {
  it('says that no broker answers and what to look at, and gives up after the stated time with the reason', async () => {
    const log = recordingLog();
    const url = 'mqtt://127.0.0.1:1';
    const opening = openMqttUplink({ url, signer: officer, log, lastWill: '{}', patienceMs: 3000 });
    const error = await opening.then(
      () => undefined,
      (reason: Error & { code: string }) => reason,
    );
    expect(error).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/3 s.*127\.0\.0\.1:1.*see that it runs.*ECONNREFUSED/) as string,
    });
    expect(log.said.length).toBeGreaterThanOrEqual(2);
    expect(log.said.map(({ fields }) => fields?.['times'])).toEqual([1, 2, 4].slice(0, log.said.length));
    for (const { message, fields } of log.said) {
      expect(message).toContain('see that it runs, and that this is its address');
      expect(fields).toMatchObject({ broker: url, againInMs: expect.any(Number) as number });
    }
  });

  it('gives up in time on a server that says nothing, and stops at once when asked to', async () => {
    const { url } = await pretender(() => undefined);
    const deps = { url, signer: officer, log: recordingLog(), lastWill: '{}' };
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    const stopped = openMqttUplink({ ...deps, signal: stop.signal });
    expect(await elapsed(stopped)).toBeLessThan(SOON_MS);
    await expect(stopped).rejects.toMatchObject({ code: 'closed' });
    expect(await elapsed(openMqttUplink({ ...deps, patienceMs: 300 }))).toBeLessThan(SOON_MS);
  });

  it.each(['', 'nonsense', 'http://127.0.0.1', 'mqtt://'])('refuses %j as no MQTT URL', async (url) => {
    const opening = openMqttUplink({ url, signer: officer, log: recordingLog(), lastWill: '{}' });
    await expect(opening).rejects.toMatchObject({ code: 'input' });
  });

  it.each(['mqtt://192.0.2.7:1883', 'ws://ledger.example', 'mqtt://127.example'])(
    'does not go to %s without TLS, and says what to use',
    async (url) => {
      const opening = openMqttUplink({ url, signer: officer, log: recordingLog(), lastWill: '{}' });
      await expect(opening).rejects.toMatchObject({
        code: 'input',
        message: expect.stringMatching(/use (mqtts|wss):/) as string,
      });
    },
  );

  it('says what to do when the broker does not let it listen', async () => {
    const { url } = await pretender((socket, data) => {
      if ((data[0] ?? 0) >> 4 === 1) socket.write(CONNACK);
      if ((data[0] ?? 0) >> 4 === 8) socket.write(Buffer.from([0x90, 3, data[2] ?? 0, data[3] ?? 0, 0x80]));
    });
    const deps = { url, signer: officer, log: recordingLog(), lastWill: '{}', patienceMs: 3000 };
    await expect(openMqttUplink(deps)).rejects.toThrow('access rules');
  });

  it.each([4, 5])(
    'says where the login is that a broker refused with code %i, but not the login',
    async (code) => {
      const { url } = await pretender((socket) => socket.write(Buffer.from([0x20, 2, 0, code])));
      const login = { username: 'hub', password: 'wrong horse' };
      const log = recordingLog();
      const opening = openMqttUplink({ url, signer: officer, login, log, lastWill: '{}', patienceMs: 400 });
      await expect(opening).rejects.toThrow('does not accept the login in the file broker.login');
      expect(JSON.stringify(log.said)).not.toMatch(/wrong horse|clocks|certify/);
    },
  );

  it('says why it is offline while it is, and no more once it is online', async () => {
    let answer = Buffer.from([0x20, 2, 0, 4]);
    const { url } = await pretender((socket, data) => {
      if ((data[0] ?? 0) >> 4 === 1) socket.write(answer);
      else withoutPuback(socket, data);
    });
    const uplink = await uplinkTo(url, officer, { startsOffline: true });
    expect(uplink.trouble).toBeUndefined();
    await expect
      .poll(() => uplink.trouble ?? '')
      .toContain('do the clocks of this host and the ledger’s agree?');
    answer = CONNACK;
    await expect.poll(() => uplink.isOnline, { timeout: 20_000 }).toBe(true);
    expect(uplink.trouble).toBeUndefined();
  });

  it('asks again on the next connection for a topic whose subscription was lost with the last', async () => {
    let subscriptions = 0;
    const { url } = await pretender((socket, data) => {
      if ((data[0] ?? 0) >> 4 === 1) socket.write(CONNACK);
      if ((data[0] ?? 0) >> 4 !== 8) return;
      subscriptions += 1;
      if (subscriptions === 2) return void socket.destroy();
      const granted = data.includes('some/topic')
        ? [0x90, 4, data[2] ?? 0, data[3] ?? 0, 1, 1]
        : [0x90, 3, data[2] ?? 0, data[3] ?? 0, 1];
      socket.write(Buffer.from(granted));
    });
    const uplink = await uplinkTo(url, officer);
    await uplink.subscribe('some/topic', () => undefined);
    await expect.poll(() => subscriptions).toBe(3);
    await expect.poll(() => uplink.isOnline).toBe(true);
  });

  it('says what to do when the ledger does not know the writer, and connects once it does', async () => {
    const stage = await ledgerStage();
    const log = recordingLog();
    const opening = uplinkTo(stage.url, gateway, { log });
    await expect.poll(() => log.said.length).toBeGreaterThan(0);
    expect(log.said[0]?.fields?.['why']).toMatch(
      /the authority has to certify it.*last will that it may not/,
    );
    await stage.ledger.submit(batchOf(issuer, 1, [certificateItem(gateway)]));
    expect((await opening).isOnline).toBe(true);
  });

  it('makes a fresh token for each connection, comes back by itself, and hears its topics again', async () => {
    const stage = await ledgerStage();
    const uplink = await uplinkTo(stage.url, officer);
    const receipts: Uint8Array[] = [];
    uplink.onReceipt((receipt) => receipts.push(receipt));
    let online = 0;
    uplink.onOnline(() => (online += 1));
    await uplink.publishBatch(batchOf(officer, 1, [noticeItem('a')]));
    await expect.poll(() => receipts.length).toBe(1);
    await stage.down();
    await expect.poll(() => uplink.isOnline).toBe(false);
    await expect(uplink.publishBatch(new Uint8Array(1))).rejects.toMatchObject({ code: 'unreachable' });
    await stage.up();
    await expect.poll(() => uplink.isOnline).toBe(true);
    expect(online).toBe(2);
    await uplink.publishBatch(batchOf(officer, 2, [noticeItem('b')]));
    await expect.poll(() => receipts.length).toBe(2);
  });

  it('hears a topic asked for while it connects, and one asked for later', async () => {
    const stage = await ledgerStage();
    const authority = await uplinkTo(stage.url, issuer);
    await authority.publishRetained('firebreak/v1/authority/notices', Buffer.from('first'));
    const uplink = await uplinkTo(stage.url, officer);
    const heard: string[] = [];
    await uplink.subscribe('firebreak/v1/authority/notices', (bytes) =>
      heard.push(Buffer.from(bytes).toString()),
    );
    await expect.poll(() => heard).toEqual(['first']);
    await stage.down();
    void uplink.subscribe('firebreak/v1/authority/revocations', () => heard.push('revocations'));
    await stage.up();
    await expect.poll(() => authority.isOnline && uplink.isOnline).toBe(true);
    await authority.publishRetained('firebreak/v1/authority/revocations', Buffer.from('x'));
    await expect.poll(() => heard).toContain('revocations');
  });

  it('survives a listener that fails', async () => {
    const stage = await ledgerStage();
    const log = recordingLog();
    const uplink = await uplinkTo(stage.url, officer, { log });
    uplink.onReceipt(() => {
      throw new Error('a bad day');
    });
    await uplink.publishBatch(batchOf(officer, 1, [noticeItem('a')]));
    await expect
      .poll(() => log.said.map(({ message }) => message))
      .toContain('a message could not be handled');
    expect(uplink.isOnline).toBe(true);
  });

  it('ends a connection on which a message is not acknowledged, and makes another', async () => {
    let connections = 0;
    const { url } = await pretender((socket, data) => {
      if (data[0] === 0x10) connections += 1;
      withoutPuback(socket, data);
    });
    const uplink = await uplinkTo(url, officer, { pubackTimeoutMs: 300 });
    await expect(uplink.publishBatch(new Uint8Array(10))).rejects.toMatchObject({ code: 'timeout' });
    await expect.poll(() => connections).toBeGreaterThan(1);
  });

  it('holds a bounded number of messages without acknowledgement, and sends none of them again by itself', async () => {
    const published: number[] = [];
    const { url } = await pretender((socket, data) => {
      if ((data[0] ?? 0) >> 4 === 3) published.push(data.length);
      withoutPuback(socket, data);
    });
    const uplink = await uplinkTo(url, officer, { pubackTimeoutMs: 500 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 80 }, () => uplink.publishBatch(new Uint8Array(5))),
    );
    const codes = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'fulfilled',
    );
    expect(codes.filter((code) => code === 'full')).toHaveLength(16);
    expect(codes.filter((code) => code === 'timeout' || code === 'unreachable')).toHaveLength(64);
    const before = published.length;
    await expect.poll(() => uplink.isOnline).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(published).toHaveLength(before);
  });

  it('closes soon, also while a message waits, and while the broker is gone', async () => {
    const { url } = await pretender(withoutPuback);
    const waiting = await uplinkTo(url, officer);
    const publishing = waiting.publishBatch(new Uint8Array(5)).catch((error: Error) => error);
    expect(await elapsed(waiting.close())).toBeLessThan(SOON_MS);
    expect(await publishing).toBeInstanceOf(Error);
    const stage = await ledgerStage();
    const lost = await uplinkTo(stage.url, officer);
    await stage.down();
    expect(await elapsed(lost.close())).toBeLessThan(SOON_MS);
    await lost.close();
  });

  it.each([
    ['says that the broker is gone', false, ['the broker is gone; trying again']],
    ['does not, once it was asked to stop', true, []],
  ])('%s', async (_what, isStopping, says) => {
    const sockets: Socket[] = [];
    let connections = 0;
    const { url } = await pretender((socket, data) => {
      sockets.push(socket);
      if (data[0] === 0x10) connections += 1;
      withoutPuback(socket, data);
    });
    const [log, stop] = [recordingLog(), new AbortController()];
    const uplink = await openMqttUplink({ url, signer: officer, log, lastWill: '{}', signal: stop.signal });
    if (isStopping) stop.abort();
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => connections).toBe(2);
    await uplink.close();
    const said = log.said.map(({ message }) => message).filter((message) => message.includes('trying'));
    expect(said).toEqual(says);
  });

  it('never waits long for a status to be heard', async () => {
    const { url } = await pretender(withoutPuback);
    const uplink = await uplinkTo(url, officer);
    expect(await elapsed(uplink.publishStatus('{}'))).toBeLessThan(SOON_MS);
    await uplink.close();
    expect(await elapsed(uplink.publishStatus('{}'))).toBeLessThan(SOON_MS);
  });
});
