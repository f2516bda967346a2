/** A request for more credentials, opened with day keys that do not stay. */
import { expect, it } from 'vitest';
import { openRenewal } from '../../authority/credentials/renewal.js';
import { asTagNumber } from '../../protocol/brands.js';
import { wipeKeys, type DayKeys } from '../../protocol/keys.js';
import { AskingTag, issuer, newAuthority, RETENTION_DAYS, TODAY } from './fixture.js';

const NUMBER = asTagNumber(17);

it('a renewal is opened though keys that were given for it are wiped when the next are asked for', async () => {
  const { authority, world } = await newAuthority();
  const tag = new AskingTag('a');
  const pack = tag.open(await authority.enrol(tag.firstRequest(TODAY, 7), NUMBER));
  const given: DayKeys[] = [];
  const keysOf = async (day: number): Promise<DayKeys> => {
    wipeKeys(given);
    const keys = await world.deps.dayKeys.get(day);
    if (keys === undefined) throw new Error(`no keys of day ${day}`);
    given.push(keys);
    return keys;
  };
  const receivedAtMs = world.clock.nowMs();
  const context = { issuerPublicKey: issuer.publicKey, receivedAtMs, retentionDays: RETENTION_DAYS, keysOf };
  const opened = await openRenewal(tag.renewal(pack, TODAY, TODAY + 7, 1), context);
  expect(opened).toMatchObject({ tag: NUMBER, request: { firstDay: TODAY + 7, days: 1 } });
  expect(given).toHaveLength(2);
});
