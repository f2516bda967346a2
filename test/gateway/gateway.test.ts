import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { GatewayCourier } from '../../gateway/entry-post.js';
import { asUnixMs } from '../../protocol/brands.js';
import { concat, toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { partyIdOf } from '../../protocol/keys.js';
import { encodeAdvert } from '../../protocol/tag/beacon.js';
import { signNotice } from '../../protocol/tag/notice.js';
import { signRevocation } from '../../protocol/session/revocation.js';
import { dayOf } from '../../protocol/time.js';
import { NOTICES_TOPIC, REVOCATIONS_TOPIC } from '../../protocol/mqtt/topics.js';
import { encodeUploadHeader } from '../../protocol/session/upload.js';
import type { Radio, Sighting } from '../../radio/contract.js';
import { batchOf, certificateItem, issuer, NOW_MS } from '../ledger/deployment.js';
import { levelSpool } from '../courier/folder.js';
import { courierOver, ledgerStage, uplinkTo } from '../courier/stage.js';
import { HUB_ADDRESS, hubCertificate, hubDayKeys, hubRevokedFrom, hubSigner, openHub, visit } from './hub.js';
import { memoryStore } from './stand.js';

async function opened(...given: Parameters<typeof openHub>) {
  const hub = await openHub(...given);
  onTestFinished(() => hub.close());
  return hub;
}

describe('a gateway on the air', () => {
  it('takes the reports of tags that come at once, and the ledger has each of them once', async () => {
    const stage = await ledgerStage();
    await stage.ledger.submit(batchOf(issuer, 1, [certificateItem(hubSigner)]));
    const dir = await mkdtemp(join(tmpdir(), 'firebreak-gateway-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const spool = await levelSpool(dir, {}, partyIdOf(hubSigner.publicKey));
    const courier = await courierOver(await uplinkTo(stage.url, hubSigner), spool, hubSigner);
    const { clock, central, gateway } = await opened({ courier });
    const visits = await clock.drive(Promise.all(Array.from({ length: 60 }, () => visit(central))));
    expect(visits.every(({ receipt }) => receipt.refusal === undefined)).toBe(true);
    await courier.drained(AbortSignal.timeout(50_000));
    const logged = (await stage.entries()).slice(1).map((entry) => toHex(entry.payloadSha256));
    expect(logged.sort()).toEqual(visits.map(({ report }) => toHex(sha256(report))).sort());
    expect(gateway.status()).toMatchObject({
      sessions: 60,
      openSessions: 0,
      reportsAccepted: 60,
      trouble: undefined,
    });
  });

  it('begins without any broker, keeps what tags bring, and the ledger has it once there is one', async () => {
    const stage = await ledgerStage();
    await stage.ledger.submit(batchOf(issuer, 1, [certificateItem(hubSigner)]));
    await stage.down();
    const dir = await mkdtemp(join(tmpdir(), 'firebreak-gateway-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const spool = await levelSpool(dir, {}, partyIdOf(hubSigner.publicKey));
    const uplink = await uplinkTo(stage.url, hubSigner, { startsOffline: true, patienceMs: 1 });
    const courier = await courierOver(uplink, spool, hubSigner);
    const statements = memoryStore(hubDayKeys);
    const { clock, central } = await opened({ courier, downlink: uplink, statements });
    const { receipt, report } = await clock.drive(visit(central));
    expect(receipt.refusal).toBeUndefined();
    expect(courier.status()).toMatchObject({ online: false, depth: 1, delivered: 0 });
    await stage.up();
    await courier.drained(AbortSignal.timeout(50_000));
    const [, logged] = await stage.entries();
    expect(logged?.payloadSha256).toEqual(sha256(report));
  });

  it('lets no time pass in the air while a report is being written to disk', async () => {
    let startedMs = 0;
    let endedMs = 0;
    const slow: GatewayCourier = {
      noCertificateFrom: () => undefined,
      post: async () => {
        startedMs = hub.clock.nowMs();
        await new Promise((resolve) => setTimeout(resolve, 200));
        endedMs = hub.clock.nowMs();
      },
    };
    const hub = await opened({ courier: slow });
    await hub.clock.drive(visit(hub.central));
    expect(endedMs).toBe(startedMs);
  });

  it('has so many sessions at a time, tells further tags that it is busy, and has room again after', async () => {
    const { clock, central, gateway } = await opened({ maxSessions: 2 });
    const held = await clock.drive(Promise.all([1, 2].map(() => central.connect(HUB_ADDRESS))));
    await expect(clock.drive(visit(central))).rejects.toMatchObject({ code: 'busy' });
    expect(gateway.status()).toMatchObject({ openSessions: 2, turnedAway: 1 });
    await held[0]?.close();
    expect((await clock.drive(visit(central))).receipt.refusal).toBeUndefined();
  });

  it('ends a session that lasts too long', async () => {
    const { clock, central, gateway } = await opened({ sessionLimitMs: 50 });
    const link = await clock.drive(central.connect(HUB_ADDRESS));
    await link.closed;
    expect(gateway.status()).toMatchObject({ openSessions: 0, timedOut: 1 });
  });

  it('ends a session on which nothing is said, and leaves one alone that goes on', async () => {
    const { clock, central, gateway } = await opened({ silenceLimitMs: 300 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const silent = await clock.drive(central.connect(HUB_ADDRESS));
    const busy = await clock.drive(central.connect(HUB_ADDRESS));
    let isOver = false;
    void busy.closed.then(() => (isOver = true));
    for (let reads = 0; reads < 8; reads += 1) {
      await clock.drive(busy.read('hello'));
      vi.advanceTimersByTime(50);
    }
    await silent.closed;
    expect(isOver).toBe(false);
    expect(gateway.status()).toMatchObject({ openSessions: 1, timedOut: 1 });
    await busy.close();
  });

  it('does not take its own slow disk for a silence of the tag', async () => {
    let isOnDisk = (): void => undefined;
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const slow: GatewayCourier = {
      noCertificateFrom: () => undefined,
      post: () => {
        isAsked();
        return new Promise<void>((resolve) => (isOnDisk = resolve));
      },
    };
    const { clock, central, gateway } = await opened({ silenceLimitMs: 300, courier: slow });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const visited = clock.drive(visit(central));
    await asked;
    vi.advanceTimersByTime(1000);
    isOnDisk();
    expect((await visited).receipt.refusal).toBeUndefined();
    expect(gateway.status()).toMatchObject({ timedOut: 0, broken: 0 });
  });

  it('ends every session at the epoch boundary, also one on which nothing happens', async () => {
    const { clock, central, gateway } = await opened();
    const leftMs = 900_000 - (NOW_MS % 900_000);
    const idle = await clock.drive(central.connect(HUB_ADDRESS));
    await clock.advance(leftMs - 1000);
    expect(gateway.status().openSessions).toBe(1);
    await clock.advance(1000);
    await idle.closed;
    expect(gateway.status()).toMatchObject({ openSessions: 0, timedOut: 0, broken: 0 });
    expect((await clock.drive(visit(central))).receipt.refusal).toBeUndefined();
  });

  it('counts the sessions that broke off before their receipt, and only these', async () => {
    const { clock, central, gateway } = await opened();
    await clock.drive(visit(central));
    const link = await clock.drive(central.connect(HUB_ADDRESS));
    const header = encodeUploadHeader({ totalBytes: 500, reportHash: new Uint8Array(32) });
    await clock.drive(link.write('upload', header));
    await link.close();
    expect(gateway.status()).toMatchObject({ sessions: 2, broken: 1, upSinceMs: NOW_MS });
  });

  it('does not talk over a link that is too narrow', async () => {
    const { clock, central, gateway } = await opened({}, { payloadBytes: 124 });
    await expect(clock.drive(visit(central))).rejects.toThrow();
    expect(gateway.status()).toMatchObject({ sessions: 0, openSessions: 0 });
  });

  it('ends its sessions and leaves the air when it closes', async () => {
    const { clock, central, gateway } = await opened();
    const link = await clock.drive(central.connect(HUB_ADDRESS));
    await gateway.close();
    await link.closed;
    await expect(clock.drive(central.connect(HUB_ADDRESS))).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('reports who was there to its courier, once their epoch is over', async () => {
    const { clock, post, gateway } = await heardOnAir();
    expect(gateway.status()).toMatchObject({ tagsInReach: 1, presenceReported: 0 });
    await clock.advance(900_000 + 180_000);
    expect(gateway.status()).toMatchObject({ tagsInReach: 0, presenceReported: 1 });
    expect(post.items.map(({ type }) => type)).toEqual([2]);
    await gateway.close();
  });

  it('holds back who was there while it has no certificate, which the ledger would ask for, or is revoked', async () => {
    let certificate = new Uint8Array(109);
    const { clock, post, gateway } = await heardOnAir({}, { certificate: () => certificate });
    await clock.advance(900_000 + 180_000);
    expect(post.items).toEqual([]);
    certificate = Uint8Array.from(hubCertificate);
    await clock.advance(60_000);
    expect(post.items).toHaveLength(1);
    await gateway.close();
    const revoked = await heardOnAir();
    const gatewayId = partyIdOf(hubSigner.publicKey);
    const revocation = signRevocation(issuer, { gatewayId, fromMs: asUnixMs(NOW_MS) });
    revoked.downlink.publish(REVOCATIONS_TOPIC, revocation);
    await revoked.gateway.close();
    expect(revoked.post.items).toEqual([]);
  });

  it('keeps what a full disk did not take of the authority’s word once there is room, though nothing new comes', async () => {
    const disk = { isFull: true };
    const [statements, notice] = [memoryStore(), memoryStore()];
    for (const store of [statements, notice]) {
      const save = store.save.bind(store);
      store.save = async (bytes) => (disk.isFull ? Promise.reject(new Error('ENOSPC')) : save(bytes));
    }
    const { clock, downlink } = await opened({ statements, noticeStore: notice });
    const revocation = hubRevokedFrom(NOW_MS);
    const warning = signNotice(
      issuer,
      { day: dayOf(NOW_MS / 1000), number: 1, code: 1, tokens: [] },
      () => new Uint8Array(8),
    );
    downlink.publish(REVOCATIONS_TOPIC, revocation);
    downlink.publish(NOTICES_TOPIC, warning);
    await clock.advance(60_000);
    expect([statements.kept, notice.kept]).toEqual([undefined, undefined]);
    disk.isFull = false;
    await clock.advance(60_000);
    expect([statements.kept, notice.kept]).toEqual([concat(revocation, hubDayKeys), warning]);
  });

  it('says in its status what of its radio is not at work', async () => {
    let trouble: string | undefined = 'the adapter that scans (hci0) is down or was pulled out';
    const { gateway } = await heardOnAir({ trouble: () => trouble });
    expect(gateway.status()).toMatchObject({ trouble: undefined, radioTrouble: trouble });
    trouble = undefined;
    expect(gateway.status().radioTrouble).toBeUndefined();
  });

  it('reports who is there when it closes, though the radio fails at that, and says what failed', async () => {
    const stops: string[] = [];
    const fails = (part: string) => async (): Promise<void> => {
      stops.push(part);
      throw new FirebreakError('timeout', `no answer from the ${part}`);
    };
    const advertiser = { set: async () => {}, stop: fails('advertiser') };
    const server = { start: async () => {}, stop: fails('server') };
    const { gateway, post } = await heardOnAir({ advertiser, server });
    await expect(gateway.close()).rejects.toThrow('no answer from the advertiser');
    expect(stops).toEqual(['advertiser', 'server']);
    expect(post.items.map(({ type }) => type)).toEqual([2]);
  });

  it('does not wait for ever for a radio that hangs when it closes', async () => {
    const hangs = { set: async () => {}, stop: () => new Promise<void>(() => undefined) };
    const { gateway, post } = await heardOnAir({ advertiser: hangs });
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const closed = expect(gateway.close()).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(10_000);
    await closed;
    expect(post.items).toHaveLength(1);
  });
});

/** A gateway whose radio is in the test's hands, and which has heard one tag twice, and something else. */
async function heardOnAir(failing: Partial<Radio> = {}, changes: Parameters<typeof openHub>[0] = {}) {
  let hear: (sighting: Sighting) => void = () => undefined;
  const radio: Radio = {
    scanner: { start: async (onSighting) => void (hear = onSighting), stop: async () => {} },
    advertiser: { set: async () => {}, stop: async () => {} },
    server: { start: async () => {}, stop: async () => {} },
    central: { connect: () => Promise.reject(new Error('not here')) },
    close: async () => {},
    ...failing,
  };
  const hub = await openHub({ radio, ...changes });
  const beacon = { txPowerDbm: -12, ephId: new Uint8Array(16).fill(3), mac: new Uint8Array(6) };
  const adverts = [encodeAdvert(beacon), encodeAdvert(beacon), new Uint8Array([2, 1, 6])];
  for (const advert of adverts) hear({ address: HUB_ADDRESS, rssiDbm: -60, advert, heardAtMs: NOW_MS });
  return hub;
}
