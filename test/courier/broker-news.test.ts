/** A broker that is gone for weeks does not fill the log of its writers, and that it is back is never left out. */
import { expect, it } from 'vitest';
import { BrokerNews } from '../../courier/broker-news.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LogFields } from '../../protocol/log.js';

const REFUSED = new FirebreakError('unreachable', 'connect ECONNREFUSED');
const UNKNOWN = new FirebreakError('permission', 'the ledger does not know this writer');

function listened() {
  const said: { message: string; fields: LogFields | undefined }[] = [];
  const say = (message: string, fields?: LogFields) => void said.push({ message, fields });
  const news = new BrokerNews('mqtt://ledger', { info: say, warn: say, error: say });
  const gone = (reason: Error, wasOnline = false) => news.gone({ reason, wasOnline, againInMs: 1 });
  return { news, gone, said, times: () => said.map(({ fields }) => fields?.['times']) };
}

it('tells of a broker that stays away ever more rarely, and once that it is back', () => {
  const { news, gone, said, times } = listened();
  news.back();
  gone(REFUSED, true);
  for (let i = 0; i < 60_000; i++) gone(REFUSED);
  news.back();
  expect(times()).toEqual([undefined, 1, ...Array.from({ length: 16 }, (_, i) => 2 ** i), undefined]);
  expect(said.at(-1)).toMatchObject({
    message: 'connected to the broker',
    fields: { afterFailures: 60_000 },
  });
});

it('tells at once of another reason, and says of a refusal that it is one', () => {
  const { gone, said } = listened();
  for (let i = 0; i < 1000; i++) gone(REFUSED);
  gone(UNKNOWN);
  expect(said.at(-1)).toMatchObject({
    message: 'the broker refuses this writer; trying again',
    fields: { why: UNKNOWN.message, times: 1 },
  });
});

it('tells from the first on after a good connection', () => {
  const { news, gone, times } = listened();
  for (let i = 0; i < 1000; i++) gone(REFUSED);
  news.back();
  news.newSpell();
  gone(REFUSED);
  expect(times().slice(-2)).toEqual([undefined, 1]);
});

it('is bounded where connections come and go, and where somebody words the reasons', () => {
  const { news, gone, said } = listened();
  for (let i = 0; i < 10_000; i++) {
    news.back();
    gone(new Error(`reason ${i}`), true);
  }
  expect(said.length).toBeLessThan(60);
});
