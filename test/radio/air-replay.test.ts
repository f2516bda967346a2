import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../host/clock-virtual.js';
import { deliverInstant, replayInstants } from '../../radio/air/air-replay.js';
import type { RecordedContact } from '../../radio/air/air-replay.js';
import { openReplayAir } from '../../radio/air/air-replay-hosted.js';
import type { AdvertiserSettings, Sighting } from '../../radio/contract.js';

const START = 1_700_006_400_000;

const contact = fc
  .tuple(
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 0, max: 120 }),
    fc.integer({ min: 1, max: 60 }),
  )
  .map(([a, step, start, length]): RecordedContact => {
    const startMs = START + start * 1_000;
    return { a, b: (a + step) % 6, startMs, endMs: startMs + length * 1_000 };
  });

/** The definition, instant by instant and pair by pair. */
function expected(contacts: readonly RecordedContact[]): string[] {
  const lines: string[] = [];
  for (let atMs = START; atMs < START + 200_000; atMs += 10_000) {
    for (let pair = 0; pair < 36; pair++) {
      const [sender, receiver] = [Math.floor(pair / 6), pair % 6];
      const inContact = contacts.some(({ a, b, startMs, endMs }) => {
        const same = (a === sender && b === receiver) || (b === sender && a === receiver);
        return same && startMs <= atMs && atMs < endMs;
      });
      if (inContact) lines.push(`${atMs} ${sender}→${receiver}`);
    }
  }
  return lines;
}

const advert = (changes: Partial<AdvertiserSettings>): AdvertiserSettings => ({
  address: 'c0ffee000001',
  advert: Uint8Array.of(2, 1, 6),
  txPowerDbm: 4,
  intervalMs: 10_000,
  phaseMs: 0,
  jitter: 0,
  connectable: false,
  ...changes,
});

describe('replayed contacts', () => {
  it('are heard at every tenth second inside a contact, both ways, once, in order', () => {
    fc.assert(
      fc.property(fc.array(contact, { maxLength: 30 }), (contacts) => {
        const played: string[] = [];
        for (const { atMs, senders, receivers } of replayInstants(contacts)) {
          expect(senders.length).toBeGreaterThan(0);
          senders.forEach((sender, k) => played.push(`${atMs} ${sender}→${receivers[k]}`));
        }
        expect(played).toEqual(expected(contacts));
      }),
    );
  });

  it('make two samples of each recorded line of 20 seconds', () => {
    const line = { a: 0, b: 1, startMs: START, endMs: START + 20_000 };
    expect([...replayInstants([line])].map(({ atMs }) => atMs)).toEqual([START, START + 10_000]);
  });

  it('ask each sender once an instant, skip the silent, and take 50 dB off', () => {
    const contacts = [1, 2, 3].map((b) => ({ a: 0, b, startMs: START, endMs: START + 10_000 }));
    const asked: number[] = [];
    const heard: [number, Sighting][] = [];
    const [instant] = [...replayInstants(contacts)];
    const delivered = deliverInstant(
      instant!,
      (sender) => {
        asked.push(sender);
        return sender === 2
          ? undefined
          : { address: `${sender}`, advert: Uint8Array.of(sender), txPowerDbm: -4 };
      },
      (receiver, sighting) => heard.push([receiver, sighting]),
    );
    expect(asked).toEqual([0, 1, 2, 3]);
    expect(delivered).toBe(5);
    expect(heard.map(([receiver, { address }]) => [address, receiver])).toEqual([
      ['0', 1],
      ['0', 2],
      ['0', 3],
      ['1', 0],
      ['3', 0],
    ]);
    expect(heard[0]?.[1]).toEqual({ address: '0', advert: Uint8Array.of(0), rssiDbm: -54, heardAtMs: START });
  });

  it.each([
    ['a node with itself', { a: 1, b: 1, startMs: 0, endMs: 1 }],
    ['no length', { a: 1, b: 2, startMs: 5, endMs: 5 }],
    ['a node that is no number of a node', { a: -1, b: 2, startMs: 0, endMs: 5 }],
    ['a time that is not whole', { a: 1, b: 2, startMs: 0.5, endMs: 5 }],
  ])('are refused with %s', (_, unsound) => {
    expect(() => [...replayInstants([unsound])]).toThrow(/recorded contact/);
  });

  it('play a school week of lines within seconds', () => {
    const contacts = Array.from({ length: 100_000 }, (_, i) => {
      const startMs = START + Math.floor(i / 40) * 20_000;
      return { a: (i * 7) % 400, b: 400 + ((i * 13) % 400), startMs, endMs: startMs + 20_000 };
    });
    const before = process.cpuUsage();
    let sightings = 0;
    for (const { senders } of replayInstants(contacts)) sightings += senders.length;
    expect(sightings).toBe(400_000);
    expect(process.cpuUsage(before).user).toBeLessThan(5_000_000); // µs of this process, whoever else is at work
  });
});

describe('the replayed air', () => {
  const contacts = [
    { a: '17', b: '18', startMs: START + 20_000, endMs: START + 40_000 },
    { a: '18', b: '19', startMs: START + 30_000, endMs: START + 50_000 },
  ];
  const stage = async () => {
    const clock = virtualClock(START);
    const air = openReplayAir({ clock, contacts });
    const heard: Record<string, string[]> = {};
    for (const name of ['17', '18', '19']) {
      const radio = air.join(name);
      const own: string[] = (heard[name] = []);
      await radio.scanner.start(({ address, heardAtMs }) =>
        own.push(`${address} ${(heardAtMs - START) / 1_000}`),
      );
      await radio.advertiser.set(advert({ address: name.repeat(6), intervalMs: 1_000, phaseMs: 333 }));
    }
    return { clock, air, heard };
  };

  it('lets people in contact hear each other as recorded, whatever interval they ask for', async () => {
    const { clock, air, heard } = await stage();
    await clock.advance(100_000);
    expect(heard).toEqual({
      '17': [`${'18'.repeat(6)} 20`, `${'18'.repeat(6)} 30`],
      '18': [`${'17'.repeat(6)} 20`, `${'17'.repeat(6)} 30`, `${'19'.repeat(6)} 30`, `${'19'.repeat(6)} 40`],
      '19': [`${'18'.repeat(6)} 30`, `${'18'.repeat(6)} 40`],
    });
    await air.close();
  });

  it('lets everyone hear a gateway, and the gateway nobody', async () => {
    const { clock, air, heard } = await stage();
    const gateway = air.join('gateway');
    const atGateway: Sighting[] = [];
    await gateway.scanner.start((sighting) => atGateway.push(sighting));
    await gateway.advertiser.set(
      advert({ address: 'aaaaaaaaaaaa', connectable: true, intervalMs: 50_000, phaseMs: 5_000 }),
    );
    await clock.advance(100_000);
    expect(heard['17']).toEqual([
      'aaaaaaaaaaaa 5',
      `${'18'.repeat(6)} 20`,
      `${'18'.repeat(6)} 30`,
      'aaaaaaaaaaaa 55',
    ]);
    expect(atGateway).toEqual([]);
    await air.close();
  });

  it('does not play to a late listener what was before', async () => {
    const clock = virtualClock(START);
    const air = openReplayAir({ clock, contacts });
    const [sender, listener] = [air.join('17'), air.join('18')];
    await sender.advertiser.set(advert({}));
    await clock.advance(25_000);
    const heard: Sighting[] = [];
    await listener.scanner.start((sighting) => heard.push(sighting));
    await clock.advance(50_000);
    expect(heard.map(({ heardAtMs }) => heardAtMs - START)).toEqual([30_000]);
    await air.close();
  });
});
