/** The client's end of connections made through a hosted air. */
import { reasonOf } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Central, Characteristic, Link, RadioAddress } from '../contract.js';
import { checkSize, closedError } from '../link-rules.js';
import type { Channel } from './socket-channel.js';
import { linkAnswer, parseMessage, toWire, valueAnswer } from './socket-messages.js';

interface OpenLink {
  readonly subscriptions: Map<Characteristic, (value: Uint8Array) => void>;
  readonly end: () => void;
}

export class SocketCentral implements Central {
  readonly #channel: Channel;
  readonly #links = new Map<number, OpenLink>();
  /** Connections reported closed before the answer that opened them; kept only while we wait for such answers. */
  readonly #closedEarly = new Set<number>();
  #connecting = 0;
  #lastAttempt = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  async connect(address: RadioAddress, signal?: AbortSignal): Promise<Link> {
    signal?.throwIfAborted();
    const attempt = ++this.#lastAttempt;
    const cancel = (): void => this.#channel.tell({ op: 'cancel', attempt });
    signal?.addEventListener('abort', cancel, { once: true });
    this.#connecting += 1;
    try {
      const answer = await this.#channel.call({ op: 'connect', address, attempt });
      const { link, payloadBytes } = parseMessage(linkAnswer, answer);
      if (signal?.aborted !== true) return this.#open(link, payloadBytes);
      await this.#channel.call({ op: 'close', link }); // made while it was being cancelled
      throw reasonOf(signal);
    } catch (error) {
      throw signal?.aborted === true ? reasonOf(signal) : error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#connecting -= 1;
      if (this.#connecting === 0) this.#closedEarly.clear();
    }
  }

  notified(link: number, characteristic: Characteristic, value: Uint8Array): void {
    this.#links.get(link)?.subscriptions.get(characteristic)?.(value);
  }

  linkClosed(link: number): void {
    const open = this.#links.get(link);
    if (open === undefined && this.#connecting > 0) this.#closedEarly.add(link);
    this.#links.delete(link);
    open?.end();
  }

  /** The air is gone, and every connection with it. */
  lose(): void {
    for (const link of [...this.#links.keys()]) this.linkClosed(link);
  }

  #open(link: number, payloadBytes: number): Link {
    const subscriptions: OpenLink['subscriptions'] = new Map();
    let end = (): void => undefined;
    const closed = new Promise<void>((resolve) => (end = resolve));
    this.#links.set(link, { subscriptions, end });
    if (this.#closedEarly.delete(link)) this.linkClosed(link);
    const call = (body: Parameters<Channel['call']>[0]): Promise<unknown> =>
      this.#links.has(link) ? this.#channel.call(body) : Promise.reject(closedError());
    return {
      payloadBytes,
      closed,
      read: async (characteristic) =>
        parseMessage(valueAnswer, await call({ op: 'read', link, characteristic })),
      write: async (characteristic, value) => {
        checkSize(value, payloadBytes);
        await call({ op: 'write', link, characteristic, value: toWire(value) });
      },
      subscribe: async (characteristic, onNotify) => {
        subscriptions.set(characteristic, onNotify);
        await call({ op: 'subscribe', link, characteristic });
      },
      close: async () => {
        if (!this.#links.has(link)) return;
        this.linkClosed(link);
        await this.#channel.call({ op: 'close', link }).catch(ignoreGone);
      },
    };
  }
}

/** Closing what is closed already is no failure. */
export function ignoreGone(error: unknown): void {
  if (!(error instanceof FirebreakError && error.code === 'closed')) throw error;
}
