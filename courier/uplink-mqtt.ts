/**
 * The uplink over MQTT 3.1.1, QoS 1, with a fresh signed token at each connection (protocol.md §13, "Connect
 * token"). Reconnects for ever with growing pauses. The first connection is waited for, up to a stated time,
 * unless the writer has work that needs no broker.
 */
import { randomBytes } from 'node:crypto';
import { toHex } from '../protocol/bytes.js';
import { makeConnectToken } from '../protocol/mqtt/connect-token.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { asError, FirebreakError } from '../protocol/errors.js';
import { partyIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import { entriesTopic, receiptsTopic, statusTopic } from '../protocol/mqtt/topics.js';
import { BrokerNews, whyNot } from './broker-news.js';
import { openMqttConnection } from './mqtt-connection.js';
import type { MqttConnection } from './mqtt-connection.js';
import { requireBrokerUrl, type BrokerLogin } from './broker-url.js';
import type { Uplink } from './uplink.js';

const NONCE_BYTES = 16;
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** A connection that lasted this long was a good one: the next pause is short again. */
const GOOD_AFTER_MS = 10_000;
const STATUS_WAIT_MS = 2_000;
const NO_ANSWER = new Error('no answer');

export interface UplinkMqttDeps {
  /** Such as mqtt://127.0.0.1:1883. */
  readonly url: string;
  readonly signer: Signer;
  /** For a broker that asks for one; without it the connect token is given. */
  readonly login?: BrokerLogin;
  readonly log: Log;
  /** What the broker tells others when this writer is gone without a word. */
  readonly lastWill: string;
  /** Connects in the background, for ever: the uplink is there at once, online or not. */
  readonly startsOffline?: boolean;
  /** The first connection is given up after this; 60 s when absent. */
  readonly patienceMs?: number;
  /** A message not acknowledged after this ends the connection; 30 s when absent. */
  readonly pubackTimeoutMs?: number;
  /**
   * Aborted when this writer is about to close: ends the wait for the first connection, and a lost broker is
   * logged no more.
   */
  readonly signal?: AbortSignal;
}

/**
 * Connects. Rejects `unreachable` when no broker takes this writer in time, saying how long it waited and why, `input`
 * for something that is no MQTT URL or no TLS off loopback, and `closed` when the signal says so first. One that
 * `startsOffline` resolves at once, and rejects `input` alone.
 */
export async function openMqttUplink(deps: UplinkMqttDeps): Promise<Uplink> {
  requireBrokerUrl(deps.url);
  const uplink = new MqttUplink(deps);
  if (deps.startsOffline === true) return uplink;
  try {
    await uplink.firstConnection(deps.patienceMs ?? PATIENCE_MS, deps.signal);
    return uplink;
  } catch (error) {
    await uplink.close();
    throw error;
  }
}

class MqttUplink implements Uplink {
  readonly #deps: UplinkMqttDeps;
  readonly #writerId: Uint8Array;
  readonly #listeners = new Map<string, (payload: Uint8Array) => void>();
  readonly #onlineListeners: (() => void)[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #news: BrokerNews;
  /** Set from CONNACK on, before its subscriptions are in place. */
  #connection: MqttConnection | undefined;
  #isOnline = false;
  #firstOnline: () => void = () => undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #lastReason: Error | undefined;

  constructor(deps: UplinkMqttDeps) {
    this.#deps = deps;
    this.#writerId = partyIdOf(deps.signer.publicKey);
    this.#news = new BrokerNews(deps.url, deps.log);
    this.#listeners.set(receiptsTopic(this.#writerId), () => undefined);
    this.#running = this.#run();
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  get trouble(): string | undefined {
    return this.#isOnline ? undefined : this.#lastReason?.message;
  }

  firstConnection(patienceMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        finish();
      };
      const giveUp = (): void => settle(() => reject(this.#gaveUp(patienceMs)));
      const aborted = (): void => settle(() => reject(stopped(signal)));
      const timer = setTimeout(giveUp, patienceMs);
      signal?.addEventListener('abort', aborted, { once: true });
      this.#firstOnline = () => settle(resolve);
      if (signal?.aborted) aborted();
      else if (this.isOnline) this.#firstOnline();
    });
  }

  publishBatch(batch: Uint8Array): Promise<void> {
    return this.#publish(entriesTopic(this.#writerId), batch, false);
  }

  publishRetained(topic: string, payload: Uint8Array): Promise<void> {
    return this.#publish(topic, payload, true);
  }

  async publishStatus(status: string): Promise<void> {
    const said = new AbortController();
    const saying = this.#publish(statusTopic(this.#writerId), Buffer.from(status), true);
    const finished = saying.catch(() => undefined).finally(() => said.abort());
    await Promise.race([finished, pause(STATUS_WAIT_MS, said.signal)]);
  }

  onReceipt(listener: (receipt: Uint8Array) => void): void {
    this.#listeners.set(receiptsTopic(this.#writerId), listener);
  }

  async subscribe(topic: string, listener: (payload: Uint8Array) => void): Promise<void> {
    this.#listeners.set(topic, listener);
    if (!this.#isOnline) return;
    await this.#connection?.subscribe([topic]).catch((error: unknown) => {
      if (error instanceof FirebreakError && error.code === 'permission') throw error;
      // otherwise the connection is gone: the next one asks for all topics again
    });
  }

  onOnline(listener: () => void): void {
    this.#onlineListeners.push(listener);
    if (this.isOnline) listener();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#connection?.end();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const startedMs = performance.now();
      const { reason, wasOnline } = await this.#oneConnection();
      if (signal.aborted) return;
      if (wasOnline && performance.now() - startedMs > GOOD_AFTER_MS) {
        this.#pauseMs = FIRST_PAUSE_MS;
        this.#news.newSpell();
      }
      this.#lastReason = reason;
      const againInMs = Math.round(this.#pauseMs * (0.75 + Math.random() / 2));
      // When all processes of a folder are stopped together, the broker may well be gone first: that is no trouble.
      if (this.#deps.signal?.aborted !== true) this.#news.gone({ reason, wasOnline, againInMs });
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
      await pause(againInMs, signal);
    }
  }

  /** From CONNECT to the end of it. */
  async #oneConnection(): Promise<{ readonly reason: Error; readonly wasOnline: boolean }> {
    try {
      const connection = await openMqttConnection(this.#connectionDeps());
      this.#connection = connection;
      await this.#comeOnline(connection);
      return { reason: await connection.closed, wasOnline: true };
    } catch (error) {
      await this.#connection?.end();
      return { reason: asError(error), wasOnline: false };
    } finally {
      this.#isOnline = false;
      this.#connection = undefined;
    }
  }

  #connectionDeps() {
    const { url, signer, login, lastWill, pubackTimeoutMs } = this.#deps;
    return {
      url,
      clientId: toHex(this.#writerId),
      ...(login ?? makeConnectToken(signer, Date.now(), randomBytes(NONCE_BYTES))),
      isLogin: login !== undefined,
      will: { topic: statusTopic(this.#writerId), payload: lastWill },
      onMessage: (topic: string, payload: Uint8Array) => this.#hear(topic, payload),
      signal: this.#stop.signal,
      ...(pubackTimeoutMs !== undefined && { pubackTimeoutMs }),
    };
  }

  /**
   * Subscribes to every topic with a listener, also to those added while the broker confirms the others, and
   * is online as soon as none is left, without an await in between: from then on subscribe() itself asks the
   * broker.
   */
  async #comeOnline(connection: MqttConnection): Promise<void> {
    const heard = new Set<string>();
    for (;;) {
      const topics = [...this.#listeners.keys()].filter((topic) => !heard.has(topic));
      if (topics.length === 0) return this.#setOnline();
      await connection.subscribe(topics);
      for (const topic of topics) heard.add(topic);
    }
  }

  #setOnline(): void {
    this.#isOnline = true;
    this.#news.back();
    this.#firstOnline();
    for (const listener of this.#onlineListeners) listener();
  }

  #hear(topic: string, payload: Uint8Array): void {
    try {
      this.#listeners.get(topic)?.(payload);
    } catch (error) {
      this.#deps.log.error('a message could not be handled', { topic, why: String(error) });
    }
  }

  async #publish(topic: string, payload: Uint8Array, retain: boolean): Promise<void> {
    if (this.#connection === undefined || !this.#isOnline)
      throw new FirebreakError(
        'unreachable',
        `not connected to ${this.#deps.url}: ${(this.#lastReason ?? NO_ANSWER).message}`,
      );
    await this.#connection.publish(topic, payload, retain);
  }

  #gaveUp(patienceMs: number): FirebreakError {
    const reason = this.#lastReason ?? NO_ANSWER;
    return new FirebreakError(
      'unreachable',
      `gave up after ${patienceMs / 1000} s on ${this.#deps.url}: ${whyNot(reason)} (${reason.message})`,
    );
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
    if (signal?.aborted) finish();
  });
}

/** In the words of whoever asked to stop, where there are any. */
const stopped = (signal: AbortSignal | undefined): FirebreakError =>
  signal?.reason instanceof FirebreakError
    ? signal.reason
    : new FirebreakError('closed', 'asked to stop before the broker answered');
