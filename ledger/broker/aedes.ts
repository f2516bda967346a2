/**
 * The embedded MQTT broker (aedes, MQTT 3.1.1): how writers reach a ledger that runs alone.
 *
 * aedes acknowledges a PUBLISH once `authorizePublish` calls back, so a batch is committed inside it: PUBACK implies
 * stored. What the ledger refuses is said in a signed receipt; an error would end the connection, and the writer would
 * send the same batch for ever. Sessions do not outlive connections: what a writer has not seen receipted, it keeps.
 */
import type { EventEmitter } from 'node:events';
import { Aedes, type Client } from 'aedes';
import { LimitedLog } from '../../host/limited-log.js';
import { MAX_BATCH_LENGTH } from '../../protocol/mqtt/batch.js';
import { toHex } from '../../protocol/bytes.js';
import { checkConnectToken } from '../../protocol/mqtt/connect-token.js';
import { partyIdOf } from '../../protocol/keys.js';
import { asError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { parseTopic, receiptsTopic } from '../../protocol/mqtt/topics.js';
import { maySubscribe, publishVerdict, type PublishVerdict } from './topic-access.js';
import { ConnectedWriters } from './connected-writers.js';
import { Connections } from './connections.js';
import { GatedConnection } from './gated-connection.js';
import type { Ledger } from '../ledger.js';

const MAX_PUBLISH_BYTES = MAX_BATCH_LENGTH + 1024;
/** Of one message that is kept in memory: a retained statement, or the last will of a writer while it is connected. */
const MAX_RETAINED_BYTES = 512 * 1024;
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
/**
 * Every four heartbeats aedes publishes the last wills of each broker, its own too, that by the host's clock
 * gave no sign of life for three. With its default of a minute, a clock that leaps ahead would publish the
 * wills of writers that are connected. There is no other broker whose wills could be published, since they
 * are kept in memory here; so this is as long as can be: four of them, 23 days, must stay below 2^31 ms, or
 * the timer goes off at once.
 */
const HEARTBEAT_MS = 500_000_000;
/** The message of aedes' error for a client that was silent for one and a half times its keep-alive. */
const KEEPALIVE_OVER = 'keep alive timeout';
const BAD_TOKEN = 4;
const NOT_AUTHORIZED = 5;

export interface BrokerOptions {
  readonly ledger: Pick<Ledger, 'submit' | 'knows'>;
  /** Alone may publish on the authority's topics. */
  readonly issuerPublicKey: Uint8Array;
  /** Loopback unless something in front of it does TLS. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly maxConnections?: number;
  /** The host's time, for the freshness of connect tokens. */
  readonly wallMs?: () => number;
  readonly tokenToleranceMs?: number;
  /**
   * A connection that has not taken all that waits for it within so many wall ms is ended, also while it is
   * taking it.
   */
  readonly drainTimeoutMs?: number;
  /** Bytes that may wait for a connection; with more it is ended at once. */
  readonly maxUnsentBytes?: number;
  readonly log: Log;
}

export interface Broker {
  readonly url: string;
  /** Connections that are open, of writers known and not yet known. */
  connections(): number;
  /** The writer ids of known writers that are connected, in hexadecimal digits. */
  connectedWriters(): readonly string[];
  /** Takes in nothing more, and waits up to a second until what it took in has its PUBACK and receipt. */
  close(): Promise<void>;
}

/** Refused at CONNECT; the code goes into CONNACK. */
class ConnectRefusal extends Error {
  readonly returnCode: typeof BAD_TOKEN | typeof NOT_AUTHORIZED;

  constructor(returnCode: typeof BAD_TOKEN | typeof NOT_AUTHORIZED, message: string) {
    super(message);
    this.returnCode = returnCode;
  }
}

/** A PUBLISH as aedes hands it over, or a last will. */
interface Publish {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: number;
  readonly retain: boolean;
}

type Incoming = Publish & { retain: boolean };

/** A view of what was read: nobody writes there again. */
const bytesOf = ({ payload }: Publish): Buffer =>
  typeof payload === 'string' ? Buffer.from(payload) : payload;

/** Who may connect, publish and subscribe, and the receipts to those who published. */
class BrokerRules {
  readonly #options: BrokerOptions;
  /** Who is behind a connection, once it showed a token. */
  readonly #writers = new WeakMap<Client, Uint8Array>();
  /** The last will of each CONNECT that is not decided yet. */
  readonly #wills = new WeakMap<Client, Publish>();
  #receiptsUnderWay = 0;
  readonly connected: ConnectedWriters;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.connected = new ConnectedWriters((writer) =>
      options.log.warn('a writer has too many connections; its oldest is ended', { writer }),
    );
  }

  /** Published and not yet written to all connections of their writers. */
  get receiptsUnderWay(): number {
    return this.#receiptsUnderWay;
  }

  /** To be called before `authenticate`, with the last will in the CONNECT. */
  keepWill(client: Client, will: Publish): void {
    this.#wills.set(client, will);
  }

  /** Throws a ConnectRefusal. */
  authenticate(client: Client, username: string | undefined, password: Buffer | undefined): void {
    const { ledger, wallMs = Date.now, tokenToleranceMs = 120_000, log } = this.#options;
    const will = this.#wills.get(client);
    this.#wills.delete(client);
    let publicKey: Uint8Array;
    try {
      const check = { username: username ?? '', wallMs: wallMs(), toleranceMs: tokenToleranceMs };
      publicKey = checkConnectToken(password?.toString('latin1') ?? '', check);
    } catch (error) {
      log.warn('a connection to the broker was refused', { why: asError(error).message });
      throw new ConnectRefusal(BAD_TOKEN, 'the connect token is not valid');
    }
    const writerId = partyIdOf(publicKey);
    if (!ledger.knows(publicKey)) {
      log.warn('a writer that nobody vouched for was refused', { writer: toHex(writerId) });
      throw new ConnectRefusal(NOT_AUTHORIZED, 'this writer is not known to the ledger');
    }
    if (will !== undefined && this.#verdict(will, writerId) !== 'deliver') {
      log.warn('a writer was refused for its last will', { writer: toHex(writerId) });
      throw new ConnectRefusal(NOT_AUTHORIZED, 'this writer may not leave this will');
    }
    this.#writers.set(client, writerId);
    // Only its own earlier connection gives way to a new one of the same client id.
    client.id = `${toHex(writerId)}/${client.id}`;
    this.connected.add(client, toHex(writerId));
  }

  /**
   * For each PUBLISH, and each last will when it is due: resolves when aedes may acknowledge it, with what to
   * do after that, if anything. Rejects when the connection is to end: a topic that is not the writer's, or a
   * ledger that cannot store.
   */
  async admit(broker: Aedes, client: Client | null, packet: Incoming): Promise<(() => void) | undefined> {
    const writerId = client === null ? undefined : this.#writers.get(client);
    const verdict = writerId && this.#verdict(packet, writerId);
    if (writerId === undefined || verdict === 'refuse') throw new Error('this writer may not publish this');
    if (verdict !== 'commit') {
      // Nobody may hear a status, and each SUBSCRIBE would go over all that are kept.
      if (parseTopic(packet.topic)?.kind === 'status') packet.retain = false;
      return undefined;
    }
    const receipt = await this.#options.ledger.submit(bytesOf(packet), writerId);
    return () => this.#sendReceipt(broker, writerId, receipt);
  }

  #verdict(packet: Publish, writerId: Uint8Array): PublishVerdict {
    const verdict = publishVerdict(packet, writerId, this.#options.issuerPublicKey);
    return verdict === 'deliver' && bytesOf(packet).length > MAX_RETAINED_BYTES ? 'refuse' : verdict;
  }

  maySubscribe(client: Client, topic: string): boolean {
    const writerId = this.#writers.get(client);
    return writerId !== undefined && maySubscribe(topic, writerId);
  }

  /** Logs why aedes ended the connection of a known writer, unless it was merely lost. */
  tellEnd(client: Client, error: Error): void {
    const writerId = this.#writers.get(client);
    const wasLost = client.closed || 'syscall' in error || error.message === KEEPALIVE_OVER;
    if (writerId === undefined || wasLost) return;
    this.#options.log.warn('a connection of a writer was ended', {
      writer: toHex(writerId),
      why: error.message,
    });
  }

  #sendReceipt(broker: Aedes, writerId: Uint8Array, receipt: Uint8Array): void {
    const { maxUnsentBytes = MAX_UNSENT_BYTES } = this.#options;
    for (const { conn } of this.connected.of(toHex(writerId)))
      if (conn.writableLength > maxUnsentBytes)
        conn.destroy(new Error(`more than ${maxUnsentBytes} bytes wait for it`));
    const packet = { cmd: 'publish', topic: receiptsTopic(writerId), payload: Buffer.from(receipt) } as const;
    this.#receiptsUnderWay += 1;
    broker.publish({ ...packet, qos: 1, dup: false, retain: false }, (error) => {
      this.#receiptsUnderWay -= 1;
      if (error) this.#options.log.warn('a receipt could not be handed over', { writer: toHex(writerId) });
    });
  }
}

function createAedes(rules: BrokerRules, drainTimeout: number): Promise<Aedes> {
  const opening: Promise<Aedes> = Aedes.createBroker({
    connectTimeout: 10_000,
    // No bound over all writers: each message waits until it is written, and those to a writer that stopped
    // reading would keep the others' from going out. What one writer has under way is bounded by its
    // connections.
    concurrency: 0,
    drainTimeout,
    heartbeatInterval: HEARTBEAT_MS,
    preConnect: (client, packet, done) => {
      packet.clean = true;
      if (packet.will) rules.keepWill(client, { qos: 0, retain: false, ...packet.will });
      done(null, true);
    },
    authenticate: (client, username, password, done) => {
      try {
        rules.authenticate(client, username, password);
        done(null, true);
      } catch (error) {
        done(error instanceof ConnectRefusal ? error : new ConnectRefusal(NOT_AUTHORIZED, 'refused'), false);
      }
    },
    authorizePublish: (client, packet, done) => {
      opening
        .then((broker) => rules.admit(broker, client, packet))
        .then(
          (afterwards) => {
            done(null);
            afterwards?.();
          },
          (error: unknown) => done(asError(error)),
        )
        .finally(() => client?.conn instanceof GatedConnection && client.conn.answered());
    },
    authorizeSubscribe: (client, subscription, done) => {
      done(null, rules.maySubscribe(client, subscription.topic) ? subscription : null);
    },
  });
  return opening;
}

/** Takes batches for `ledger` over MQTT, which stays the caller's to close, after the broker. Throws `port-in-use`. */
export async function openAedesBroker(options: BrokerOptions): Promise<Broker> {
  const host = options.host ?? '127.0.0.1';
  const log = new LimitedLog(options.log);
  const rules = new BrokerRules({ ...options, log });
  const broker = await createAedes(rules, options.drainTimeoutMs ?? 20_000);
  const emitter: EventEmitter = broker;
  // Without a listener the process would end.
  emitter.on('error', (error: Error) => log.error('the broker failed at something', { why: error.message }));
  broker.on('clientError', (client, error) => rules.tellEnd(client, error));
  const maxConnections = options.maxConnections ?? 4096;
  const onConnection = (connection: GatedConnection) => void broker.handle(connection);
  const onDropped = () =>
    log.warn('a connection to the broker was dropped: it has as many as it takes', { most: maxConnections });
  const connections = new Connections({
    maxConnections,
    maxPublishBytes: MAX_PUBLISH_BYTES,
    onDropped,
    onConnection,
  });
  const closeAedes = () => new Promise<void>((resolve) => broker.close(() => resolve()));
  const close = async (): Promise<void> => {
    await connections.finish(() => rules.receiptsUnderWay === 0);
    await closeAedes();
    await connections.close();
    log.close();
  };
  try {
    const port = await connections.listen(host, options.port);
    return {
      url: `mqtt://${host.includes(':') ? `[${host}]` : host}:${port}`,
      connections: () => connections.size,
      connectedWriters: () => rules.connected.ids(),
      close,
    };
  } catch (error) {
    await closeAedes();
    log.close();
    throw error;
  }
}
