import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../host/clock-virtual.js';
import { openMemoryAir } from '../../radio/air/air-memory.js';
import type { MemoryAirDeps } from '../../radio/air/air-memory.js';
import { ADVERT_AIRTIME_MS } from '../../radio/air/collision.js';
import type { AdvertiserSettings, Sighting } from '../../radio/contract.js';
import { INDOOR, meanPathLossDb } from '../../radio/air/propagation.js';

const START = 1_700_006_400_000;
const CLEAR = { shadowingDb: 0, fadingDb: 0 };

const advert = (number: number, changes: Partial<AdvertiserSettings> = {}): AdvertiserSettings => ({
  address: number.toString(16).padStart(12, '0'),
  advert: Uint8Array.of(2, 1, 6, number & 0xff),
  txPowerDbm: 0,
  intervalMs: 1_000,
  phaseMs: number % 1_000,
  jitter: 0.1,
  connectable: false,
  ...changes,
});

function stage(deps: Partial<MemoryAirDeps> = {}) {
  const clock = virtualClock(START);
  const air = openMemoryAir({ clock, seed: 'test', ...deps });
  const listen = async (
    name: string,
    ...place: Parameters<typeof air.join> extends [string, ...infer P] ? P : never
  ) => {
    const heard: Sighting[] = [];
    const radio = air.join(name, ...place);
    await radio.scanner.start((sighting) => heard.push(sighting));
    return { heard, radio };
  };
  return { clock, air, listen };
}

/** A crowd of `size` within a few metres, all sending, one listening, for a minute. */
async function crowd(size: number, seed: string) {
  const { clock, air, listen } = stage({ seed });
  const { heard } = await listen('listener');
  for (let n = 1; n <= size; n++) {
    const radio = air.join(`tag ${n}`, { x: 1 + (n % 10), y: Math.floor(n / 10) });
    await radio.advertiser.set(advert(n, { phaseMs: (n * 617) % 1_000 }));
  }
  await clock.advance(60_000);
  const stats = air.stats();
  await air.close();
  return { heard, stats, lost: stats.collided / (stats.heard + stats.collided) };
}

describe('the in-memory air', () => {
  it.each([0.5, 1, 2, 4, 8, 16])('makes the RSSI at %d m what the model says, on average', async (metres) => {
    const { clock, air } = stage();
    const levels: number[] = [];
    for (let n = 1; n <= 150; n++) {
      const away = n * 10_000; // pairs far from each other, each with its own shadowing
      await air.join(`tag ${n}`, { x: away, y: 0 }).advertiser.set(advert(n));
      const listener = air.join(`listener ${n}`, { x: away, y: metres });
      await listener.scanner.start(({ rssiDbm }) => levels.push(rssiDbm ?? 0));
    }
    await clock.advance(120_000);
    const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
    expect(levels.length).toBeGreaterThan(15_000);
    expect(levels.every(Number.isInteger)).toBe(true);
    expect(Math.abs(mean + meanPathLossDb(metres, INDOOR))).toBeLessThan(0.7);
    await air.close();
  });

  it('adds the transmit power and stops at the sensitivity', async () => {
    const { clock, air, listen } = stage({ propagation: CLEAR });
    const { heard } = await listen('listener', { x: 0, y: 10 });
    const radio = air.join('tag');
    const lossDb = Math.round(meanPathLossDb(10, INDOOR));
    for (const txPowerDbm of [8, -8])
      await radio.advertiser.set(advert(1, { txPowerDbm })).then(() => clock.advance(2_000));
    expect(new Set(heard.map(({ rssiDbm }) => rssiDbm))).toEqual(new Set([8 - lossDb, -8 - lossDb]));
    heard.length = 0;
    await radio.advertiser.set(advert(1, { txPowerDbm: Math.floor(INDOOR.sensitivityDbm) + lossDb - 2 }));
    await clock.advance(2_000);
    expect(heard).toEqual([]);
    expect(air.stats().tooWeak).toBeGreaterThan(0);
    await air.close();
  });

  it('sends after the phase and then at the jittered interval', async () => {
    const { clock, air, listen } = stage();
    const { heard } = await listen('listener');
    await air.join('tag', { x: 1, y: 0 }).advertiser.set(advert(1, { phaseMs: 400, jitter: 0.1 }));
    await clock.advance(1_000_000);
    const times = heard.map(({ heardAtMs }) => heardAtMs);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(times[0]).toBe(START + 400);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(899);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_101);
    expect(new Set(gaps).size).toBeGreaterThan(100);
    expect(Math.abs(times.length - 1_000)).toBeLessThan(20);
    await air.close();
  });

  it('keeps its intervals when another advert comes under the same address, and begins at the phase under a new one', async () => {
    const { clock, air, listen } = stage();
    const { heard } = await listen('listener');
    const tag = air.join('tag', { x: 1, y: 0 });
    for (let minute = 0; minute < 10; minute += 1) {
      await tag.advertiser.set(advert(1, { phaseMs: 900, advert: Uint8Array.of(2, 1, 6, minute) }));
      await clock.advance(60_000);
    }
    const times = heard.map(({ heardAtMs }) => heardAtMs);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(new Set(heard.map((sighting) => sighting.advert[3])).size).toBe(10);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(899);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_101);
    heard.length = 0;
    const changedMs = clock.nowMs();
    await tag.advertiser.set(advert(2, { phaseMs: 900 }));
    await clock.advance(2_000);
    expect(heard[0]).toMatchObject({ address: advert(2).address, heardAtMs: changedMs + 900 });
    await air.close();
  });

  it('hears an advert that was sent just before another came under the same address', async () => {
    const { clock, air, listen } = stage({ propagation: CLEAR });
    const { heard } = await listen('listener');
    const tag = air.join('tag', { x: 1, y: 0 });
    await air.join('other', { x: 0, y: 1 }).advertiser.set(advert(2, { phaseMs: 899, jitter: 0 }));
    await tag.advertiser.set(advert(1, { phaseMs: 900, jitter: 0 }));
    await clock.advance(900); // the other's advert has brought up the tag's, which is not settled yet
    await tag.advertiser.set(advert(1, { phaseMs: 900, jitter: 0 }));
    await clock.advance(1_100);
    const own = heard.filter(({ address }) => address === advert(1).address);
    expect(own.map(({ heardAtMs }) => heardAtMs - START)).toEqual([900, 1_900]);
    await air.close();
  });

  it('hears as much as the scanner listens', async () => {
    const { clock, air, listen } = stage();
    const { heard } = await listen('listener', { x: 0, y: 0 }, { windowMs: 30, intervalMs: 100 });
    await air.join('tag', { x: 1, y: 0 }).advertiser.set(advert(1, { intervalMs: 97 }));
    await clock.advance(300_000);
    const { sent, asleep } = air.stats();
    expect(heard.length / sent).toBeCloseTo(0.3, 1);
    expect(heard.length + asleep).toBe(sent);
    await air.close();
  });

  it('loses more to collisions the denser the crowd, about as much as overlap predicts', async () => {
    const sparse = await crowd(20, 'density');
    const dense = await crowd(200, 'density');
    const certain = 1 - Math.exp((-2 * ADVERT_AIRTIME_MS * 199) / 1_000); // some other one overlaps; a few are captured
    expect(dense.lost).toBeGreaterThan(3 * sparse.lost);
    expect(dense.lost).toBeGreaterThan(0.5 * certain);
    expect(dense.lost).toBeLessThan(certain);
  });

  it('loses both of two equal adverts sent at once, and only the weaker of two unequal ones', async () => {
    const { clock, air, listen } = stage({ propagation: CLEAR });
    const { heard } = await listen('listener', { x: 0, y: 0 });
    const other = air.join('two', { x: -1, y: 0 });
    await air.join('one', { x: 1, y: 0 }).advertiser.set(advert(1, { phaseMs: 100, jitter: 0 }));
    await other.advertiser.set(advert(2, { phaseMs: 100, jitter: 0 }));
    await clock.advance(10_000);
    expect([heard.length, air.stats().collided]).toEqual([0, 20]);
    air.move('two', { x: -4, y: 0 });
    await clock.advance(10_000);
    expect(new Set(heard.map(({ address }) => address))).toEqual(new Set([advert(1).address]));
    await air.close();
  });

  it('hears nothing while it sends itself', async () => {
    const { clock, air, listen } = stage({ propagation: CLEAR });
    const { heard, radio } = await listen('listener');
    await radio.advertiser.set(advert(1, { phaseMs: 100, jitter: 0 }));
    await air.join('near', { x: 0.2, y: 0 }).advertiser.set(advert(2, { phaseMs: 100, jitter: 0 }));
    await clock.advance(10_000);
    expect(heard).toEqual([]);
    await air.close();
  });

  it('gives the same sightings for the same seed, and others for another', async () => {
    const [one, again, other] = [await crowd(40, 'a'), await crowd(40, 'a'), await crowd(40, 'b')];
    expect(one.heard.length).toBeGreaterThan(1_000);
    expect(again).toEqual(one);
    expect(other.heard).not.toEqual(one.heard);
  });

  it('ends a connection when the ends move apart, and finds nobody out of reach', async () => {
    const { clock, air } = stage();
    const gateway = air.join('gateway', { x: 0, y: 0 });
    await gateway.server.start(() => ({
      onRead: async () => Uint8Array.of(1),
      onWrite: async () => undefined,
      onClosed: () => undefined,
    }));
    await gateway.advertiser.set(advert(1, { connectable: true }));
    const tag = air.join('tag', { x: 3, y: 0 });
    const link = await clock.drive(tag.central.connect(advert(1).address));
    air.move('tag', { x: 5, y: 5 });
    expect(await clock.drive(link.read('hello'))).toEqual(Uint8Array.of(1));
    air.move('tag', { x: 50_000, y: 0 });
    await link.closed;
    await expect(link.read('hello')).rejects.toMatchObject({ code: 'closed' });
    await expect(tag.central.connect(advert(1).address)).rejects.toMatchObject({ code: 'unreachable' });
    await air.close();
  });

  it('takes the configured latency for each exchange', async () => {
    const { clock, air } = stage({ gatt: { latencyMs: 40 } });
    const gateway = air.join('gateway');
    await gateway.server.start(() => ({
      onRead: async () => Uint8Array.of(1),
      onWrite: async () => undefined,
      onClosed: () => undefined,
    }));
    await gateway.advertiser.set(advert(1, { connectable: true }));
    const link = await clock.drive(air.join('tag', { x: 1, y: 0 }).central.connect(advert(1).address));
    await clock.drive(link.read('hello'));
    expect(clock.nowMs() - START).toBe(80);
    await air.close();
  });

  it('refuses a name that is taken and a move of nobody', () => {
    const { air } = stage();
    air.join('tag');
    expect(() => air.join('tag')).toThrow(/on the air already/);
    expect(() => air.move('nobody', { x: 0, y: 0 })).toThrow(/no node/);
  });

  it('refuses more clients than a server holds', async () => {
    const { clock, air } = stage({ gatt: { maxClients: 2 } });
    const gateway = air.join('gateway');
    await gateway.server.start(() => ({
      onRead: async () => Uint8Array.of(1),
      onWrite: async () => undefined,
      onClosed: () => undefined,
    }));
    await gateway.advertiser.set(advert(1, { connectable: true }));
    const connect = (name: string) =>
      clock.drive(air.join(name, { x: 1, y: 0 }).central.connect(advert(1).address));
    const first = await connect('one');
    await connect('two');
    await expect(connect('three')).rejects.toMatchObject({ code: 'busy' });
    await first.close();
    await connect('four');
    await air.close();
  });
});
