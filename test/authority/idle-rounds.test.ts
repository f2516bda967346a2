/** An authority that comes round twice a second costs next to nothing while no day turns, however much it has on record. */
import { describe, expect, it } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import { memoryRecords } from '../../authority/records/records-memory.js';
import type { RecordStore } from '../../authority/records/records.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import { AskingTag, newWorld, RETENTION_DAYS, secretOf, TODAY } from './fixture.js';

/** Records that count what is asked of them, and fail once at the prefix they are told. */
function counted() {
  const inner = memoryRecords();
  const seen = { writes: 0, scans: [] as string[], failing: '' };
  const records: RecordStore = {
    ...inner,
    write: async (changes) => {
      seen.writes += 1;
      await inner.write(changes);
    },
    list: (prefix) => {
      seen.scans.push(prefix);
      if (seen.failing === prefix) {
        seen.failing = '';
        throw new Error('the disk did not answer');
      }
      return inner.list(prefix);
    },
  };
  const reset = () => Object.assign(seen, { writes: 0, scans: [] });
  return { records, seen, reset };
}

async function staged() {
  const { records, seen, reset } = counted();
  const world = newWorld({ records });
  const authority = await openAuthority(world.deps);
  await authority.enrol(new AskingTag('a').firstRequest(TODAY, 7));
  for (let k = 0; k < 10; k += 1) {
    const { publicKey } = fastSigner(secretOf(`gateway ${k}`));
    await authority.addGateway(publicKey, `gateway ${k}`);
    await authority.revokeGateway(partyIdOf(publicKey));
  }
  await authority.published();
  const revocations = () => records.count('revocation/');
  return { world, authority, records, seen, reset, revocations };
}

describe('rounds in which no day turns', () => {
  it('write nothing and read through nothing, also when revoked gateways are long past', async () => {
    const { world, authority, seen, reset, revocations } = await staged();
    reset();
    await world.leapTo(TODAY + 9);
    await authority.maintain();
    await expect.poll(() => seen.scans).toContain('first/'); // what is tidied last
    expect(await revocations()).toBe(0);
    await authority.published();
    reset();
    for (let round = 0; round < 20; round += 1) await authority.maintain();
    expect(seen.writes).toBe(0);
    expect(seen.scans).toEqual([]);
    await authority.close();
  });

  it('are as idle while a clock that leapt is not believed', async () => {
    const { world, authority, seen, reset } = await staged();
    world.clock.set(TODAY + 400);
    await authority.maintain();
    await authority.published();
    reset();
    for (let round = 0; round < 20; round += 1) await authority.maintain();
    expect([seen.writes, seen.scans]).toEqual([0, []]);
    await authority.close();
  });
});

describe('the round in which a day turns', () => {
  it('has the registry forget what left the window, and again in ten minutes when it could not', async () => {
    const { world, authority, records, seen } = await staged();
    const why = () =>
      world.logged.flatMap(({ level, fields }) => (level === 'error' ? [fields?.['why']] : []));
    await world.leapTo(TODAY + RETENTION_DAYS + 1);
    seen.failing = 'days/';
    await authority.maintain();
    await expect.poll(why).toEqual(['the disk did not answer']);
    seen.scans = [];
    await world.leapTo(TODAY + RETENTION_DAYS + 1, 599);
    await authority.maintain();
    expect(seen.scans).not.toContain('days/');
    await world.leapTo(TODAY + RETENTION_DAYS + 1, 600);
    await authority.maintain();
    await expect.poll(() => records.count('first/')).toBe(0);
    expect(await records.count('days/')).toBe(6);
    await authority.close();
  });

  it('is the first one after a start, too', async () => {
    const { world, authority, records } = await staged();
    await authority.close();
    await world.leapTo(TODAY + RETENTION_DAYS + 1);
    const again = await openAuthority(world.deps);
    await expect.poll(() => records.count('days/')).toBe(6);
    await again.close();
  });
});
