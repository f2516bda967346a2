/**
 * The receipts that the ledger publishes on a broker of somebody else. mqtt.js keeps each until the broker
 * acknowledges it, and after a lost connection sends what it kept before anything else. So a broker that ends
 * the connection at a receipt (its ACL denies the topic) would never let the ledger subscribe to entries
 * again. So all receipts are dropped once two connections in a row ended that way, and when a bound is
 * reached: a writer whose batch has no receipt sends it again, and is given the same one.
 */
import type { MqttClient } from 'mqtt';
import { asError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { receiptsTopic } from '../../protocol/mqtt/topics.js';

/**
 * Published and not acknowledged, at most: more than the batches under way, so that answers to all of them
 * have room.
 */
export const MAX_RECEIPTS = 8192;
const DENIED =
  'the broker ended the connection at a receipt: let the ledger publish to firebreak/v1/writers/+/receipts there';
const UNANSWERED = 'the broker does not acknowledge receipts';

export class ReceiptOutbox {
  readonly #client: MqttClient;
  readonly #log: Log;
  #waiting = 0;
  #isDropping = false;
  #isConnected = false;
  /** Connections in a row that the broker ended before the subscription while receipts waited. */
  #endedEarly = 0;
  #failure: string | undefined;

  constructor(client: MqttClient, log: Log) {
    this.#client = client;
    this.#log = log;
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'connack') this.#isConnected = packet.returnCode === 0;
    });
  }

  /** Why receipts were dropped, until the broker acknowledges one. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Returns at once; with no room left, even after dropping the others, the receipt is dropped. */
  publish(writerId: Uint8Array, receipt: Uint8Array): void {
    if (this.#waiting >= MAX_RECEIPTS) this.#dropAll(UNANSWERED);
    if (this.#waiting >= MAX_RECEIPTS) return;
    this.#waiting += 1;
    this.#client.publish(receiptsTopic(writerId), Buffer.from(receipt), { qos: 1 }, (error) => {
      this.#waiting -= 1;
      if (!this.#isDropping) this.#settle(error ? asError(error).message : undefined);
    });
  }

  /**
   * To be called when a connection ends. `wasSubscribed`: it got as far as the ledger's subscription.
   * `byLedger`: the ledger ended it. Only a second one in a row counts: one alone may end for many reasons.
   */
  lost({ wasSubscribed, byLedger }: { readonly wasSubscribed: boolean; readonly byLedger: boolean }): void {
    if (wasSubscribed) this.#endedEarly = 0;
    else if (this.#isConnected && !byLedger && this.#waiting > 0) this.#endedEarly += 1;
    this.#isConnected = false;
    if (this.#endedEarly < 2) return;
    this.#endedEarly = 0;
    this.#dropAll(DENIED);
  }

  #dropAll(why: string): void {
    this.#isDropping = true;
    for (const [id, { cmd }] of Object.entries(this.#client.outgoing))
      if (cmd === 'publish') this.#client.removeOutgoingMessage(Number(id));
    this.#isDropping = false;
    this.#settle(why);
  }

  #settle(failure: string | undefined): void {
    if (failure !== undefined && failure !== this.#failure)
      this.#log.warn('receipts cannot be handed over; writers send their batches again', { why: failure });
    if (failure === undefined && this.#failure !== undefined)
      this.#log.info('receipts are handed over again');
    this.#failure = failure;
  }
}
