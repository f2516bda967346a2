/** The server's end of connections made through a hosted air: the air puts each client's requests to us as calls. */
import { FirebreakError } from '../../protocol/errors.js';
import { ignoreGone } from './air-socket-central.js';
import { MAX_ATTRIBUTE_BYTES } from '../contract.js';
import type { GattServer, ServerPeer, ServerSession } from '../contract.js';
import { attError } from '../air/gatt-connection.js';
import { checkSize } from '../link-rules.js';
import type { Channel } from './socket-channel.js';
import { toWire } from './socket-messages.js';
import type { AirCall } from './socket-messages.js';

type Accept = (peer: ServerPeer) => ServerSession | Promise<ServerSession>;

export class SocketGattServer implements GattServer {
  readonly #channel: Channel;
  readonly #sessions = new Map<number, ServerSession>();
  /** Clients that went while their session was still being made. */
  readonly #gone = new Set<number>();
  readonly #accepting = new Set<number>();
  #accept: Accept | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  async start(accept: Accept): Promise<void> {
    if (this.#accept !== undefined) throw new FirebreakError('exists', 'this radio serves already');
    this.#accept = accept;
    try {
      await this.#channel.call({ op: 'serve', on: true });
    } catch (error) {
      this.#accept = undefined;
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#accept = undefined;
    await this.#channel.call({ op: 'serve', on: false }).catch(ignoreGone);
  }

  /** Answers the air. What a handler threw leaves as an ATT error would: its code at most. */
  async onCall(call: AirCall): Promise<unknown> {
    try {
      return await this.#answer(call);
    } catch (error) {
      throw attError(error);
    }
  }

  peerClosed(peer: number): void {
    if (this.#accepting.has(peer)) this.#gone.add(peer);
    const session = this.#sessions.get(peer);
    this.#sessions.delete(peer);
    session?.onClosed();
  }

  /** The air is gone, and every client with it. */
  lose(): void {
    this.#accept = undefined;
    for (const peer of [...this.#accepting, ...this.#sessions.keys()]) this.peerClosed(peer);
  }

  async #answer(call: AirCall): Promise<unknown> {
    if (call.op === 'accept') return this.#admit(call.peer, call.payloadBytes);
    const session = this.#sessions.get(call.peer);
    if (session === undefined) throw new FirebreakError('closed', 'the connection is closed');
    if (call.op === 'on-read') {
      const value = await session.onRead(call.characteristic);
      checkSize(value, MAX_ATTRIBUTE_BYTES);
      return toWire(value);
    }
    return session.onWrite(call.characteristic, call.value);
  }

  async #admit(peer: number, payloadBytes: number): Promise<void> {
    if (this.#accept === undefined) throw new FirebreakError('unreachable', 'nobody serves here');
    this.#accepting.add(peer);
    try {
      const session = await this.#accept(this.#peer(peer, payloadBytes));
      if (this.#gone.delete(peer)) session.onClosed();
      else this.#sessions.set(peer, session);
    } finally {
      this.#accepting.delete(peer);
      this.#gone.delete(peer);
    }
  }

  #peer(peer: number, payloadBytes: number): ServerPeer {
    return {
      payloadBytes,
      notify: async (characteristic, value) => {
        checkSize(value, payloadBytes);
        await this.#channel.call({ op: 'notify', peer, characteristic, value: toWire(value) });
      },
      disconnect: async () => void (await this.#channel.call({ op: 'disconnect', peer }).catch(ignoreGone)),
    };
  }
}
