/**
 * The wire between one controller and its host, with faults to order: it stands between a process and the emulator's
 * socket, passes HCI packets on (H4: Bluetooth Core, Vol 4, Part A) and breaks what it is told to.
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';

const COMMAND = 0x01;
const ACL = 0x02;
const EVENT = 0x04;
const RESET = Buffer.of(COMMAND, 0x03, 0x0c, 0);
const ATT_CHANNEL = 4;
const ATT_WRITE_REQUEST = 0x12;
/** Of an upload's pieces: longer than any other write of a session. */
const LONG_WRITE_BYTES = 100;

export interface FaultyWire {
  /** What the process is given as its adapter. */
  readonly adapter: string;
  /** From now on nothing arrives on either side, as out of reach; `false` heals it. */
  silence(isSilent: boolean): void;
  /**
   * At the next piece of an upload that the host sends: flips a bit in it, or falls silent instead of passing it on.
   * Resolves when it is done.
   */
  atNextPiece(fault: 'corrupt' | 'silence'): Promise<void>;
  /** Resets the controller behind its host's back: connections, adverts and scanning are gone. */
  resetController(): void;
  /** As an adapter that is pulled out. */
  unplug(): void;
  close(): Promise<void>;
}

export async function openFaultyWire(emulatorSocket: string): Promise<FaultyWire> {
  const path = join(tmpdir(), `firebreak-wire-${randomBytes(6).toString('hex')}.sock`);
  const wire = new Wire(emulatorSocket, path);
  await wire.open();
  return wire;
}

class Wire implements FaultyWire {
  readonly adapter: string;
  readonly #emulatorSocket: string;
  readonly #path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #controller: Socket | undefined;
  #isSilent = false;
  #ordered: { readonly fault: 'corrupt' | 'silence'; readonly done: () => void } | undefined;

  constructor(emulatorSocket: string, path: string) {
    this.#emulatorSocket = emulatorSocket;
    this.#path = path;
    this.adapter = `unix:${path}`;
    this.#server = createServer((host) => this.#join(host));
  }

  async open(): Promise<void> {
    this.#server.listen(this.#path);
    await once(this.#server, 'listening');
  }

  silence(isSilent: boolean): void {
    this.#isSilent = isSilent;
  }

  atNextPiece(fault: 'corrupt' | 'silence'): Promise<void> {
    return new Promise((done) => (this.#ordered = { fault, done }));
  }

  resetController(): void {
    this.#controller?.write(RESET);
  }

  unplug(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.unplug();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#path, { force: true });
  }

  /** One host, one controller of the emulator; when one end goes, the other goes. */
  #join(host: Socket): void {
    const controller = connect(this.#emulatorSocket);
    this.#controller = controller;
    const down = packets((packet) => this.#pass(this.#muddled(packet), controller));
    const up = packets((packet) => this.#pass(packet, host));
    for (const [from, take] of [
      [host, down],
      [controller, up],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', take);
      from.on('error', () => undefined); // 'close' follows
      from.on('close', () => {
        this.#sockets.delete(from);
        host.destroy();
        controller.destroy();
      });
    }
  }

  #pass(packet: Buffer, to: Socket): void {
    if (!this.#isSilent && !to.destroyed) to.write(packet);
  }

  #muddled(packet: Buffer): Buffer {
    const ordered = this.#ordered;
    if (ordered === undefined || !isPiece(packet)) return packet;
    this.#ordered = undefined;
    ordered.done();
    this.#isSilent = ordered.fault === 'silence';
    const muddled = Buffer.from(packet);
    const last = muddled.length - 1;
    muddled[last] = (muddled[last] ?? 0) ^ 0x10;
    return muddled;
  }
}

/** ACL: handle 2, length 2, then L2CAP: length 2, channel 2, then ATT: opcode, attribute 2, value. */
function isPiece(packet: Buffer): boolean {
  if (packet[0] !== ACL || packet.length < 12) return false;
  const isWrite = packet.readUInt16LE(7) === ATT_CHANNEL && packet[9] === ATT_WRITE_REQUEST;
  return isWrite && packet.readUInt16LE(5) >= LONG_WRITE_BYTES;
}

/** Cuts a stream of either direction into packets. */
function packets(onPacket: (packet: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (let length = lengthOf(held); length <= held.length; length = lengthOf(held)) {
      onPacket(held.subarray(0, length));
      held = held.subarray(length);
    }
  };
}

/** Infinity while the header is not there yet. */
function lengthOf(bytes: Buffer): number {
  if (bytes[0] === COMMAND) return bytes.length < 4 ? Infinity : 4 + bytes.readUInt8(3);
  if (bytes[0] === ACL) return bytes.length < 5 ? Infinity : 5 + bytes.readUInt16LE(3);
  if (bytes[0] === EVENT) return bytes.length < 3 ? Infinity : 3 + bytes.readUInt8(2);
  if (bytes.length === 0) return Infinity;
  throw new Error(`a packet of type ${bytes[0]}`);
}
