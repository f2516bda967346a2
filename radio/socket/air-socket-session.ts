/** The air's side of one connected process: turns its calls into those of a Radio on the hosted air, and back. */
import type { Socket } from 'node:net';
import { FirebreakError } from '../../protocol/errors.js';
import type { Link, Radio, ServerPeer, ServerSession, Sighting } from '../contract.js';
import type { Position } from '../air/propagation.js';
import { openChannel } from './socket-channel.js';
import type { Channel } from './socket-channel.js';
import { clientCall, clientTell, parseMessage, toWire, valueAnswer } from './socket-messages.js';
import type { ClientCall, ClientTell } from './socket-messages.js';

/** A process that connected. */
export interface JoinRequest {
  readonly name: string;
  readonly place: Position | undefined;
}

export interface SessionDeps {
  readonly socket: Socket;
  /** Puts the node on the air; throws what the process should be told. */
  readonly join: (request: JoinRequest) => Radio;
  readonly onDropped: () => void;
  readonly onClosed: () => void;
  readonly timeoutMs: number;
}

/** How long a connected process may take to say who it is, wall ms. */
const JOIN_MS = 5_000;

export class AirSocketSession {
  readonly #deps: SessionDeps;
  readonly #channel: Channel;
  readonly #links = new Map<number, Link>();
  readonly #peers = new Map<number, ServerPeer>();
  readonly #attempts = new Map<number, AbortController>();
  readonly #joinTimer: NodeJS.Timeout;
  #radio: Radio | undefined;
  #leaving: Promise<void> | undefined;
  #lastNumber = 0;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#channel = openChannel<ClientCall, ClientTell>({
      socket: deps.socket,
      callSchema: clientCall,
      tellSchema: clientTell,
      onCall: (call) => this.#onCall(call),
      onTell: (tell) => this.#attempts.get(tell.attempt)?.abort(),
      onClosed: () => this.#onClosed(),
      timeoutMs: deps.timeoutMs,
    });
    this.#joinTimer = setTimeout(() => this.#channel.close(), JOIN_MS);
  }

  /** Resolves when its node has left the air. */
  async close(): Promise<void> {
    this.#channel.close();
    await this.#leaving;
  }

  #onClosed(): void {
    clearTimeout(this.#joinTimer);
    for (const attempt of this.#attempts.values()) attempt.abort();
    this.#leaving = this.#radio?.close(); // ends its links, which is how the others notice a killed process
    this.#deps.onClosed();
  }

  async #onCall(call: ClientCall): Promise<unknown> {
    if (call.op === 'join') return this.#join(call);
    const radio = this.#radio;
    if (radio === undefined) throw new FirebreakError('format', 'join the air first');
    switch (call.op) {
      case 'scan':
        return call.on ? radio.scanner.start((sighting) => this.#sight(sighting)) : radio.scanner.stop();
      case 'advertise':
        return call.settings === undefined ? radio.advertiser.stop() : radio.advertiser.set(call.settings);
      case 'serve':
        return call.on ? radio.server.start((peer) => this.#accept(peer)) : radio.server.stop();
      case 'connect':
        return this.#connect(radio, call.address, call.attempt);
      case 'notify':
        return this.#peerOf(call.peer).notify(call.characteristic, call.value);
      case 'disconnect':
        return this.#peerOf(call.peer).disconnect();
      default:
        return this.#onLink(call);
    }
  }

  async #onLink(call: Extract<ClientCall, { link: number }>): Promise<unknown> {
    const link = this.#linkOf(call.link);
    switch (call.op) {
      case 'read':
        return toWire(await link.read(call.characteristic));
      case 'write':
        return link.write(call.characteristic, call.value);
      case 'subscribe':
        return link.subscribe(call.characteristic, (value) =>
          this.#channel.tell({
            op: 'notified',
            link: call.link,
            characteristic: call.characteristic,
            value: toWire(value),
          }),
        );
      case 'close':
        return link.close();
    }
  }

  #join(request: { name: string; place?: Position | undefined }): void {
    if (this.#radio !== undefined) throw new FirebreakError('exists', 'this process is on the air already');
    this.#radio = this.#deps.join({ name: request.name, place: request.place });
    clearTimeout(this.#joinTimer);
  }

  #sight(sighting: Sighting): void {
    const { address, advert, rssiDbm, heardAtMs } = sighting;
    const sent = this.#channel.tellOrDrop({
      op: 'sighting',
      address,
      advert: toWire(advert),
      rssiDbm,
      heardAtMs,
    });
    if (!sent) this.#deps.onDropped();
  }

  async #connect(
    radio: Radio,
    address: string,
    attempt: number,
  ): Promise<{ link: number; payloadBytes: number }> {
    const cancel = new AbortController();
    this.#attempts.set(attempt, cancel);
    const made = await radio.central
      .connect(address, cancel.signal)
      .finally(() => this.#attempts.delete(attempt));
    const link = ++this.#lastNumber;
    this.#links.set(link, made);
    void made.closed.then(() => {
      this.#links.delete(link);
      this.#channel.tell({ op: 'link-closed', link });
    });
    return { link, payloadBytes: made.payloadBytes };
  }

  /** The session of a client of this process: every request is put to the process itself. */
  async #accept(client: ServerPeer): Promise<ServerSession> {
    const peer = ++this.#lastNumber;
    this.#peers.set(peer, client);
    const forget = (): void => void this.#peers.delete(peer);
    await this.#channel
      .call({ op: 'accept', peer, payloadBytes: client.payloadBytes })
      .catch((error: unknown) => {
        forget();
        throw error;
      });
    return {
      onRead: async (characteristic) =>
        parseMessage(valueAnswer, await this.#channel.call({ op: 'on-read', peer, characteristic })),
      onWrite: async (characteristic, value) =>
        void (await this.#channel.call({ op: 'on-write', peer, characteristic, value: toWire(value) })),
      onClosed: () => {
        forget();
        this.#channel.tell({ op: 'peer-closed', peer });
      },
    };
  }

  #linkOf(number: number): Link {
    const link = this.#links.get(number);
    if (link === undefined) throw new FirebreakError('closed', 'the connection is closed');
    return link;
  }

  #peerOf(number: number): ServerPeer {
    const peer = this.#peers.get(number);
    if (peer === undefined) throw new FirebreakError('closed', 'the connection is closed');
    return peer;
  }
}
