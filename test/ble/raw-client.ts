/** A client that keeps to no protocol: it connects by bare HCI commands and sends whatever bytes it likes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const CONNECT_MS = 3_000;

export interface RawClient {
  /** One ACL packet of these bytes, in the connection. */
  send(bytes: Uint8Array): void;
  close(): void;
}

/** Connects to a random address (LE Create Connection: Bluetooth Core, Vol 4, Part E, 7.8.12). Throws when nobody answers. */
export async function connectRaw(emulatorSocket: string, address: string): Promise<RawClient> {
  const socket = connect(emulatorSocket);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(Buffer.of(0x01, 0x03, 0x0c, 0));
  socket.write(createConnection(address));
  const handle = await connectedHandle(socket);
  if (handle === undefined) {
    socket.destroy();
    throw new Error(`nobody at ${address} took a connection`);
  }
  return {
    send: (bytes) => {
      const head = Buffer.alloc(5);
      head[0] = 0x02;
      head.writeUInt16LE(handle, 1);
      head.writeUInt16LE(bytes.length, 3);
      socket.write(Buffer.concat([head, bytes]));
    },
    close: () => {
      socket.write(Buffer.of(0x01, 0x06, 0x04, 3, handle & 0xff, handle >> 8, 0x13));
      socket.end();
    },
  };
}

/** Of LE Connection Complete with status 0 (Vol 4, Part E, 7.7.65.1). */
async function connectedHandle(socket: Socket): Promise<number | undefined> {
  let handle: number | undefined;
  const look = (chunk: Buffer): void => {
    const at = chunk.indexOf(Buffer.of(0x04, 0x3e, 0x13, 0x01, 0x00));
    if (at >= 0 && chunk.length >= at + 7) handle = chunk.readUInt16LE(at + 5);
  };
  socket.on('data', look);
  for (let waited = 0; handle === undefined && waited < CONNECT_MS; waited += 10) await pause(10);
  socket.off('data', look);
  socket.resume();
  return handle;
}

function createConnection(address: string): Buffer {
  const parameters = Buffer.alloc(25);
  parameters.writeUInt16LE(0x10, 0); // scan interval and window
  parameters.writeUInt16LE(0x10, 2);
  parameters.writeUInt8(1, 5); // the peer's address is random
  parameters.set(Buffer.from(address, 'hex').reverse(), 6);
  parameters.writeUInt16LE(0x06, 13); // connection interval
  parameters.writeUInt16LE(0x0c, 15);
  parameters.writeUInt16LE(0xc8, 19); // supervision time-out
  return Buffer.concat([Buffer.of(0x01, 0x0d, 0x20, parameters.length), parameters]);
}
