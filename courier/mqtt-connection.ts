/**
 * One MQTT 3.1.1 connection from CONNECT to its end; uplink-mqtt.ts makes the next one. Each gets a client of its own,
 * without mqtt.js's own reconnecting: that would send again, before anything else and for ever, whatever the last
 * connection left without a PUBACK, and stays away for good after a refused CONNECT. What must arrive is in the spool.
 */
import { Socket } from 'node:net';
import { connect, ErrorWithSubackPacket } from 'mqtt';
import type { MqttClient } from 'mqtt';
import { asError, FirebreakError } from '../protocol/errors.js';

const CONNECT_TIMEOUT_MS = 10_000;
const PUBACK_TIMEOUT_MS = 30_000;
const END_WAIT_MS = 2_000;
const KEEPALIVE_SECONDS = 30;
/** Messages without a PUBACK at a time; one more is refused. */
const MAX_UNACKNOWLEDGED = 64;
const BAD_TOKEN = 4;
const NOT_AUTHORIZED = 5;

export interface MqttConnectionDeps {
  readonly url: string;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  /** Whether user name and password are a login for a broker of somebody else, and no connect token. */
  readonly isLogin: boolean;
  readonly will: { readonly topic: string; readonly payload: string };
  readonly onMessage: (topic: string, payload: Uint8Array) => void;
  readonly signal: AbortSignal;
  readonly pubackTimeoutMs?: number;
}

/**
 * Rejects `unreachable`, `permission` (the broker refused this writer) or `closed` (the signal), in words for
 * a person.
 */
export async function openMqttConnection(deps: MqttConnectionDeps): Promise<MqttConnection> {
  const { url, clientId, username, password, will, signal } = deps;
  if (signal.aborted) throw stopped();
  const client = connect(url, {
    clientId,
    username,
    password,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepalive: KEEPALIVE_SECONDS,
    queueQoSZero: false,
    resubscribe: false,
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
  });
  // Or a batch sent right after a PUBACK would wait 40 ms for the other side to acknowledge that (Nagle, RFC 896).
  if (client.stream instanceof Socket) client.stream.setNoDelay(true);
  const { pubackTimeoutMs = PUBACK_TIMEOUT_MS, isLogin } = deps;
  const connection = new MqttConnection(client, { pubackTimeoutMs, isLogin });
  client.on('message', (topic, payload) => deps.onMessage(topic, new Uint8Array(payload)));
  try {
    await connected(client, connection, signal);
    return connection;
  } catch (error) {
    await connection.end();
    throw error;
  }
}

async function connected(client: MqttClient, connection: MqttConnection, signal: AbortSignal): Promise<void> {
  let aborted: () => void = () => undefined;
  const outcome = new Promise<void>((resolve, reject) => {
    aborted = () => reject(stopped());
    signal.addEventListener('abort', aborted, { once: true });
    client.once('connect', () => resolve());
    void connection.closed.then(reject);
  });
  await outcome.finally(() => signal.removeEventListener('abort', aborted));
}

type ConnectionSettings = Required<Pick<MqttConnectionDeps, 'pubackTimeoutMs' | 'isLogin'>>;

export class MqttConnection {
  /** Resolves with the reason, however the connection ended. */
  readonly closed: Promise<FirebreakError>;
  readonly #client: MqttClient;
  readonly #settings: ConnectionSettings;
  #unacknowledged = 0;
  #lastError: Error | undefined;

  constructor(client: MqttClient, settings: ConnectionSettings) {
    this.#client = client;
    this.#settings = settings;
    client.on('error', (error: Error) => (this.#lastError ??= error));
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        client.end(true); // mqtt.js then fails what waits for a PUBACK
        resolve(this.#reasonOf(this.#lastError));
      });
    });
  }

  /** Resolves on PUBACK. Without one in time the connection is ended: within it nothing would be sent again. */
  async publish(topic: string, payload: Uint8Array, retain: boolean): Promise<void> {
    if (this.#unacknowledged >= MAX_UNACKNOWLEDGED)
      throw new FirebreakError('full', 'too many messages wait for the broker to acknowledge them');
    this.#unacknowledged += 1;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    const sent = this.#client.publishAsync(topic, bytes, { qos: 1, retain });
    await this.#inTime(sent, 'acknowledge a message').finally(() => (this.#unacknowledged -= 1));
  }

  /** Throws `permission` when the broker does not grant one of them. */
  async subscribe(topics: readonly string[]): Promise<void> {
    const asked = this.#client.subscribeAsync([...topics], { qos: 1 }).catch((error: unknown) => {
      throw isRefused(error) ? notGranted(error) : error;
    });
    await this.#inTime(asked, 'confirm the subscriptions');
  }

  /**
   * Sends DISCONNECT when nothing is outstanding, so that the last will is not published; breaks off
   * otherwise. Bounded.
   */
  async end(): Promise<void> {
    const client = this.#client;
    if (client.connected && this.#unacknowledged === 0) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, END_WAIT_MS)));
      await Promise.race([client.endAsync().catch(() => undefined), late]);
      clearTimeout(timer);
    }
    client.stream?.destroy();
    client.end(true);
  }

  async #inTime<T>(work: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new FirebreakError('timeout', `the broker did not ${what} in time`);
        this.#lastError ??= error;
        reject(error);
        this.#client.stream.destroy();
      }, this.#settings.pubackTimeoutMs);
    });
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      throw error instanceof FirebreakError ? error : this.#reasonOf(this.#lastError ?? asError(error));
    } finally {
      clearTimeout(timer);
    }
  }

  #reasonOf(error: Error | undefined): FirebreakError {
    return reasonOf(error, this.#settings.isLogin);
  }
}

const stopped = (): FirebreakError => new FirebreakError('closed', 'asked to stop');

/**
 * Whether the SUBACK refused a topic. When the connection ends first, mqtt.js throws the same error without a
 * packet.
 */
function isRefused(error: unknown): boolean {
  const packet: unknown = error instanceof ErrorWithSubackPacket ? error.packet : undefined;
  return packet !== undefined;
}

const notGranted = (cause: unknown): FirebreakError =>
  new FirebreakError(
    'permission',
    'the broker does not let this writer listen to its topics: its access rules have to allow it',
    { cause },
  );

/** Why the connection ended, in words that say what a person can do about it. */
function reasonOf(error: Error | undefined, isLogin: boolean): FirebreakError {
  if (error instanceof FirebreakError) return error;
  const code = error && 'code' in error ? error.code : undefined;
  if (isLogin && (code === BAD_TOKEN || code === NOT_AUTHORIZED)) {
    const words = 'the broker does not accept the login in the file broker.login of the data folder';
    return new FirebreakError('permission', words, { cause: error });
  }
  if (code === BAD_TOKEN) {
    const words =
      'the broker does not accept the connect token: do the clocks of this host and the ledger’s agree?';
    return new FirebreakError('permission', words, { cause: error });
  }
  if (code === NOT_AUTHORIZED) {
    const words =
      'the ledger does not know this writer: the authority has to certify it first, or the ledger’s configuration to name it; ' +
      'or it leaves a last will that it may not';
    return new FirebreakError('permission', words, { cause: error });
  }
  const why = error?.message || (typeof code === 'string' ? code : 'the broker ended the connection');
  return new FirebreakError('unreachable', why, { cause: error });
}
