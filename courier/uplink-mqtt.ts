/**
 * The uplink over MQTT 3.1.1 (mqtt.js), QoS 1, with a fresh signed token at each connection (docs/protocol.md, "Connect
 * token"). Reconnects for ever with growing pauses; the first connection gives up after a stated time.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'mqtt';
import type { MqttClient } from 'mqtt';
import { toHex } from '../protocol/bytes.js';
import { makeConnectToken } from '../protocol/connect-token.js';
import type { Signer } from '../protocol/ed25519.js';
import { FirebreakError } from '../protocol/errors.js';
import { partyIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import { entriesTopic, receiptsTopic, statusTopic } from '../protocol/topics.js';
import type { Uplink } from './uplink.js';

const NONCE_BYTES = 16;
const PUBLISH_TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
const CLOSE_WAIT_MS = 2_000;

export interface UplinkMqttDeps {
  /** Such as mqtt://127.0.0.1:1883. */
  readonly url: string;
  readonly signer: Signer;
  readonly log: Log;
  /** What the broker tells others when this writer is gone without a word. */
  readonly lastWill: string;
  /** The first connection is given up after this. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

/** Connects, once. Rejects `unreachable` when no broker answers in time, saying how long it waited and why. */
export async function openMqttUplink(deps: UplinkMqttDeps): Promise<Uplink> {
  const uplink = new MqttUplink(deps);
  try {
    await uplink.firstConnection(deps.patienceMs ?? 60_000, deps.signal);
    return uplink;
  } catch (error) {
    await uplink.close();
    throw error;
  }
}

class MqttUplink implements Uplink {
  readonly #deps: UplinkMqttDeps;
  readonly #writerId: Uint8Array;
  readonly #client: MqttClient;
  readonly #listeners = new Map<string, (payload: Uint8Array) => void>();
  readonly #onlineListeners: (() => void)[] = [];
  #isOnline = false;
  #pauseMs = FIRST_PAUSE_MS;
  #lastError = 'no answer';

  constructor(deps: UplinkMqttDeps) {
    this.#deps = deps;
    this.#writerId = partyIdOf(deps.signer.publicKey);
    this.#client = connect(deps.url, {
      ...this.#credentials(),
      clientId: toHex(this.#writerId),
      clean: true,
      reconnectPeriod: FIRST_PAUSE_MS,
      connectTimeout: 10_000,
      keepalive: 30,
      queueQoSZero: false,
      resubscribe: false,
      will: { topic: statusTopic(this.#writerId), payload: Buffer.from(deps.lastWill), qos: 1, retain: true },
    });
    this.#listen();
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  firstConnection(patienceMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        finish();
      };
      const giveUp = (): void =>
        settle(() => reject(this.#unreachable(`gave up after ${patienceMs / 1000} s`)));
      const aborted = (): void =>
        settle(() => reject(new FirebreakError('closed', 'asked to stop before the broker answered')));
      const timer = setTimeout(giveUp, patienceMs);
      signal?.addEventListener('abort', aborted, { once: true });
      if (signal?.aborted) aborted();
      this.onOnline(() => settle(resolve));
    });
  }

  publishBatch(batch: Uint8Array): Promise<void> {
    return this.#publish(entriesTopic(this.#writerId), batch, false);
  }

  publishRetained(topic: string, payload: Uint8Array): Promise<void> {
    return this.#publish(topic, payload, true);
  }

  async publishStatus(status: string): Promise<void> {
    await this.#publish(statusTopic(this.#writerId), Buffer.from(status), true).catch(() => undefined);
  }

  onReceipt(listener: (receipt: Uint8Array) => void): void {
    this.#listeners.set(receiptsTopic(this.#writerId), listener);
  }

  async subscribe(topic: string, listener: (payload: Uint8Array) => void): Promise<void> {
    this.#listeners.set(topic, listener);
    if (this.#isOnline) await this.#client.subscribeAsync(topic, { qos: 1 });
  }

  onOnline(listener: () => void): void {
    this.#onlineListeners.push(listener);
    if (this.#isOnline) listener();
  }

  async close(): Promise<void> {
    const ended = this.#client.endAsync(!this.#isOnline).catch(() => undefined);
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WAIT_MS).unref());
    await Promise.race([ended, late]);
    if (!this.#client.disconnected) await this.#client.endAsync(true).catch(() => undefined);
    this.#isOnline = false;
  }

  #credentials(): { username: string; password: Buffer } {
    const { username, password } = makeConnectToken(this.#deps.signer, Date.now(), randomBytes(NONCE_BYTES));
    return { username, password: Buffer.from(password, 'latin1') };
  }

  #listen(): void {
    const client = this.#client;
    client.on('connect', () => void this.#nowOnline());
    client.on('reconnect', () => Object.assign(client.options, this.#credentials()));
    client.on('close', () => this.#nowOffline());
    client.on('error', (error: Error) => this.#note(error));
    client.on('message', (topic, payload) => this.#listeners.get(topic)?.(new Uint8Array(payload)));
  }

  async #nowOnline(): Promise<void> {
    try {
      const topics = new Set([receiptsTopic(this.#writerId), ...this.#listeners.keys()]);
      await this.#client.subscribeAsync([...topics], { qos: 1 });
    } catch (error) {
      this.#note(error as Error);
      this.#client.reconnect();
      return;
    }
    this.#isOnline = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#client.options.reconnectPeriod = FIRST_PAUSE_MS;
    this.#deps.log.info('connected to the broker', { broker: this.#deps.url });
    for (const listener of this.#onlineListeners) listener();
  }

  #nowOffline(): void {
    const wasOnline = this.#isOnline;
    this.#isOnline = false;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    this.#client.options.reconnectPeriod = Math.round(this.#pauseMs * (0.75 + Math.random() / 2));
    if (this.#client.disconnecting) return;
    const fields = {
      broker: this.#deps.url,
      why: this.#lastError,
      againInMs: this.#client.options.reconnectPeriod,
    };
    this.#deps.log.warn(
      wasOnline ? 'the broker is gone; trying again' : 'no broker answers; trying again',
      fields,
    );
  }

  #note(error: Error): void {
    this.#lastError = error.message || (error as NodeJS.ErrnoException).code || 'no answer';
  }

  async #publish(topic: string, payload: Uint8Array, retain: boolean): Promise<void> {
    if (!this.#isOnline) throw this.#unreachable('not connected');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const timeout = new FirebreakError(
        'timeout',
        `the broker at ${this.#deps.url} did not take a message in time`,
      );
      timer = setTimeout(() => reject(timeout), PUBLISH_TIMEOUT_MS);
    });
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    const sent = this.#client.publishAsync(topic, bytes, { qos: 1, retain }).then(() => undefined);
    await Promise.race([sent, late]).finally(() => clearTimeout(timer));
  }

  #unreachable(what: string): FirebreakError {
    return new FirebreakError(
      'unreachable',
      `no MQTT broker takes this writer at ${this.#deps.url} (${what}; last: ${this.#lastError}): is the ledger running?`,
    );
  }
}
