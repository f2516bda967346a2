/** What somebody who ends days is told when the ledger does not do its part, or is no longer waited for. */
import { expect, test } from 'vitest';
import { retainNow } from '../../cli/commands/authority-retention.js';
import { removalOf } from '../../cli/present/show-retention.js';
import { newDayRecord } from '../../ledger/store/day-record.js';
import { asUnixMs } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import { newAuthority, RETENTION_DAYS, TODAY } from '../authority/fixture.js';

test('Ctrl-C ends the wait for the ledger, not what was done', { timeout: 10_000 }, async () => {
  const { authority, world } = await newAuthority(); // whose ledger answers to notices alone
  await world.leapTo(TODAY + RETENTION_DAYS + 1);
  const stop = new AbortController();
  const answer = retainNow(authority, stop.signal);
  await expect.poll(async () => (await authority.status()).ended).toHaveLength(2);
  stop.abort(new FirebreakError('closed', 'stopped before it was done'));
  expect(JSON.parse(await answer)).toEqual([{ day: TODAY - 1 }, { day: TODAY }]);
});

const stored = { ...newDayRecord(TODAY), payloads: 2, payloadBytes: 900 };
const pruned = { by: 7, atMs: asUnixMs(0) };

test.each([
  ['is not there', undefined, 'the ledger cannot be asked now'],
  ['has not pruned yet', [stored, newDayRecord(TODAY + 1)], 'still hands out the payloads of 1 day:'],
  ['is at it', [{ ...stored, pruned: { ...pruned, removed: false } }], 'hands these payloads out no more'],
  ['is done', [{ ...stored, pruned: { ...pruned, removed: true } }], 'has removed the payloads'],
  ['had none', [{ ...stored, day: TODAY - 9 }], 'has removed the payloads'],
])('no payload is said to be gone that is not: a ledger that %s', (_what, days, says) => {
  expect(removalOf([TODAY, TODAY + 1], days).line).toContain(says);
});
