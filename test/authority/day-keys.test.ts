/** Day keys that the authority has at hand, and what becomes of them in its memory. */
import { expect, it } from 'vitest';
import { memoryDayKeyStore } from '../../authority/days/day-key-store-memory.js';
import { openDayKeyring } from '../../authority/days/day-keys.js';
import { retentionBook } from '../../authority/days/retention-book.js';
import { authorityEntries } from '../../authority/entries.js';
import { memoryRecords } from '../../authority/records/records-memory.js';
import { statementBook } from '../../authority/statement-book.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { DayKeys } from '../../protocol/keys.js';
import { newWorld, secretOf, TODAY } from './fixture.js';

let drawn = 0;
const randomBytes = (length: number): Uint8Array => secretOf(`drawn ${(drawn += 1)}`).slice(0, length);

function keyring(store = memoryDayKeyStore()) {
  const { deps } = newWorld();
  const records = memoryRecords();
  return openDayKeyring({
    ...{ issuer: deps.issuer, store, log: deps.log, randomBytes },
    ...{ book: statementBook(records), retention: retentionBook(records) },
    ...{ entries: authorityEntries({ ...deps, randomBytes }), sunsetDay: undefined, onChange: () => {} },
  });
}

const isWiped = ({ idKey, macKey, sealingSecretKey }: DayKeys): boolean =>
  [idKey, macKey, sealingSecretKey].every((secret) => secret.every((byte) => byte === 0));

it('the keys at hand of a day that is destroyed are wiped, and those of other days are not', async () => {
  const ring = keyring();
  const [ending, staying] = [await ring.keysOf(TODAY), await ring.keysOf(TODAY + 1)];
  await ring.destroyBefore(TODAY + 1);
  expect([isWiped(ending), isWiped(staying)]).toEqual([true, false]);
  await expect(ring.keysOf(TODAY)).rejects.toMatchObject({ code: 'day' });
});

it('the keys at hand are wiped also when their files cannot be removed', async () => {
  const store = memoryDayKeyStore();
  const destroy = async () => Promise.reject(new FirebreakError('permission', 'the disk did not answer'));
  const ring = keyring({ ...store, destroy });
  const ending = await ring.keysOf(TODAY);
  await expect(ring.destroyBefore(TODAY + 1)).rejects.toThrow('the disk did not answer');
  expect(isWiped(ending)).toBe(true);
});

it('whoever is given keys in the moment in which they go can use them still', async () => {
  const ring = keyring();
  const print = Buffer.from((await ring.keysOf(TODAY)).idKey).toString('hex');
  const used = ring.keysOf(TODAY).then(({ idKey }) => Buffer.from(idKey).toString('hex'));
  await ring.destroyBefore(TODAY + 1);
  expect(await used).toBe(print);
});

it('keys that make room for those of other days are wiped, and read again when they are asked for', async () => {
  const ring = keyring();
  const first = await ring.keysOf(TODAY);
  const print = Buffer.from(first.idKey).toString('hex');
  for (let day = 1; day <= 64; day += 1) await ring.keysOf(TODAY + day);
  await expect.poll(() => isWiped(first)).toBe(true);
  expect(Buffer.from((await ring.keysOf(TODAY)).idKey).toString('hex')).toBe(print);
});
