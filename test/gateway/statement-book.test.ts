import { describe, expect, it } from 'vitest';
import { StatementBook } from '../../gateway/statement-book.js';
import { concat } from '../../protocol/bytes.js';
import { encodeDayKeyStatement, issueDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import { silentLog } from '../../protocol/log.js';
import { asUnixMs } from '../../protocol/brands.js';
import { openNotice, signNotice } from '../../protocol/tag/notice.js';
import { signRevocation } from '../../protocol/session/revocation.js';
import { DAY_KEYS_TOPIC, NOTICES_TOPIC, REVOCATIONS_TOPIC } from '../../protocol/mqtt/topics.js';
import { epochSigner, issuer, secret, vectors } from '../protocol/tag-vectors.js';
import { memoryStore, STATEMENTS, testDownlink } from './stand.js';

async function opened(store = memoryStore(), noticeStore = memoryStore()) {
  const { issuerPublicKey, gatewayId } = vectors;
  const window = { oldestDay: 0 };
  const oldestNoticeDay = (): number => window.oldestDay;
  const stores = { store, noticeStore };
  const book = new StatementBook({
    issuerPublicKey,
    gatewayId,
    ...stores,
    oldestNoticeDay,
    onNews: () => undefined,
    onRevoked: () => undefined,
    log: silentLog,
  });
  const downlink = testDownlink();
  await book.open(downlink);
  const publish = (payload: Uint8Array): void => downlink.publish(DAY_KEYS_TOPIC, payload);
  const revoke = (...revocations: Uint8Array[]): void =>
    downlink.publish(REVOCATIONS_TOPIC, concat(...revocations));
  const notify = (payload: Uint8Array): void => downlink.publish(NOTICES_TOPIC, payload);
  return { book, store, noticeStore, window, publish, revoke, notify };
}

const noticeOf = (number: number, by = issuer, day = vectors.day, tags = 1): Uint8Array => {
  const tokens = Array.from({ length: tags }, (_, tag) => secret(`t${number}.${tag}`, 8));
  return signNotice(by, { day, number, code: 1, tokens }, (length) => secret(`padding ${number}`, length));
};

const statementOf = (day: number, by = issuer): Uint8Array =>
  encodeDayKeyStatement(issueDayKeyStatement(by, day, secret(`sealing ${day}`)));

const revocationOf = (fromMs: number, by = issuer, gatewayId = vectors.gatewayId): Uint8Array =>
  signRevocation(by, { gatewayId, fromMs: asUnixMs(fromMs) });

describe('the statements of a gateway', () => {
  it('are kept, all of them together, and there again after a restart without a network', async () => {
    const { book, store, publish } = await opened();
    publish(STATEMENTS);
    publish(statementOf(vectors.day + 1));
    publish(statementOf(vectors.day + 2));
    await book.settled();
    const { book: again } = await opened(memoryStore(store.kept));
    expect(again.days()).toEqual([-1, 0, 1, 2].map((offset) => vectors.day + offset));
    expect(again.statementOf(vectors.day)?.sealingPublicKey).toEqual(vectors.sealingPublicKey);
  });

  it('of others, damaged or of another length change nothing, and the first of a day counts', async () => {
    const { book, publish } = await opened();
    publish(STATEMENTS);
    publish(statementOf(vectors.day));
    publish(statementOf(vectors.day + 1, epochSigner));
    publish(statementOf(vectors.day + 1).fill(0, 100));
    publish(concat(statementOf(vectors.day + 1), new Uint8Array(1)));
    publish(new Uint8Array(0));
    expect(book.days()).toEqual([vectors.day - 1, vectors.day]);
    expect(book.statementOf(vectors.day)?.sealingPublicKey).toEqual(vectors.sealingPublicKey);
  });

  it('are no more than a topic holds: the newest', async () => {
    const { book, publish } = await opened();
    for (const from of [0, 300])
      publish(concat(...Array.from({ length: 300 }, (_, k) => statementOf(from + k))));
    expect(book.days()).toEqual(Array.from({ length: 366 }, (_, k) => 234 + k));
  });

  it('stand each by itself: one that is damaged does not hide those beside it, and these are kept', async () => {
    const { book, store, publish } = await opened();
    const [yesterday, today] = [STATEMENTS.subarray(0, 105), STATEMENTS.subarray(105)];
    publish(concat(yesterday, new Uint8Array(105), statementOf(vectors.day + 1, epochSigner), today));
    expect(book.days()).toEqual([vectors.day - 1, vectors.day]);
    await book.settled();
    expect((await opened(memoryStore(store.kept))).book.days()).toEqual(book.days());
  });

  it('are ignored when what was kept is damaged', async () => {
    const { book } = await opened(memoryStore(new Uint8Array(7)));
    expect(book.days()).toEqual([]);
  });
});

describe('the notices of a gateway', () => {
  const listOf = (...numbers: number[]): Uint8Array => concat(...numbers.map((number) => noticeOf(number)));
  const numbersOf = (book: StatementBook): number[] =>
    book.notices().map((bytes) => openNotice(bytes, issuer.publicKey).number);

  it('are all that ever came, newest first, and on offer again after a restart without a network', async () => {
    const { book, noticeStore, notify } = await opened();
    for (const list of [listOf(5), listOf(7), listOf(7, 6), new Uint8Array(0)]) notify(list);
    await book.settled();
    const next = await opened(memoryStore(), memoryStore(noticeStore.kept));
    const { book: again, notify: notifyAgain, window } = next;
    expect(numbersOf(again)).toEqual([7, 6, 5]);
    for (const list of [listOf(6), new Uint8Array(0), listOf(8)]) notifyAgain(list);
    expect(numbersOf(again)).toEqual([8, 7, 6, 5]);
    window.oldestDay = vectors.day;
    expect(numbersOf(again)).toHaveLength(4);
    window.oldestDay = vectors.day + 1;
    expect(numbersOf(again)).toEqual([]);
  });

  it('stand each by itself, and two of one number are both kept', async () => {
    const { book, notify } = await opened();
    const other = signNotice(issuer, { day: 9, number: 2, code: 7, tokens: [secret('u', 8)] }, () =>
      secret('v', 8),
    );
    notify(concat(noticeOf(9).fill(0, -1), noticeOf(9, epochSigner), noticeOf(2), other, noticeOf(1)));
    expect(numbersOf(book)).toEqual([2, 2, 1]);
  });

  it('are no more than may be on offer: the newest', async () => {
    const { book, notify } = await opened();
    for (const from of [1, 201]) notify(listOf(...Array.from({ length: 200 }, (_, k) => from + k)));
    expect(numbersOf(book)).toEqual(Array.from({ length: 256 }, (_, k) => 400 - k));
  });

  it('of days past the window are kept only where those on offer leave room, whatever their numbers', async () => {
    const { book, notify, window } = await opened();
    const quarter = 8_192;
    const first = noticeOf(1, issuer, vectors.day, quarter);
    notify(concat(noticeOf(2, issuer, vectors.day - 10, 2 * quarter), first));
    expect(numbersOf(book)).toEqual([2, 1]);
    window.oldestDay = vectors.day - 9;
    notify(concat(noticeOf(3, issuer, vectors.day, quarter), first));
    expect(numbersOf(book)).toEqual([3, 1]);
  });

  it('are not believed from a store that somebody wrote into', async () => {
    for (const bytes of [noticeOf(9, epochSigner), noticeOf(9).fill(0, -1), new Uint8Array(3)]) {
      const { book, notify } = await opened(memoryStore(), memoryStore(bytes));
      expect(numbersOf(book)).toEqual([]);
      notify(noticeOf(1));
      expect(numbersOf(book)).toEqual([1]);
    }
  });

  it('are written once for all that come while they are being written', async () => {
    const { book, noticeStore, notify } = await opened();
    const written: number[] = [];
    noticeStore.save = async (bytes) => void written.push(bytes.length > 0 ? 1 : 0);
    for (let number = 1; number <= 50; number += 1) notify(noticeOf(number));
    notify(noticeOf(1));
    await book.settled();
    expect(written).toEqual([1]);
  });
});

describe('the revocation of a gateway', () => {
  it('counts among others that are damaged, of other issuers or of other gateways', async () => {
    const { book, revoke } = await opened();
    const others = [
      new Uint8Array(93),
      revocationOf(0, epochSigner),
      revocationOf(0, issuer, new Uint8Array(16)),
    ];
    revoke(...others);
    expect(book.isRevokedAt(Number.MAX_SAFE_INTEGER)).toBe(false);
    revoke(...others, revocationOf(500), ...others);
    expect([499, 500].map((ms) => book.isRevokedAt(ms))).toEqual([false, true]);
  });

  it('is still known after a restart without a network, the earliest of them, beside the day keys', async () => {
    const { book, store, publish, revoke } = await opened();
    publish(STATEMENTS);
    revoke(revocationOf(900), revocationOf(500), revocationOf(700));
    await book.settled();
    const { book: again } = await opened(memoryStore(store.kept));
    expect([499, 500].map((ms) => again.isRevokedAt(ms))).toEqual([false, true]);
    expect(again.days()).toEqual([vectors.day - 1, vectors.day]);
  });

  it('is not believed from a store that somebody wrote into', async () => {
    const { book } = await opened(memoryStore(concat(revocationOf(0, epochSigner), STATEMENTS)));
    expect(book.isRevokedAt(1)).toBe(false);
    expect(book.days()).toEqual([vectors.day - 1, vectors.day]);
  });
});
