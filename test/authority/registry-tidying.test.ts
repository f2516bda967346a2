/** The registry forgets in the background: whoever has something else to do does not wait for it. */
import { setImmediate as breathe } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import { tagRegistry } from '../../authority/credentials/tag-registry.js';
import { memoryRecords } from '../../authority/records/records-memory.js';
import type { RecordStore } from '../../authority/records/records.js';
import { asTagNumber } from '../../protocol/brands.js';
import { AskingTag, newWorld, RETENTION_DAYS, secretOf, TODAY } from './fixture.js';

const dayHex = (day: number) => day.toString(16).padStart(8, '0');

/** Records of so many tags that nobody comes to their end. */
function endless() {
  const inner = memoryRecords();
  const seen = { begun: 0, underWay: 0 };
  async function* days(): AsyncGenerator<readonly [string, Uint8Array]> {
    seen.begun += 1;
    seen.underWay += 1;
    try {
      for (let tag = 0; ; tag += 1) {
        yield [`days/${tag.toString(16).padStart(12, '0')}/${dayHex(TODAY)}`, new Uint8Array(32)];
        await breathe();
      }
    } finally {
      seen.underWay -= 1;
    }
  }
  const list: RecordStore['list'] = (prefix) => (prefix === 'days/' ? days() : inner.list(prefix));
  return { records: { ...inner, list }, seen };
}

describe('a registry that takes long to forget', () => {
  it('keeps no start, no round, no person who ends days and no end waiting', async () => {
    const { records, seen } = endless();
    const world = newWorld({ records });
    const authority = await openAuthority(world.deps);
    await world.leapTo(TODAY + 1);
    await authority.maintain();
    await authority.retain(new AbortController().signal);
    await authority.close();
    expect(seen).toEqual({ begun: 1, underWay: 0 });
    expect(world.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('what is asked of a registry while it forgets', () => {
  const OLD = TODAY - RETENTION_DAYS - 1;
  const tag = asTagNumber(17);
  const [requestHash, oldKeys, newKeys] = [secretOf('request'), secretOf('old keys'), secretOf('new keys')];

  /** Enrolled on a day that leaves the window, with days issued of before and after; the rows of it are there for good. */
  async function forgetting() {
    const inner = memoryRecords();
    const write: RecordStore['write'] = async (changes) =>
      changes.some(([, value]) => value === undefined) ? new Promise<never>(() => {}) : inner.write(changes);
    const tags = tagRegistry({ ...inner, write });
    const days = new Map([
      [OLD, oldKeys],
      [OLD + 1, newKeys],
    ]);
    await tags.record(tag, { onDay: OLD, requestHash, days });
    const forget = (day: number) => void tags.forgetBefore(day, new AbortController().signal);
    return { tags, forget };
  }

  it('is answered as if it were done', async () => {
    const { tags, forget } = await forgetting();
    expect(await tags.enrolledWith(oldKeys)).toBe(tag);
    expect(await tags.wasAnswered(tag, requestHash)).toBe(true);
    forget(OLD + 1);
    expect(await tags.enrolledWith(oldKeys)).toBeUndefined();
    expect(await tags.wasAnswered(tag, requestHash)).toBe(false);
    expect(await tags.issuedDays(tag)).toEqual(new Map([[OLD + 1, newKeys]]));
  });

  it('is answered from what is left when the clock was set back', async () => {
    const { tags, forget } = await forgetting();
    forget(OLD + 400);
    forget(OLD);
    expect(await tags.enrolledWith(oldKeys)).toBe(tag);
    expect((await tags.issuedDays(tag))?.size).toBe(2);
  });
});

it('a tag is enrolled while the registry forgets', async () => {
  const { records } = endless();
  const authority = await openAuthority(newWorld({ records }).deps);
  const asking = new AskingTag('a');
  expect(asking.open(await authority.enrol(asking.firstRequest(TODAY, 2))).days).toHaveLength(2);
  await authority.close();
});
