/** What the embedded broker keeps of what is published retained. */
import { randomBytes } from 'node:crypto';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeConnectToken } from '../../protocol/mqtt/connect-token.js';
import { partyIdOf } from '../../protocol/keys.js';
import { DAY_KEYS_TOPIC, statusTopic } from '../../protocol/mqtt/topics.js';
import { brokerStage, writerAt } from './broker-stage.js';
import { issuer, officer } from './deployment.js';

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** What a broker has for whoever subscribes to `topic` from now on. */
async function keptBy(broker: unknown, topic: string): Promise<readonly string[]> {
  const { persistence } = broker as { persistence: AedesPersistence };
  const kept = [];
  for await (const { payload } of persistence.createRetainedStream(topic)) kept.push(`${payload}`);
  return kept;
}

interface AedesPersistence {
  createRetainedStream(pattern: string): AsyncIterable<{ readonly payload: Buffer }>;
}

test('keeps what the issuer publishes, and neither a writer’s status nor its last will', async () => {
  const publish = vi.spyOn(Aedes.prototype, 'publish');
  onTestFinished(() => publish.mockRestore());
  const { broker } = await brokerStage();
  const [aedes] = publish.mock.contexts;
  const authority = await writerAt(broker, issuer);
  await authority.client.publishAsync(DAY_KEYS_TOPIC, 'statements', { qos: 1, retain: true });
  const one = await writerAt(broker, officer);
  const heard = new Promise<string>((resolve) =>
    one.client.on('message', (topic, payload) => topic === DAY_KEYS_TOPIC && resolve(payload.toString())),
  );
  await one.client.subscribeAsync(DAY_KEYS_TOPIC, { qos: 1 });
  expect(await heard).toBe('statements');
  const topic = statusTopic(partyIdOf(officer.publicKey));
  await one.client.publishAsync(topic, '{}', { qos: 1, retain: true });
  expect(one.client.connected).toBe(true);
  const token = makeConnectToken(officer, Date.now(), randomBytes(16));
  const will = { topic, payload: Buffer.from('gone'), qos: 1, retain: true } as const;
  const other = await mqtt.connectAsync(broker.url, { ...token, will, reconnectPeriod: 0 }, false);
  other.stream.destroy();
  await expect.poll(() => publish.mock.calls.map(([{ payload }]) => `${payload}`)).toContain('gone');
  await turns(10);
  expect(await keptBy(aedes, topic)).toEqual([]);
  expect(await keptBy(aedes, DAY_KEYS_TOPIC)).toEqual(['statements']);
});
