/** A tag that asks for credentials, and a day for which the authority can issue none. */
import { describe, expect, it } from 'vitest';
import { keepCredentials } from '../../firmware-sim/live/credential-renewer.js';
import type { EnrolmentStation } from '../../firmware-sim/live/enrolment.js';
import { asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import { silentLog } from '../../protocol/log.js';
import { decodeCredentialRequest } from '../../protocol/tag/credential-request.js';
import { openSealed } from '../../protocol/tag/report-open.js';
import { decodeReport } from '../../protocol/tag/report.js';
import { MIDNIGHT_MS } from './samples.js';
import { testAuthority } from './test-authority.js';
import { NOON_MS, testTag, type TestTag } from './test-tag.js';

const DAY_MS = 86_400_000;
const STEP_MS = 900_000;
const TODAY = MIDNIGHT_MS / DAY_MS;
const authority = testAuthority();

/** An authority that renews no pack with one of these days in it, and notes which days it was asked for. */
function stationWithout(lost: readonly number[]) {
  const asked: string[] = [];
  const enrolled: Uint8Array[] = [];
  const renew = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const request = decodeCredentialRequest(openSealed(decodeReport(bytes), (day) => authority.dayKeys(day)));
    const { firstDay, days } = request;
    asked.push(`${firstDay - TODAY}+${days}`);
    if (lost.some((day) => day >= firstDay && day < firstDay + days))
      throw new FirebreakError('day', 'no credentials can be issued for a day of these');
    return authority.station.renew(bytes);
  };
  const enrol = async (bytes: Uint8Array) => {
    enrolled.push(bytes);
    throw new FirebreakError('exists', 'this tag number has credentials');
  };
  return { asked, enrolled, station: { renew, enrol } };
}

/** Keeps the tag in credentials until noon of a day. */
async function keepUntil(
  tag: TestTag,
  station: EnrolmentStation,
  day: number,
  log = silentLog,
): Promise<void> {
  const stop = new AbortController();
  const endMs = (day + 0.5) * DAY_MS;
  const clock = {
    nowMs: () => asUnixMs(tag.nowMs),
    sleep: async (durationMs: number) => {
      for (const untilMs = tag.nowMs + durationMs; tag.nowMs < untilMs;) {
        tag.nowMs = Math.min(untilMs, tag.nowMs + STEP_MS);
        tag.device.tick();
      }
      if (tag.nowMs >= endMs) stop.abort();
    },
  };
  const { device } = tag;
  const deps = { device, station, tag: asTagNumber(17), clock, log, fraction: () => 0.5 };
  await keepCredentials(deps, stop.signal);
}

describe('a day for which the authority can issue no credentials', () => {
  it.each([
    ['one', [TODAY + 2], TODAY + 3],
    ['two in a row', [TODAY + 2, TODAY + 3], TODAY + 4],
  ])('is passed over by a tag that has credentials yet: %s', async (_, lost, next) => {
    const tag = await testTag(authority, { days: 2 });
    const { station, asked } = stationWithout(lost);
    await keepUntil(tag, station, lost[0] ?? NaN);
    expect(tag.device.onAir).toBeUndefined();
    await keepUntil(tag, station, next);
    expect(tag.device.onAir?.epoch).toBe(Math.floor(tag.nowMs / STEP_MS));
    expect(tag.device.heldThrough).toBeGreaterThan(next);
    expect(new Set(asked).size).toBeLessThan(12);
    expect(asked.length).toBeLessThan(12 + 36); // once an hour until the day passed over begins
  });

  it('sends nobody to the desk, which enrols no tag that has days to come, and says when the tag is heard again', async () => {
    const tag = await testTag(authority, { days: 2 });
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    const { station, enrolled } = stationWithout([TODAY + 2]);
    await keepUntil(tag, station, TODAY + 2, log);
    expect(tag.device.status()).toMatchObject({
      ...{ isOnAir: false, coveredThroughDay: undefined, lapsedDay: undefined, resumesDay: TODAY + 3 },
    });
    expect(enrolled).toEqual([]);
    expect(warnings.join('\n')).not.toContain('desk');
    const date = new Date((TODAY + 3) * DAY_MS).toISOString().slice(0, 10);
    const said = `it has no credentials for today; it is on the air again on ${date}`;
    expect(warnings.filter((warning) => warning === said)).toHaveLength(1);
  });

  it('is not lost to a tag that passed it over when its keys come back in time', async () => {
    const tag = await testTag(authority, { days: 2 });
    const lost = [TODAY + 2];
    const { station, asked } = stationWithout(lost);
    const renew = (bytes: Uint8Array): Promise<Uint8Array> => {
      if (tag.nowMs > NOON_MS + 60_000) lost.length = 0;
      return station.renew(bytes);
    };
    await keepUntil(tag, { ...station, renew }, TODAY + 2);
    expect(tag.device.onAir?.epoch).toBe(Math.floor(tag.nowMs / STEP_MS));
    expect(asked.slice(0, 5)).toEqual(['2+5', '2+1', '2+1', '3+1', '2+1']);
  });
});
