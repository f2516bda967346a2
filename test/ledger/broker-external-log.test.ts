/** What the ledger's log holds of a broker of somebody else that is away for long. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openExternalBroker } from '../../ledger/broker/external.js';
import type { LogFields } from '../../protocol/log.js';
import { packet } from './raw-writer.js';

const [CONNECT, CONNACK, SUBSCRIBE, SUBACK] = [1, 0x20, 8, 0x90];
const REFUSED = 3;

/**
 * Lets the first connection in, until `cut`. Of the later ones it ends one at its CONNECT, refuses the next, ends one once it let
 * it in, and so on.
 */
async function fickleBroker() {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const turn = connections === 0 ? 'good' : (['refused', 'let in', 'silent'] as const)[connections % 3];
    connections += 1;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const kind = (bytes[0] ?? 0) >> 4;
      if (turn === 'silent' || (turn === 'let in' && kind === SUBSCRIBE)) return socket.destroy();
      if (kind === CONNECT) socket.write(packet(CONNACK, Buffer.of(0, turn === 'refused' ? REFUSED : 0)));
      if (kind === SUBSCRIBE) socket.write(packet(SUBACK, bytes.subarray(2, 4), Buffer.of(1)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  onTestFinished(async () => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `mqtt://127.0.0.1:${port}`, connections: () => connections, cut };
}

test('a broker that fails the ledger again and again is told of in few lines, and how many were left out', async () => {
  const broker = await fickleBroker();
  const lines: (LogFields | undefined)[] = [];
  const note = (_message: string, fields?: LogFields) => void lines.push(fields);
  const external = await openExternalBroker({
    ledger: { submit: () => Promise.reject(new Error('nothing is published here')) },
    url: broker.url,
    retryMs: { first: 1, longest: 1 },
    log: { info: note, warn: note, error: note },
  });
  onTestFinished(() => external.close());
  broker.cut();
  await expect.poll(broker.connections, { timeout: 20_000 }).toBeGreaterThan(150);
  expect(lines.length).toBeLessThan(40);
  await external.close();
  const leftOut = lines.reduce((sum, fields) => sum + Number(fields?.['leftOut'] ?? 0), 0);
  expect(lines.length + leftOut).toBeGreaterThan(80);
}, 30_000);
