import { describe, expect, it } from 'vitest';
import { StatementBook } from '../../gateway/statement-book.js';
import { concat } from '../../protocol/bytes.js';
import { encodeDayKeyStatement, issueDayKeyStatement } from '../../protocol/day-key-statement.js';
import { silentLog } from '../../protocol/log.js';
import { DAY_KEYS_TOPIC } from '../../protocol/topics.js';
import { epochSigner, issuer, secret, vectors } from '../protocol/tag-vectors.js';
import { memoryStatements, STATEMENTS, testDownlink } from './stand.js';

async function opened(store = memoryStatements()) {
  const { issuerPublicKey, gatewayId } = vectors;
  const book = new StatementBook({ issuerPublicKey, gatewayId, store, log: silentLog });
  const downlink = testDownlink();
  await book.open(downlink);
  return { book, store, publish: (payload: Uint8Array) => downlink.publish(DAY_KEYS_TOPIC, payload) };
}

const statementOf = (day: number, by = issuer): Uint8Array =>
  encodeDayKeyStatement(issueDayKeyStatement(by, day, secret(`sealing ${day}`)));

describe('the statements of a gateway', () => {
  it('are kept, all of them together, and there again after a restart without a network', async () => {
    const { book, store, publish } = await opened();
    publish(STATEMENTS);
    publish(statementOf(vectors.day + 1));
    publish(statementOf(vectors.day + 2));
    await book.settled();
    const { book: again } = await opened(memoryStatements(store.kept));
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

  it('are ignored when what was kept is damaged', async () => {
    const { book } = await opened(memoryStatements(new Uint8Array(7)));
    expect(book.days()).toEqual([]);
  });
});
