/** What goes out on the retained topics when one of them makes trouble. */
import { expect, it } from 'vitest';
import { noticeBook } from '../../authority/notices/notice-book.js';
import { openPublisher } from '../../authority/publisher.js';
import { memoryRecords } from '../../authority/records/records-memory.js';
import { statementBook } from '../../authority/statement-book.js';
import { asUnixMs } from '../../protocol/brands.js';
import { splitRevocations } from '../../protocol/mqtt/authority-topics.js';
import { DAY_KEYS_TOPIC, NOTICES_TOPIC, REVOCATIONS_TOPIC } from '../../protocol/mqtt/topics.js';
import { openRevocation, signRevocation } from '../../protocol/session/revocation.js';
import { signNotice } from '../../protocol/tag/notice.js';
import { splitNotices } from '../../protocol/tag/notice-list.js';
import { issuer, newWorld, secretOf, TODAY } from './fixture.js';

/** A publisher of one logged notice and of whatever else is put into the book. */
async function staged() {
  const world = newWorld();
  const records = memoryRecords();
  const [book, notices] = [statementBook(records), noticeBook(records)];
  const content = { day: TODAY, number: 1, code: 1, tokens: [secretOf('token').slice(0, 8)] };
  await notices.add(signNotice(issuer, content, someBytes), 5);
  await notices.note(1, 'logged');
  const errors = () => world.logged.filter(({ level }) => level === 'error').map(({ fields }) => fields);
  return { world, records, book, notices, errors };
}

const someBytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);

it('more revocations than their topic holds go out as far as it holds them, the newest, and keep no notice back', async () => {
  const { world, records, book, notices, errors } = await staged();
  const rows = Array.from({ length: 4097 }, (_, k) => {
    const gatewayId = secretOf(`gateway ${k}`).slice(0, 16);
    const signed = signRevocation(issuer, { gatewayId, fromMs: asUnixMs(k) });
    return [`revocation/${Buffer.from(gatewayId).toString('hex')}`, signed] as const;
  });
  await records.write(rows);
  const publisher = openPublisher({ ...world.deps, book, notices });
  publisher.publishSoon();
  expect(await publisher.settled()).toBe(true);
  expect(splitNotices(world.retained.get(NOTICES_TOPIC) ?? new Uint8Array())).toHaveLength(1);
  const told = splitRevocations(world.retained.get(REVOCATIONS_TOPIC) ?? new Uint8Array());
  expect(told).toHaveLength(4096);
  expect(openRevocation(told[0] ?? new Uint8Array(), issuer.publicKey).fromMs).toBe(1);
  expect(errors()).toEqual([{ revoked: 4097, told: 4096 }]);
});

it('a topic that cannot be put together keeps the others from nothing, and blames no broker', async () => {
  const { world, book, notices, errors } = await staged();
  const broken = { ...book, revocations: async () => Promise.reject(new Error('a row of another version')) };
  const publisher = openPublisher({ ...world.deps, book: broken, notices });
  publisher.publishSoon();
  expect(await publisher.settled()).toBe(false);
  expect([...world.retained.keys()]).toEqual([DAY_KEYS_TOPIC, NOTICES_TOPIC]);
  expect(errors()).toEqual([{ topic: REVOCATIONS_TOPIC, why: 'a row of another version' }]);
  expect(world.logged.filter(({ level }) => level === 'warn')).toEqual([]);
});
