/** A writer of the ledger's tests over real MQTT: sends batches with QoS 1 and collects receipts. */
import { randomBytes } from 'node:crypto';
import mqtt, { type MqttClient } from 'mqtt';
import { makeConnectToken } from '../../protocol/mqtt/connect-token.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import { entriesTopic, receiptsTopic } from '../../protocol/mqtt/topics.js';

export interface MqttWriter {
  readonly client: MqttClient;
  /** Resolves on PUBACK. */
  publish(batch: Uint8Array): Promise<void>;
  /** The next receipt not yet taken. */
  receipt(): Promise<Uint8Array>;
}

export async function connectWriter(url: string, signer: Signer): Promise<MqttWriter> {
  const writerId = partyIdOf(signer.publicKey);
  const token = makeConnectToken(signer, Date.now(), randomBytes(16));
  const client = await mqtt.connectAsync(url, { ...token, reconnectPeriod: 0, connectTimeout: 5000 }, false);
  const arrived: Uint8Array[] = [];
  const wanted: ((receipt: Uint8Array) => void)[] = [];
  client.on('message', (_topic, payload) => {
    const take = wanted.shift();
    if (take === undefined) arrived.push(payload);
    else take(payload);
  });
  await client.subscribeAsync(receiptsTopic(writerId), { qos: 1 });
  return {
    client,
    publish: async (batch) =>
      void (await client.publishAsync(entriesTopic(writerId), Buffer.from(batch), { qos: 1 })),
    receipt: () => {
      const first = arrived.shift();
      return first === undefined ? new Promise((resolve) => wanted.push(resolve)) : Promise.resolve(first);
    },
  };
}
