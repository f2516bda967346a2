/** A unix socket in front of the emulator's that records what each host behind it writes to its controller. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface Recorder {
  /** What came so far, in order, of all hosts. */
  written(): Buffer;
  /** Ends every controller behind it; new ones can be had at once. */
  cut(): void;
  close(): Promise<void>;
}

export async function openRecorder(path: string, emulator: string): Promise<Recorder> {
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((host) => {
    const controller = connect(emulator);
    for (const socket of [host, controller]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        host.destroy();
        controller.destroy();
      });
    }
    host.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      controller.write(chunk);
    });
    controller.pipe(host);
  });
  server.listen(path);
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const close = async (): Promise<void> => {
    cut();
    server.close();
    await rm(path, { force: true });
  };
  return { written: () => Buffer.concat(chunks), cut, close };
}
