import { describe, expect, test } from 'vitest';
import {
  ALL_ENTRIES_TOPIC,
  DAY_KEYS_TOPIC,
  entriesTopic,
  NOTICES_TOPIC,
  parseTopic,
  receiptsTopic,
  REVOCATIONS_TOPIC,
  statusTopic,
} from '../../protocol/mqtt/topics.js';

const writerId = new Uint8Array(Buffer.from('926689577b9b57ba5b65ece499f442a9', 'hex'));
const base = 'firebreak/v1/writers/926689577b9b57ba5b65ece499f442a9';

describe('the topics of protocol.md §9', () => {
  test('of a writer are named by its id and come back', () => {
    expect(entriesTopic(writerId)).toBe(`${base}/entries`);
    expect(receiptsTopic(writerId)).toBe(`${base}/receipts`);
    expect(statusTopic(writerId)).toBe(`${base}/status`);
    expect(parseTopic(entriesTopic(writerId))).toEqual({ kind: 'entries', writerId });
    expect(parseTopic(receiptsTopic(writerId))).toEqual({ kind: 'receipts', writerId });
    expect(parseTopic(statusTopic(writerId))).toEqual({ kind: 'status', writerId });
  });

  test('of the authority come back', () => {
    expect(parseTopic(DAY_KEYS_TOPIC)).toEqual({ kind: 'day-keys' });
    expect(parseTopic(NOTICES_TOPIC)).toEqual({ kind: 'notices' });
    expect(parseTopic(REVOCATIONS_TOPIC)).toEqual({ kind: 'revocations' });
    expect(DAY_KEYS_TOPIC).toBe('firebreak/v1/authority/day-keys');
  });

  test.each([
    '',
    ALL_ENTRIES_TOPIC,
    'firebreak/v1/writers/#',
    `${base.toUpperCase()}/entries`,
    `${base.slice(0, -1)}/entries`,
    `${base}0/entries`,
    `${base}/entries/`,
    `${base}/entries\n`,
    `/${base}/entries`,
    `${base}/keys`,
    'firebreak/v2/authority/day-keys',
    'firebreak/v1/authority/day-keys/x',
    '$SYS/broker',
  ])('do not include %j', (topic) => expect(parseTopic(topic)).toBeUndefined());
});
