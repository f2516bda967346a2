/** A socket as aedes reads it, behind a packet gate: a packet over its bound ends the connection before it is collected. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { PacketGate } from './packet-gate.js';

/** How much of one connection is read ahead: aedes has the batches of one such read in flight at a time. */
const READ_AHEAD_BYTES = 1024 * 1024;

/** The socket is the connection's from now on: closing either closes both. */
export function gatedConnection(socket: Socket, gate: PacketGate): Duplex {
  const connection = new Duplex({
    readableHighWaterMark: READ_AHEAD_BYTES,
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    writev: (chunks, done) =>
      void socket.write(Buffer.concat(chunks.map(({ chunk }: { chunk: Buffer }) => chunk)), done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    if (!gate.accept(chunk))
      connection.destroy(new Error('an MQTT packet is larger than the ledger accepts'));
    else if (!connection.push(chunk)) socket.pause();
  });
  socket.on('end', () => connection.push(null));
  socket.on('error', (error) => connection.destroy(error));
  socket.on('close', () => connection.destroy());
  return connection;
}
