import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { liveClock } from '../../host/clock-live.js';
import { asUnixMs } from '../../protocol/brands.js';
import type { Clock } from '../../protocol/clock.js';
import { silentLog } from '../../protocol/log.js';
import { openMemoryAir } from '../../radio/air/air-memory.js';
import { openReplayAir } from '../../radio/air/air-replay-hosted.js';
import { connectAir } from '../../radio/socket/air-socket-client.js';
import type { SocketRadio } from '../../radio/socket/air-socket-client.js';
import { serveAir } from '../../radio/socket/air-socket-server.js';
import type { AirServer } from '../../radio/socket/air-socket-server.js';
import type { AdvertiserSettings, Sighting } from '../../radio/contract.js';
import { MAX_FRAME_BYTES, FrameReader, encodeFrame } from '../../radio/socket/socket-frames.js';
import { endProcess, startAirProcess } from './stages.js';

const START = 1_700_006_400_000;
const ADVERT: AdvertiserSettings = {
  address: 'c0ffee000001',
  advert: Uint8Array.of(2, 1, 6),
  txPowerDbm: 0,
  intervalMs: 20,
  phaseMs: 0,
  jitter: 0,
  connectable: true,
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    expect(tries, 'waited too long').toBeLessThan(5_000);
    await pause(10);
  }
}

describe('an air behind a socket', () => {
  let folder: string;
  let at: { path: string };
  const open: { close(): Promise<void> }[] = [];
  const kept = <T extends { close(): Promise<void> }>(closable: T): T => {
    open.push(closable);
    return closable;
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'air-'));
    at = { path: join(folder, 'air.sock') };
  });
  afterEach(async () => {
    for (const closable of open.splice(0).reverse()) await closable.close();
    await rm(folder, { recursive: true });
  });

  const serve = async (): Promise<AirServer> => {
    const air = kept(openMemoryAir({ clock: liveClock(), seed: 1 }));
    return kept(await serveAir({ at, join: ({ name, place }) => air.join(name, place), log: silentLog }));
  };
  const joined = async (name: string): Promise<SocketRadio> => kept(await connectAir({ at, name }));
  const raw = async (): Promise<Socket> => {
    const socket = connect(at);
    await once(socket, 'connect');
    return socket;
  };

  it('says what to do when it is not running', async () => {
    const connecting = connectAir({ at, name: 'tag', patienceMs: 150 });
    await expect(connecting).rejects.toMatchObject({
      code: 'unreachable',
      message: 'the air is not running; start it with: firebreak air run',
    });
  });

  it('is found by a process that started before it', async () => {
    const connecting = connectAir({ at, name: 'tag' });
    await pause(150);
    await serve();
    kept(await connecting);
  });

  it('replaces the socket file of a killed air, and leaves a living one alone', async () => {
    const killed = startAirProcess('host', at.path);
    await once(killed, 'message');
    await expect(serve()).rejects.toMatchObject({ code: 'port-in-use' });
    await endProcess(killed);
    expect((await stat(at.path)).isSocket()).toBe(true);
    await serve();
    await joined('tag');
    expect((await stat(at.path)).mode & 0o777).toBe(0o600);
  });

  it('leaves a file that is no socket alone', async () => {
    await writeFile(at.path, 'notes');
    await expect(serve()).rejects.toMatchObject({ code: 'port-in-use' });
    expect((await stat(at.path)).size).toBe(5);
  });

  it.each([
    ['a path too long for a socket', { path: `/tmp/${'x'.repeat(110)}` }],
    ['a host that is not this machine', { host: '192.0.2.1', port: 4_000 }],
  ])('refuses %s', async (_, address) => {
    await expect(connectAir({ at: address, name: 'tag' })).rejects.toMatchObject({ code: 'input' });
    const serving = serveAir({
      at: address,
      join: () => Promise.reject(new Error()) as never,
      log: silentLog,
    });
    await expect(serving).rejects.toMatchObject({ code: 'input' });
  });

  it('gives a name to one process at a time', async () => {
    const server = await serve();
    const first = await joined('tag');
    await expect(connectAir({ at, name: 'tag' })).rejects.toMatchObject({ code: 'exists' });
    await first.close();
    await until(() => server.status().processes === 0);
    await joined('tag');
  });

  it('ends the connections of a killed process', async () => {
    await serve();
    const child = startAirProcess('serve', at.path);
    await once(child, 'message');
    const tag = await joined('tag');
    const link = await tag.central.connect('c0ffee00000a');
    expect(await link.read('hello')).toEqual(Uint8Array.of(42));
    await endProcess(child);
    await link.closed;
    await expect(link.read('hello')).rejects.toMatchObject({ code: 'closed' });
    await expect(tag.central.connect('c0ffee00000a')).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('tells its processes when it dies', async () => {
    const host = startAirProcess('host', at.path);
    await once(host, 'message');
    const [tag, gateway] = [await joined('tag'), await joined('gateway')];
    let ended = 0;
    await gateway.server.start(() => ({
      onRead: async () => Uint8Array.of(1),
      onWrite: async () => undefined,
      onClosed: () => void (ended += 1),
    }));
    await gateway.advertiser.set(ADVERT);
    const link = await tag.central.connect(ADVERT.address);
    await endProcess(host);
    await Promise.all([tag.lost, gateway.lost, link.closed]);
    expect(ended).toBe(1);
    await expect(tag.advertiser.set(ADVERT)).rejects.toMatchObject({ code: 'closed' });
    await tag.scanner.stop();
  });

  it('drops and counts sightings for a process that does not read, and keeps it connected', async () => {
    const air = kept(openMemoryAir({ clock: liveClock(), seed: 1 }));
    const listeners: ((sighting: Sighting) => void)[] = [];
    const scanner = {
      start: async (onSighting: (sighting: Sighting) => void) => void listeners.push(onSighting),
      stop: async () => undefined,
    };
    const join = ({ name }: { name: string }) => {
      const radio = air.join(name);
      const { advertiser, central, server } = radio;
      return { scanner, advertiser, central, server, close: () => radio.close() };
    };
    const server = kept(await serveAir({ at, join, log: silentLog }));
    const tag = await joined('tag');
    let heard = 0;
    await tag.scanner.start(() => (heard += 1));
    const { address, advert } = ADVERT;
    for (let n = 0; n < 20_000; n++) listeners[0]?.({ address, advert, rssiDbm: -60, heardAtMs: START + n });
    const { droppedSightings } = server.status();
    expect(droppedSightings).toBeGreaterThan(10_000);
    await until(() => heard + droppedSightings === 20_000);
    await tag.advertiser.set(ADVERT);
    expect(server.status().processes).toBe(1);
  });

  it.each([
    ['a frame too long', Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
    ['a frame that is not JSON', Uint8Array.of(0, 0, 0, 1, 0x7b)],
    ['a frame of another protocol', encodeFrame({ hello: 'world' })],
  ])('cuts off a process that sends %s', async (_, bytes) => {
    const server = await serve();
    const socket = await raw();
    const closed = once(socket, 'close');
    socket.resume();
    socket.write(bytes);
    await closed;
    await until(() => server.status().processes === 0);
  });

  it.each([
    ['that never joined', { op: 'scan', on: true }, 'format'],
    ['of another version', { op: 'join', version: 2, name: 'tag' }, 'foreign'],
    ['it does not know', { op: 'dance' }, 'foreign'],
  ])('answers a call %s with an error', async (_, body, code) => {
    await serve();
    const socket = await raw();
    const answer = once(socket, 'data');
    socket.write(encodeFrame({ call: 1, body }));
    const [chunk] = (await answer) as [Uint8Array];
    expect(new FrameReader().push(chunk)).toMatchObject([{ answer: 1, error: { code } }]);
    socket.destroy();
  });

  it('plays recorded contacts to processes named as in the recording', async () => {
    // Time stands still until all have joined, however long that takes.
    const passing = liveClock({ rate: 100 });
    let begunMs = Infinity;
    const clock: Clock = {
      nowMs: () => asUnixMs(START + Math.max(0, passing.nowMs() - begunMs)),
      sleep: (ms, signal) => passing.sleep(ms, signal),
    };
    const contacts = [{ a: '17', b: '18', startMs: START + 40_000, endMs: START + 60_000 }];
    const air = kept(openReplayAir({ clock, contacts }));
    kept(await serveAir({ at, join: ({ name }) => air.join(name), log: silentLog }));
    const heard: Record<string, Sighting[]> = { '18': [], '19': [] };
    const sender = await joined('17');
    await sender.advertiser.set({ ...ADVERT, connectable: false });
    for (const [name, own] of Object.entries(heard)) {
      const radio = await joined(name);
      await radio.scanner.start((sighting) => own.push(sighting));
    }
    begunMs = passing.nowMs();
    await until(() => clock.nowMs() > START + 80_000);
    const { address, advert } = ADVERT;
    const sighting = { address, advert, rssiDbm: -50 };
    await until(() => heard['18']?.length === 2);
    expect(heard).toEqual({
      '18': [40_000, 50_000].map((after) => ({ ...sighting, heardAtMs: START + after })),
      '19': [],
    });
  });
});

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const messages = Array.from({ length: 20 }, (_, n) => ({ n, text: 'é'.repeat(n * 10) }));
    const stream = Buffer.concat(messages.map((message) => encodeFrame(message)));
    for (const size of [1, 3, 7, 100, stream.length]) {
      const reader = new FrameReader();
      const out: unknown[] = [];
      for (let i = 0; i < stream.length; i += size) out.push(...reader.push(stream.subarray(i, i + size)));
      expect(out).toEqual(messages);
    }
  });

  it('refuses to send one that is too long', () => {
    expect(() => encodeFrame({ text: 'x'.repeat(MAX_FRAME_BYTES) })).toThrow(/too long/);
  });
});
