/**
 * The ledger as a client of any MQTT 3.1.1 broker. Writers publish there as they would to the embedded one; who may
 * publish what is then the broker's business, but every batch is signed and admitted by the same rules.
 *
 * A PUBLISH is acknowledged to the broker once it is committed: mqtt.js sends PUBACK when `handleMessage` calls back. When the
 * ledger is away the broker keeps its session, with the batches in it, as far as the broker's own bounds go; writers
 * send again what is not receipted.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Socket } from 'node:net';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { toHex } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import { requireBrokerUrl } from '../courier/broker-url.js';
import type { Log } from '../protocol/log.js';
import { ALL_ENTRIES_TOPIC, parseTopic, receiptsTopic } from '../protocol/topics.js';
import type { Ledger } from './ledger.js';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const CLOSE_MS = 1000;

export interface ExternalBrokerOptions {
  readonly ledger: Pick<Ledger, 'submit'>;
  /** mqtt://, mqtts://, ws:// or wss://; TLS off loopback. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** The same at each start, so that the broker keeps the session; a random one keeps none. */
  readonly clientId?: string;
  /** For the first connection; a broker lost later is tried for ever. */
  readonly giveUpAfterMs?: number;
  readonly log: Log;
}

export interface ExternalBroker {
  readonly url: string;
  isConnected(): boolean;
  close(): Promise<void>;
}

function clientOptions({ clientId, username, password }: ExternalBrokerOptions): IClientOptions {
  return {
    protocolVersion: 4,
    clientId: clientId ?? `firebreak-ledger-${toHex(randomBytes(6))}`,
    clean: clientId === undefined,
    keepalive: 30,
    reconnectPeriod: FIRST_RETRY_MS,
    connectTimeout: 10_000,
    resubscribe: false,
    manualConnect: true,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

/** What a broker says no to will not get better by waiting: MQTT's CONNACK codes. */
function isRefused(error: Error): boolean {
  return 'code' in error && typeof error.code === 'number' && error.code >= 1 && error.code <= 5;
}

class Session {
  readonly #client: MqttClient;
  readonly #options: ExternalBrokerOptions;
  #retryMs = FIRST_RETRY_MS;

  constructor(client: MqttClient, options: ExternalBrokerOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Resolves once the ledger hears its writers for the first time; from then on it reconnects by itself. */
  open(): Promise<void> {
    const { url, giveUpAfterMs = 60_000, log } = this.#options;
    const client = this.#client;
    client.handleMessage = (packet, done) => this.#take(packet, done);
    client.on('close', () => this.#backOff());
    return new Promise((resolve, reject) => {
      const fail = (why: string, cause?: unknown) => {
        clearTimeout(timer);
        reject(new FirebreakError('unreachable', `the broker at ${url} ${why}`, { cause }));
      };
      const timer = setTimeout(
        () => fail(`was not there for ${giveUpAfterMs} ms: check that it is running`),
        giveUpAfterMs,
      );
      client.on('error', (error) => {
        log.warn('the broker connection failed', { why: error.message });
        if (isRefused(error)) fail(`refused the ledger: ${error.message}`, error);
      });
      client.on('connect', () => {
        void this.#subscribe().then((heard) => {
          if (!heard) return;
          clearTimeout(timer);
          resolve();
        });
      });
      client.connect();
    });
  }

  /** False when this connection is of no use; the next one is tried. */
  async #subscribe(): Promise<boolean> {
    try {
      const [grant] = await this.#client.subscribeAsync(ALL_ENTRIES_TOPIC, { qos: 1 });
      if (grant?.qos !== 1)
        throw new Error('it does not let the ledger subscribe to the entries of its writers');
      this.#retryMs = FIRST_RETRY_MS;
      this.#options.log.info('connected to the broker', { url: this.#options.url });
      return true;
    } catch (error) {
      this.#options.log.error('the broker is of no use', { why: String(error) });
      this.#client.stream.destroy();
      return false;
    }
  }

  #backOff(): void {
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    this.#client.options.reconnectPeriod = this.#retryMs;
  }

  #take(packet: IPublishPacket | { readonly cmd: string }, done: (error?: Error) => void): void {
    const parsed = 'topic' in packet ? parseTopic(packet.topic) : undefined;
    if (!('topic' in packet) || parsed?.kind !== 'entries') return done();
    this.#commit(Buffer.from(packet.payload), parsed.writerId).then(
      () => done(),
      (error: unknown) => {
        this.#options.log.error('a batch was left with the broker', { why: String(error) });
        done(error instanceof Error ? error : new Error(String(error)));
        // Not acknowledged, and the broker offers it again only on a new connection.
        this.#client.stream.destroy();
      },
    );
  }

  async #commit(batch: Uint8Array, writerId: Uint8Array): Promise<void> {
    const receipt = await this.#options.ledger.submit(batch, writerId);
    // Awaiting the broker's PUBACK here would wait for ever: mqtt.js reads on only after this batch is done.
    this.#client.publish(receiptsTopic(writerId), Buffer.from(receipt), { qos: 1 }, (error) => {
      if (error) this.#options.log.warn('a receipt could not be handed over', { writer: toHex(writerId) });
    });
  }
}

/** Hands over the last receipts if the broker is there and takes them; does not wait for it longer than that. */
async function endClient(client: MqttClient): Promise<void> {
  const limit = new AbortController();
  if (client.connected) {
    await Promise.race([
      client.endAsync(),
      sleep(CLOSE_MS, undefined, { signal: limit.signal }).catch(() => undefined),
    ]);
  }
  limit.abort();
  client.stream?.destroy();
  await client.endAsync(true);
}

/** Takes batches for `ledger` from a broker run by somebody else. Throws `unreachable` when it gives up. */
export async function openExternalBroker(options: ExternalBrokerOptions): Promise<ExternalBroker> {
  requireBrokerUrl(options.url);
  const client = mqtt.connect(options.url, clientOptions(options));
  // A receipt sent right after a PUBACK is not to wait for the broker to acknowledge that (Nagle, RFC 896).
  client.on('connect', () => client.stream instanceof Socket && client.stream.setNoDelay(true));
  try {
    await new Session(client, options).open();
  } catch (error) {
    await client.endAsync(true);
    throw error;
  }
  return {
    url: options.url,
    isConnected: () => client.connected,
    close: () => endClient(client),
  };
}
