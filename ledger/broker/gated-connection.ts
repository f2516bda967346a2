/**
 * A socket as aedes reads it. aedes begins with every packet of a read at once, so what it is shown is bounded here:
 *
 * - a packet over its bound ends the connection before it is collected;
 * - a few packets a turn of the event loop, and no more of them unread, so that others have their turns;
 * - only a few PUBLISH wait for their answer at a time: the rest stays in the socket, and the writer waits;
 * - while the writer does not take what it is sent, nothing more is taken from it.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { PUBLISH, type PacketGate, type PacketRoom } from './packet-gate.js';

const PACKETS_PER_TURN = 64;
/** Shown to aedes, and not read by it yet. */
const READ_AHEAD_BYTES = 1024 * 1024;
/** Not shown to it yet: past this the socket is not read. */
const MAX_WAITING_BYTES = READ_AHEAD_BYTES / 4;
/** PUBLISH that may wait for their answer at a time; a courier has 4, of at most 1 MiB each. One may always begin. */
const UNANSWERED_PUBLISHES = 64;
const UNANSWERED_BYTES = 4 * 1024 * 1024;

export class GatedConnection extends Duplex {
  readonly #socket: Socket;
  readonly #gate: PacketGate;
  readonly #room: PacketRoom;
  /** Bytes the gate has not let through yet. */
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Bodies of the PUBLISH that aedes was shown and has not answered, in the order they came. */
  readonly #unanswered: number[] = [];
  #unansweredBytes = 0;
  #unreadPackets = 0;
  #packetsThisTurn = 0;
  #isWoken = false;
  #isEnded = false;
  #beginsNoMore = false;

  /** The socket is the connection's from now on: closing either closes both. */
  constructor(socket: Socket, gate: PacketGate) {
    super({ readableHighWaterMark: READ_AHEAD_BYTES });
    this.#socket = socket;
    this.#gate = gate;
    this.#room = {
      mayBegin: (type) =>
        !this.#beginsNoMore &&
        Math.max(this.#unreadPackets, this.#packetsThisTurn) < PACKETS_PER_TURN &&
        (type !== PUBLISH || this.#mayPublish()),
      begun: (type, bodyBytes) => this.#begun(type, bodyBytes),
    };
    socket.on('data', (chunk: Buffer) => {
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.length;
      this.#passOn();
    });
    socket.on('end', () => {
      this.#isEnded = true;
      this.#passOn();
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    this.on('drain', () => this.#passOn());
  }

  /** To be called once for each PUBLISH, when aedes is told whether it may. */
  answered(): void {
    this.#unansweredBytes -= this.#unanswered.shift() ?? 0;
    if (this.#waitingBytes > 0) this.#wake();
  }

  /** From now on aedes is shown no new packet, only the rest of one that was begun. */
  beginNoMore(): void {
    this.#beginsNoMore = true;
  }

  /** Every PUBLISH that aedes was shown is answered, and the system has taken all that was written. */
  get isSettled(): boolean {
    return this.#unanswered.length === 0 && this.writableLength === 0;
  }

  /** aedes calls this without a size, and so takes all there is. */
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    if (chunk === null) return null;
    this.#unreadPackets = 0;
    if (this.#waitingBytes > 0) this.#wake();
    return chunk;
  }

  override _read(): void {
    // Bytes are passed on as they come and as there is room.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    this.#waiting.length = 0;
    done(error);
  }

  #mayPublish(): boolean {
    return this.#unanswered.length < UNANSWERED_PUBLISHES && this.#unansweredBytes < UNANSWERED_BYTES;
  }

  #begun(type: number, bodyBytes: number): void {
    this.#unreadPackets += 1;
    this.#packetsThisTurn += 1;
    this.#wake();
    if (type !== PUBLISH) return;
    this.#unanswered.push(bodyBytes);
    this.#unansweredBytes += bodyBytes;
  }

  /** Goes on in the next turn. */
  #wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      this.#packetsThisTurn = 0;
      this.#passOn();
    });
  }

  #passOn(): void {
    while (this.#isOpen()) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      const taken = this.#gate.take(chunk, this.#room);
      if (taken === undefined)
        return void this.destroy(new Error('an MQTT packet is larger than the ledger accepts'));
      if (taken < chunk.length) this.#waiting.unshift(chunk.subarray(taken));
      if (taken === 0) break;
      this.#waitingBytes -= taken;
      this.push(chunk.subarray(0, taken));
    }
    if (this.destroyed) return;
    if (this.#isEnded && this.#waitingBytes === 0) this.push(null);
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#socket.pause();
    else this.#socket.resume();
  }

  #isOpen(): boolean {
    return !this.destroyed && !this.writableNeedDrain && this.readableLength < READ_AHEAD_BYTES;
  }
}
