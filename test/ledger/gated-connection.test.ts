import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { GatedConnection } from '../../ledger/broker/gated-connection.js';
import { PacketGate } from '../../ledger/broker/packet-gate.js';
import { packet, PING } from './raw-writer.js';

const PUBLISH = 0x32;

/** Both ends of a real connection, the ledger's behind a gate. */
async function pair(): Promise<{ near: GatedConnection; far: Socket }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  const near = new GatedConnection(socket, new PacketGate(100_000, 5_000_000));
  near.on('error', () => undefined);
  onTestFinished(() => {
    for (const one of [near, far]) one.destroy();
    server.close();
  });
  return { near, far };
}

/** Reads as aedes does, once the connection is readable, until it has `wanted` bytes. */
async function reads(near: GatedConnection, wanted: number, each: (chunk: Buffer) => void): Promise<void> {
  for (let length = 0; length < wanted;) {
    const chunk = near.read();
    if (!Buffer.isBuffer(chunk)) await once(near, 'readable');
    else {
      length += chunk.length;
      each(chunk);
    }
  }
}

test('a read gives 64 packets at most, and the next comes a turn of the event loop later', async () => {
  const { near, far } = await pair();
  far.write(Buffer.concat(Array.from({ length: 5000 }, () => PING)));
  const sizes: number[] = [];
  await reads(near, 5000 * PING.length, (chunk) => {
    sizes.push(chunk.length / PING.length);
    expect(near.read()).toBeNull();
  });
  expect(Math.max(...sizes)).toBe(64);
  expect(sizes.length).toBeLessThan(200);
});

test('PUBLISHes that nobody answered hold back the next, other packets before it pass, and nothing is lost', async () => {
  const { near, far } = await pair();
  const one = packet(PUBLISH, Buffer.alloc(10, 7));
  const sent = Buffer.concat([PING, ...Array.from({ length: 200 }, () => one), PING]);
  far.write(sent);
  const got: Buffer[] = [];
  await reads(near, PING.length + 64 * one.length, (chunk) => got.push(chunk));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(near.read()).toBeNull();
  near.answered();
  await reads(near, one.length, (chunk) => got.push(chunk));
  expect(Buffer.concat(got).length).toBe(PING.length + 65 * one.length);
  const answering = setInterval(() => near.answered(), 1);
  onTestFinished(() => clearInterval(answering));
  await reads(near, sent.length - Buffer.concat(got).length, (chunk) => got.push(chunk));
  expect(Buffer.concat(got)).toEqual(sent);
});

test('four mebibytes wait for an answer at most, and what is larger than that passes alone', async () => {
  const { near, far } = await pair();
  const large = packet(PUBLISH, Buffer.alloc(5_000_000, 1));
  const small = packet(PUBLISH, Buffer.alloc(10, 2));
  far.write(Buffer.concat([PING, large, small]));
  await reads(near, PING.length + large.length, () => undefined);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(near.read()).toBeNull();
  near.answered();
  await reads(near, small.length, (chunk) => expect(chunk).toEqual(small));
});

test('nothing is taken from somebody who does not take what he is sent', async () => {
  const { near, far } = await pair();
  far.pause();
  near.write(Buffer.alloc(30_000_000));
  far.write(PING);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(near.read()).toBeNull();
  far.resume();
  await reads(near, PING.length, (chunk) => expect(chunk).toEqual(PING));
});

test('ends the connection at a packet that is too large, and ends when the other side does', async () => {
  const { near, far } = await pair();
  far.on('error', () => undefined); // a reset: what it sent is not read
  far.write(packet(PUBLISH, Buffer.alloc(100_001)));
  far.resume();
  await Promise.all([far, near].map((one) => new Promise((resolve) => one.once('close', resolve))));
  const other = await pair();
  other.far.end(PING);
  const ended = once(other.near, 'end');
  await reads(other.near, PING.length, () => undefined);
  other.near.resume();
  await ended;
});
