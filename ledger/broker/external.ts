/**
 * The ledger as a client of any MQTT 3.1.1 broker. Writers publish there as they would to the embedded one; who may
 * publish what is then the broker's business, but every batch is signed and admitted by the same rules.
 *
 * A PUBLISH is acknowledged to the broker once the ledger has taken it in, not once it is committed: mqtt.js
 * reads the next only after that, and batches of many writers are to be under way at once. So PUBACK promises
 * nothing here; the receipt does, and writers send again what is not receipted. When the ledger is away, or
 * has as much under way as it may, the broker keeps what comes in the ledger's session, as far as the
 * broker's own bounds go.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Socket } from 'node:net';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { LimitedLog } from '../../host/limited-log.js';
import { unlessAborted, withTimeLimit } from '../../host/time-limit.js';
import { toHex } from '../../protocol/bytes.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { requireBrokerUrl, type BrokerLogin } from '../../courier/broker-url.js';
import type { Log } from '../../protocol/log.js';
import { ALL_ENTRIES_TOPIC, parseTopic } from '../../protocol/mqtt/topics.js';
import type { Ledger } from '../ledger.js';
import { ConnectionState } from './connection-state.js';
import { ReceiptOutbox } from './receipt-outbox.js';

const RETRY_MS = { first: 500, longest: 30_000 };
const CLOSE_MS = 1000;
const SUBSCRIBE_WITHIN_MS = 30_000;
/**
 * Under way at once, of all writers together: as much as the ledger takes in, so that it is the ledger that
 * turns a flood away, by its fair turns, and others' batches do not wait behind one in the broker.
 */
const MAX_UNDER_WAY = 4096;
const MAX_UNDER_WAY_BYTES = 64 * 1024 * 1024;

export interface ExternalBrokerOptions {
  readonly ledger: Pick<Ledger, 'submit'>;
  /** mqtt://, mqtts://, ws:// or wss://; TLS off loopback. */
  readonly url: string;
  readonly login?: BrokerLogin;
  /** The same at each start, so that the broker keeps the session; when absent, one of its own that keeps none. */
  readonly clientId?: string;
  /** For the first connection; a broker lost later is tried for ever. */
  readonly giveUpAfterMs?: number;
  /** A broker that by then has not acknowledged what is sent again, or not answered the subscription, is connected to anew. */
  readonly subscribeWithinMs?: number;
  /** Batches taken from the broker and not yet answered, at most; 1 acknowledges each once it is committed. */
  readonly maxUnderWay?: number;
  /** Wait before a lost broker is tried again; doubled with each try that fails, up to the longest. */
  readonly retryMs?: { readonly first: number; readonly longest: number };
  /** The host's time, of when the broker came or was lost. */
  readonly wallMs?: () => number;
  readonly log: Log;
}

export interface ExternalBroker {
  readonly url: string;
  /** Whether the ledger hears its writers there. */
  isConnected(): boolean;
  /** Since when it does or does not, in wall ms. */
  sinceMs(): number;
  /** Why it does not, as far as is known; it is tried again for ever. */
  failure(): string | undefined;
  /** Why receipts do not reach their writers, as far as is known. */
  receiptFailure(): string | undefined;
  close(): Promise<void>;
}

function clientOptions({ clientId, login, retryMs = RETRY_MS }: ExternalBrokerOptions): IClientOptions {
  return {
    protocolVersion: 4,
    clientId: clientId ?? `firebreak-ledger-${toHex(randomBytes(6))}`,
    clean: clientId === undefined,
    keepalive: 30,
    reconnectPeriod: retryMs.first,
    // Once it was let in, a broker that refuses it is most likely starting, and tried again as one that is away.
    reconnectOnConnackError: true,
    connectTimeout: 10_000,
    resubscribe: false,
    manualConnect: true,
    ...login,
  };
}

/** Whether the broker refused the connection (a CONNACK code of MQTT 3.1.1): waiting will not help. */
function isRefused(error: Error): boolean {
  return 'code' in error && typeof error.code === 'number' && error.code >= 1 && error.code <= 5;
}

class Session {
  readonly #client: MqttClient;
  readonly #options: ExternalBrokerOptions;
  readonly #receipts: ReceiptOutbox;
  readonly #retry: { readonly first: number; readonly longest: number };
  #retryMs: number;
  readonly #underWay = new Set<Promise<void>>();
  #underWayBytes = 0;
  /** Makes mqtt.js read the next packet; set while there is no room for it. */
  #resumeReading: (() => void) | undefined;
  #isClosing = false;
  /** The ledger itself ended the connection: its subscription was refused or not answered. */
  #isEndedHere = false;
  readonly state: ConnectionState;

  constructor(client: MqttClient, options: ExternalBrokerOptions) {
    this.#client = client;
    this.#options = options;
    this.state = new ConnectionState(options.wallMs ?? Date.now);
    this.#retry = options.retryMs ?? RETRY_MS;
    this.#retryMs = this.#retry.first;
    this.#receipts = new ReceiptOutbox(client, options.log, options.subscribeWithinMs ?? SUBSCRIBE_WITHIN_MS);
  }

  get failure(): string | undefined {
    return this.state.isConnected ? undefined : (this.#receipts.resending ?? this.state.failure);
  }

  get receiptFailure(): string | undefined {
    return this.#receipts.failure;
  }

  /** Resolves once the ledger hears its writers for the first time; from then on it reconnects by itself. */
  open(): Promise<void> {
    const { url, giveUpAfterMs = 60_000, log } = this.#options;
    const client = this.#client;
    client.handleMessage = (packet, done) => this.#take(packet, done);
    client.on('close', () => this.#onClose());
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
        this.state.failed(error.message);
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

  /** False when the connection is of no use; it is ended, and the next one tried. */
  async #subscribe(): Promise<boolean> {
    try {
      if ((await this.#grantedQos()) !== 1)
        throw new Error('it does not let the ledger subscribe to the entries of its writers');
      this.#retryMs = this.#retry.first;
      this.state.connected();
      this.#options.log.info('connected to the broker', { url: this.#options.url });
      return true;
    } catch (error) {
      this.state.failed(asError(error).message);
      this.#options.log.error('the broker is of no use', { why: String(error) });
      // Where the broker ended it, this comes behind the close, and would be told of the next connection.
      this.#isEndedHere = this.#client.connected;
      this.#client.stream.destroy();
      return false;
    }
  }

  /** Throws when the broker does not answer: mqtt.js would wait for that as long as the broker answers its pings. */
  #grantedQos(): Promise<number | undefined> {
    const { subscribeWithinMs = SUBSCRIBE_WITHIN_MS } = this.#options;
    return withTimeLimit(subscribeWithinMs, [], async (signal) => {
      const asked = this.#client.subscribeAsync(ALL_ENTRIES_TOPIC, { qos: 1 });
      const [grant] = await unlessAborted(asked, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
        throw new Error(`it did not answer the subscription within ${subscribeWithinMs} ms`);
      });
      return grant?.qos;
    });
  }

  #onClose(): void {
    const how = { wasSubscribed: this.state.isConnected, byLedger: this.#isEndedHere };
    this.state.lost();
    this.#isEndedHere = false;
    if (this.#isClosing) return;
    this.#receipts.lost(how);
    this.#retryMs = Math.min(this.#retryMs * 2, this.#retry.longest);
    this.#client.options.reconnectPeriod = this.#retryMs;
  }

  #take(packet: IPublishPacket | { readonly cmd: string }, done: (error?: Error) => void): void {
    const parsed = 'topic' in packet ? parseTopic(packet.topic) : undefined;
    if (!('topic' in packet) || parsed?.kind !== 'entries') return done();
    if (this.#isClosing) return; // not acknowledged: it stays with the broker
    const batch = Buffer.from(packet.payload);
    const answered = this.#commit(batch, parsed.writerId)
      .catch((error: unknown) => this.#notStored(error))
      .finally(() => this.#answered(answered, batch.length));
    this.#underWay.add(answered);
    this.#underWayBytes += batch.length;
    if (this.#hasRoom()) done();
    else this.#resumeReading = () => done();
  }

  #hasRoom(): boolean {
    return (
      this.#underWay.size < (this.#options.maxUnderWay ?? MAX_UNDER_WAY) &&
      this.#underWayBytes < MAX_UNDER_WAY_BYTES
    );
  }

  #answered(batch: Promise<void>, bytes: number): void {
    this.#underWay.delete(batch);
    this.#underWayBytes -= bytes;
    if (!this.#hasRoom()) return;
    const resumeReading = this.#resumeReading;
    this.#resumeReading = undefined;
    resumeReading?.();
  }

  /**
   * A batch that could not be stored gets no receipt, so its writer sends it again. What the broker holds is
   * left there for a while.
   */
  #notStored(error: unknown): void {
    this.#options.log.error('a batch could not be stored; its writer sends it again', { why: String(error) });
    this.#resumeReading = undefined;
    this.#client.stream.destroy();
  }

  /** mqtt.js would reconnect even after its end, when that comes while a connection is being refused. */
  stopReconnecting(): void {
    this.#isClosing = true;
    this.#client.options.reconnectPeriod = 0;
  }

  /** Takes nothing more, and waits a moment for the answers to what it took. */
  async finish(): Promise<void> {
    this.stopReconnecting();
    await untilCloseLimit(Promise.all(this.#underWay));
  }

  async #commit(batch: Uint8Array, writerId: Uint8Array): Promise<void> {
    const receipt = await this.#options.ledger.submit(batch, writerId);
    // The broker's PUBACK is not waited for: while there is no room, mqtt.js reads nothing before this batch
    // is answered.
    this.#receipts.publish(writerId, receipt);
  }
}

/** Until `work` is done, but not longer than {@link CLOSE_MS}. */
async function untilCloseLimit(work: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  const soon = sleep(CLOSE_MS, undefined, { signal: limit.signal }).catch(() => undefined);
  await Promise.race([work, soon]).finally(() => limit.abort());
}

/** Hands over the last receipts if the broker is there and takes them; does not wait for it long. */
async function endClient(client: MqttClient): Promise<void> {
  if (client.connected) await untilCloseLimit(client.endAsync());
  client.stream?.destroy();
  await client.endAsync(true);
}

/**
 * Takes batches for `ledger` from a broker run by somebody else. Throws `unreachable` when it gives up,
 * `input` as {@link requireBrokerUrl}.
 */
export async function openExternalBroker(options: ExternalBrokerOptions): Promise<ExternalBroker> {
  requireBrokerUrl(options.url);
  const client = mqtt.connect(options.url, clientOptions(options));
  const log = new LimitedLog(options.log);
  const session = new Session(client, { ...options, log });
  // A receipt sent right after a PUBACK is not to wait for the broker to acknowledge that (Nagle, RFC 896).
  client.on('connect', () => client.stream instanceof Socket && client.stream.setNoDelay(true));
  try {
    await session.open();
  } catch (error) {
    session.stopReconnecting();
    await client.endAsync(true);
    log.close();
    throw error;
  }
  return {
    url: options.url,
    isConnected: () => session.state.isConnected,
    sinceMs: () => session.state.sinceMs,
    failure: () => session.failure,
    receiptFailure: () => session.receiptFailure,
    close: async () => {
      await session.finish();
      await endClient(client);
      log.close();
    },
  };
}
