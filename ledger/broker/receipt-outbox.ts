/**
 * The receipts that the ledger publishes on a broker of somebody else. mqtt.js keeps each until the broker
 * acknowledges it, and after a lost connection sends what it kept before anything else: one after the other,
 * and without any limit of time. So a broker that ends the connection at a receipt (its ACL denies the topic),
 * or never acknowledges one, would never let the ledger subscribe to entries again. So all receipts are
 * dropped once two connections in a row ended that way, when sending again takes too long, and when a bound
 * is reached: a writer whose batch has no receipt sends it again, and is given the same one.
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
const UNANSWERED = 'the broker does not acknowledge receipts: see its log, or restart it';
const RESENDING = 'the broker has not acknowledged yet the receipts that are sent to it again';

export class ReceiptOutbox {
  readonly #client: MqttClient;
  readonly #log: Log;
  #waiting = 0;
  #isDropping = false;
  #isConnected = false;
  /** Connections in a row that the broker ended before the subscription while receipts waited. */
  #endedEarly = 0;
  /** Runs while mqtt.js sends again what the connection before left behind. */
  #resending: NodeJS.Timeout | undefined;
  #tookTooLong = false;
  #failure: string | undefined;

  /** `resendWithinMs`: a connection that is not done with sending again by then is ended. */
  constructor(client: MqttClient, log: Log, resendWithinMs: number) {
    this.#client = client;
    this.#log = log;
    client.on('packetreceive', (packet) => {
      if (packet.cmd !== 'connack') return;
      this.#isConnected = packet.returnCode === 0;
      this.#stopWaiting();
      if (this.#isConnected) this.#resending = setTimeout(() => this.#endLate(), resendWithinMs);
    });
    client.on('connect', () => this.#stopWaiting()); // only now: mqtt.js is done with sending again
    client.on('close', () => this.#stopWaiting());
  }

  /** Why receipts were dropped, until the broker acknowledges one. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Why the ledger cannot subscribe yet, while receipts are sent again. */
  get resending(): string | undefined {
    return this.#resending && RESENDING;
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
    const why = this.#tookTooLong ? UNANSWERED : DENIED;
    if (!this.#tookTooLong && this.#endedEarly < 2) return;
    this.#endedEarly = 0;
    this.#tookTooLong = false;
    // Not before mqtt.js has heard that the connection ended: it would go on, and say it is connected.
    queueMicrotask(() => this.#dropAll(why));
  }

  #endLate(): void {
    this.#tookTooLong = true;
    this.#client.stream.destroy();
  }

  #stopWaiting(): void {
    clearTimeout(this.#resending);
    this.#resending = undefined;
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
