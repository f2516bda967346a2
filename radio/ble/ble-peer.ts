/** The server's side of one connection, over bleno. */
import { FirebreakError } from '../../protocol/errors.js';
import { MAX_ATTRIBUTE_BYTES } from '../contract.js';
import type { Characteristic, ServerPeer, ServerSession } from '../contract.js';
import { Lane } from '../lane.js';
import { checkSize, closedError } from '../link-rules.js';

export interface PeerDeps {
  readonly handle: number;
  readonly idleMs: number;
  readonly accept: (peer: ServerPeer) => ServerSession | Promise<ServerSession>;
  /** Ends the connection; ended() follows when it is. */
  readonly disconnect: () => void;
}

const ATT_HEADER_BYTES = 3;
const DEFAULT_MTU = 23;
/** ATT is one request at a time (Vol 3, Part F, 3.3.3); a client with more of them unanswered is none of ours. */
const MAX_UNDERWAY = 4;

export class BlePeer implements ServerPeer {
  readonly handle: number;
  readonly #deps: PeerDeps;
  readonly #subscribed = new Map<Characteristic, (value: Buffer) => void>();
  /** What was read last, for the rest of a long read. */
  readonly #read = new Map<Characteristic, Uint8Array>();
  readonly #notifications = new Lane();
  #mtu = DEFAULT_MTU;
  #session: Promise<ServerSession> | undefined;
  #underway = 0;
  #idle: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor(deps: PeerDeps) {
    this.handle = deps.handle;
    this.#deps = deps;
    this.#rest();
  }

  get payloadBytes(): number {
    return this.#mtu - ATT_HEADER_BYTES;
  }

  mtuChanged(mtu: number): void {
    this.#mtu = mtu;
  }

  async notify(characteristic: Characteristic, value: Uint8Array): Promise<void> {
    if (this.#isEnded) throw closedError();
    checkSize(value, this.payloadBytes);
    const sent = Buffer.from(value);
    await this.#notifications.run(async () => {
      if (this.#isEnded) throw closedError();
      const push = this.#subscribed.get(characteristic);
      if (push === undefined)
        throw new FirebreakError('unreachable', `nobody subscribed to ${characteristic}`);
      push(sent);
    });
  }

  async disconnect(): Promise<void> {
    this.#deps.disconnect();
  }

  subscribed(characteristic: Characteristic, push: ((value: Buffer) => void) | undefined): void {
    if (push === undefined) this.#subscribed.delete(characteristic);
    else this.#subscribed.set(characteristic, push);
  }

  /** Asks, once, whether the client is taken; throws the refusal. */
  admit(): Promise<ServerSession> {
    this.#session ??= this.#begin();
    return this.#session;
  }

  /** The attribute, or what is left of it from `offset`; undefined for an offset past its end. */
  async onRead(characteristic: Characteristic, offset: number): Promise<Uint8Array | undefined> {
    const value = offset === 0 ? await this.#readAnew(characteristic) : this.#read.get(characteristic);
    return value === undefined || offset > value.length ? undefined : value.subarray(offset);
  }

  async onWrite(characteristic: Characteristic, value: Uint8Array): Promise<void> {
    const session = await this.admit();
    await session.onWrite(characteristic, Uint8Array.from(value));
  }

  /**
   * Answers one request with `work`. Nothing is answered when the connection ended meanwhile, for bleno would say it to the
   * next client. A client that asks more than it may at once is disconnected.
   */
  async serve<T>(work: () => Promise<T>, answer: (outcome: T | Error) => void): Promise<void> {
    if (this.#underway >= MAX_UNDERWAY) return this.#deps.disconnect();
    this.#underway += 1;
    this.#rest();
    const outcome = await work().catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    );
    this.#underway -= 1;
    if (this.#isEnded) return;
    this.#rest();
    answer(outcome);
  }

  /** The connection is gone. */
  ended(): void {
    this.#isEnded = true;
    clearTimeout(this.#idle);
    this.#session?.then(
      (session) => session.onClosed(),
      () => undefined, // it was refused
    );
  }

  async #begin(): Promise<ServerSession> {
    return this.#deps.accept(this);
  }

  async #readAnew(characteristic: Characteristic): Promise<Uint8Array> {
    const session = await this.admit();
    const value = Uint8Array.from(await session.onRead(characteristic));
    checkSize(value, MAX_ATTRIBUTE_BYTES);
    this.#read.set(characteristic, value);
    return value;
  }

  /** From here on the client has its time to ask, and we ours to answer. */
  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#deps.disconnect(), this.#deps.idleMs);
  }
}
