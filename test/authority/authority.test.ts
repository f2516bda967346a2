import { describe, expect, it } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import type { RecordStore } from '../../authority/records/records.js';
import { splitDayKeyStatements, splitRevocations } from '../../protocol/mqtt/authority-topics.js';
import { asUnixMs } from '../../protocol/brands.js';
import { decodeDayKeyStatement, verifyDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { partyIdOf } from '../../protocol/keys.js';
import { decodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { decodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { openRevocation } from '../../protocol/session/revocation.js';
import { DAY_KEYS_TOPIC, REVOCATIONS_TOPIC } from '../../protocol/mqtt/topics.js';
import {
  AskingTag,
  courierThat,
  issuer,
  newAuthority,
  newWorld,
  RETENTION_DAYS,
  secretOf,
  TODAY,
  type World,
} from './fixture.js';

const GATEWAY = secretOf('gateway public key');
const payloads = (world: World, type: number) =>
  world.posted.filter((entry) => entry.type === type).map(({ payload }) => payload);
const dayEntries = (world: World) => payloads(world, 4).map(decodeDayKeyPayload);
const destroyedDays = (world: World) =>
  dayEntries(world).flatMap((entry) => (entry.kind === 'destroyed' ? [entry.day] : []));
const publishedDays = (world: World) =>
  dayEntries(world).flatMap((entry) =>
    entry.kind === 'published' ? [decodeDayKeyStatement(entry.statement).day] : [],
  );
const retainedDays = (world: World) =>
  splitDayKeyStatements(world.retained.get(DAY_KEYS_TOPIC) ?? new Uint8Array()).map(
    (statement) => decodeDayKeyStatement(statement).day,
  );

describe('day keys', () => {
  it('of yesterday, today and tomorrow are there when it opens, stated to the ledger and to all', async () => {
    const { authority, world } = await newAuthority();
    await authority.published();
    expect(await world.deps.dayKeys.list()).toEqual([TODAY - 1, TODAY, TODAY + 1]);
    expect(publishedDays(world)).toEqual([TODAY - 1, TODAY, TODAY + 1]);
    expect(retainedDays(world)).toEqual([TODAY - 1, TODAY, TODAY + 1]);
    const statement = dayEntries(world).flatMap((entry) =>
      entry.kind === 'published' ? [entry.statement] : [],
    )[1];
    const opened = decodeDayKeyStatement(statement ?? new Uint8Array());
    expect(verifyDayKeyStatement(issuer.publicKey, opened)).toBe(true);
    expect(opened.sealingPublicKey).toEqual((await world.deps.dayKeys.get(TODAY))?.sealingPublicKey);
  });

  it('beyond what the retained topic holds are left out of it, the oldest first', async () => {
    const { authority, world } = await newAuthority({ retentionDays: 365 });
    await authority.ensureDayKeys(TODAY - 360, TODAY + 14);
    await authority.published();
    expect(retainedDays(world)).toHaveLength(366);
    expect(retainedDays(world).at(-1)).toBe(TODAY + 13);
  });

  it('share no byte string between days or uses', async () => {
    const { authority, world } = await newAuthority();
    await authority.ensureDayKeys(TODAY, TODAY + 5);
    const all: string[] = [];
    for (const day of await world.deps.dayKeys.list()) {
      const keys = await world.deps.dayKeys.get(day);
      for (const key of [keys?.idKey, keys?.macKey, keys?.sealingSecretKey])
        all.push(Buffer.from(key ?? []).toString('hex'));
    }
    expect(all).toHaveLength(18);
    expect(new Set(all).size).toBe(18);
  });

  it('are made once, however many ask for them at once', async () => {
    const { authority, world } = await newAuthority();
    await Promise.all(Array.from({ length: 8 }, () => authority.ensureDayKeys(TODAY + 2, TODAY + 5)));
    expect(publishedDays(world)).toEqual([TODAY - 1, TODAY, TODAY + 1, TODAY + 2, TODAY + 3, TODAY + 4]);
  });

  it('are the same, and not stated again, after a restart', async () => {
    const { authority, world } = await newAuthority();
    const before = await world.deps.dayKeys.get(TODAY);
    await authority.close();
    await openAuthority(world.deps);
    expect(await world.deps.dayKeys.get(TODAY)).toEqual(before);
    expect(publishedDays(world)).toHaveLength(3);
  });

  it('that were stored but not stated before a crash are stated afterwards, unchanged', async () => {
    const world = newWorld();
    let isFull = true;
    const courier = courierThat(async (entries) => {
      if (isFull) throw new Error('killed');
      world.posted.push(...entries);
    });
    await expect(openAuthority({ ...world.deps, courier })).rejects.toThrow('killed');
    const kept = await world.deps.dayKeys.get(TODAY - 1);
    isFull = false;
    await openAuthority({ ...world.deps, courier });
    expect(await world.deps.dayKeys.get(TODAY - 1)).toEqual(kept);
    expect(publishedDays(world)).toEqual([TODAY - 1, TODAY, TODAY + 1]);
  });

  it('are destroyed when their day leaves the retention window, not before, and that is an entry', async () => {
    const { authority, world } = await newAuthority();
    await world.leapTo(TODAY + RETENTION_DAYS);
    await authority.maintain();
    expect(destroyedDays(world)).toEqual([TODAY - 1]);
    expect(await world.deps.dayKeys.get(TODAY - 1)).toBeUndefined();
    expect(await world.deps.dayKeys.get(TODAY)).toBeDefined();
    await authority.published();
    expect(retainedDays(world)[0]).toBe(TODAY);
    await authority.maintain();
    expect(destroyedDays(world)).toEqual([TODAY - 1]);
  });

  it('are not made anew for a day that left the retention window', async () => {
    const { authority, world } = await newAuthority();
    await world.leapTo(TODAY + RETENTION_DAYS);
    await authority.maintain();
    await expect(authority.ensureDayKeys(TODAY - 1, TODAY)).rejects.toMatchObject({ code: 'day' });
    await authority.ensureDayKeys(TODAY, TODAY + 1);
    expect(await world.deps.dayKeys.get(TODAY - 1)).toBeUndefined();
  });

  it('end with the sunset', async () => {
    const { authority, world } = await newAuthority({ sunsetDay: TODAY + 1 });
    expect(await world.deps.dayKeys.list()).toEqual([TODAY - 1, TODAY]);
    await expect(authority.ensureDayKeys(TODAY, TODAY + 2)).rejects.toMatchObject({ code: 'day' });
  });
});

describe('gateways', () => {
  it('get a certificate for seven days, and it is an entry', async () => {
    const { authority, world } = await newAuthority();
    const bytes = await authority.addGateway(GATEWAY, 'north door');
    const certificate = decodeGatewayCertificate(bytes);
    const holds = (day: number) => verifyGatewayCertificate(issuer.publicKey, certificate, day);
    expect([TODAY - 1, TODAY, TODAY + 6, TODAY + 7].map(holds)).toEqual([false, true, true, false]);
    expect(decodeGatewayPayload(payloads(world, 3)[0] ?? new Uint8Array())).toMatchObject({
      kind: 'enrolled',
      certificate: bytes,
    });
  });

  it('are revoked in the ledger and to all, and certified no more', async () => {
    const { authority, world } = await newAuthority();
    await authority.addGateway(GATEWAY, 'north door');
    await authority.revokeGateway(partyIdOf(GATEWAY), asUnixMs(5));
    await authority.revokeGateway(partyIdOf(GATEWAY), asUnixMs(9));
    await authority.published();
    const [revocation, ...others] = splitRevocations(
      world.retained.get(REVOCATIONS_TOPIC) ?? new Uint8Array(),
    );
    expect(others).toEqual([]);
    expect(openRevocation(revocation ?? new Uint8Array(), issuer.publicKey)).toEqual({
      gatewayId: partyIdOf(GATEWAY),
      fromMs: 5,
    });
    expect(payloads(world, 3).map((payload) => decodeGatewayPayload(payload).kind)).toEqual([
      'enrolled',
      'revoked',
      'revoked',
    ]);
    await expect(authority.addGateway(GATEWAY, 'again')).rejects.toMatchObject({ code: 'permission' });
  });

  it('that were never certified cannot be revoked', async () => {
    const { authority } = await newAuthority();
    await expect(authority.revokeGateway(partyIdOf(GATEWAY))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('stay revoked on the topic until their last certificate has run out', async () => {
    const { authority, world } = await newAuthority();
    await authority.addGateway(GATEWAY, 'north door', TODAY + 10);
    await authority.revokeGateway(partyIdOf(GATEWAY));
    const stated: number[] = [];
    for (const day of [TODAY + 16, TODAY + 17]) {
      await world.leapTo(day);
      world.retained.clear();
      await authority.maintain();
      world.back();
      await authority.published();
      stated.push(world.retained.get(REVOCATIONS_TOPIC)?.length ?? 0);
    }
    expect(stated).toEqual([93, 0]);
    await expect(authority.addGateway(GATEWAY, 'again')).rejects.toMatchObject({ code: 'permission' });
  });
});

describe('the retained topics', () => {
  it('wait for a broker that is away and are complete when it is back', async () => {
    const { authority, world } = await newAuthority();
    await authority.published();
    world.online = false;
    world.retained.clear();
    await authority.ensureDayKeys(TODAY + 2, TODAY + 3);
    expect(await authority.published()).toBe(false);
    expect(world.retained.size).toBe(0);
    world.back();
    expect(await authority.published()).toBe(true);
    expect(retainedDays(world)).toEqual([TODAY - 1, TODAY, TODAY + 1, TODAY + 2]);
  });
});

describe('closing', () => {
  it('ends what is under way and takes nothing more', async () => {
    const { authority, world } = await newAuthority();
    const tag = new AskingTag('a');
    const underWay = authority.enrol(tag.firstRequest(TODAY, 1));
    await authority.close();
    expect(payloads(world, 9)).toHaveLength(1);
    expect(tag.open(await underWay).days).toHaveLength(1);
    await expect(authority.maintain()).rejects.toMatchObject({ code: 'closed' });
  });

  it('ends a search that goes on in the background, also when it could not open', async () => {
    const { deps } = newWorld();
    let searches = 0;
    const removeStray = async (signal: AbortSignal): Promise<never> => {
      searches += 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      searches -= 1;
      throw new Error('stopped');
    };
    const list: RecordStore['list'] = (prefix) => {
      if (prefix === 'gateway/') throw new Error('the disk did not answer');
      return deps.records.list(prefix);
    };
    const broken = { ...deps, dayKeys: { ...deps.dayKeys, removeStray }, records: { ...deps.records, list } };
    await expect(openAuthority(broken)).rejects.toThrow('the disk did not answer');
    expect(searches).toBe(0);
  });

  it('leaves a status that says what there is', async () => {
    const { authority } = await newAuthority();
    await authority.enrol(new AskingTag('a').firstRequest(TODAY, 1));
    await authority.addGateway(GATEWAY, 'north door');
    expect(await authority.status()).toMatchObject({
      days: [TODAY - 1, TODAY, TODAY + 1],
      enrolledTags: 1,
      gateways: [{ name: 'north door', toDay: TODAY + 6, revokedFromMs: null }],
      lastNotice: undefined,
    });
  });
});
