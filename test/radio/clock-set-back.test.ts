import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../host/clock-virtual.js';
import { openMemoryAir } from '../../radio/air/air-memory.js';
import { startPump } from '../../radio/air/air-pump.js';
import { openReplayAir } from '../../radio/air/air-replay-hosted.js';
import type { AdvertiserSettings, Radio } from '../../radio/contract.js';
import { asUnixMs } from '../../protocol/brands.js';
import type { Clock } from '../../protocol/clock.js';

const START = 1_700_006_400_000;
const HOUR = 3_600_000;

const ADVERT: AdvertiserSettings = {
  address: 'c00000000001',
  advert: Uint8Array.of(2, 1, 6),
  txPowerDbm: 0,
  intervalMs: 1000,
  phaseMs: 0,
  jitter: 0,
  connectable: true,
};

/** A clock that can be set while time passes; sleeps do not notice. */
function settableClock() {
  const time = virtualClock(START);
  let setBackMs = 0;
  const clock: Clock = {
    nowMs: () => asUnixMs(time.nowMs() - setBackMs),
    sleep: (durationMs, signal) => time.sleep(durationMs, signal),
  };
  return { time, clock, setBack: (byMs: number) => (setBackMs += byMs) };
}

/** When the listener hears the advertiser, after START. */
async function heardOf(air: { join(name: string): Radio }): Promise<number[]> {
  const heard: number[] = [];
  await air.join('listener').scanner.start(({ heardAtMs }) => heard.push(heardAtMs - START));
  await air.join('sender').advertiser.set(ADVERT);
  return heard;
}

describe('an air whose clock is set back by an hour', () => {
  const airs = {
    'in memory': (clock: Clock) => openMemoryAir({ clock, seed: 'test' }),
    'of recorded contacts': (clock: Clock) => openReplayAir({ clock, contacts: [] }),
  };

  it.each(Object.entries(airs))('%s goes on at once', async (_name, open) => {
    const { time, clock, setBack } = settableClock();
    const air = open(clock);
    const heard = await heardOf(air);
    await time.advance(10_000); // one advert has just been sent
    const before = heard.length;
    expect(before).toBeGreaterThan(8);
    setBack(HOUR);
    await time.advance(10_000);
    const since = heard.slice(before);
    expect(since.length).toBeGreaterThan(8);
    expect(since.every((atMs) => atMs < 21_000 - HOUR)).toBe(true);
    await air.close();
  });

  it('has an advert that is replaced sent in its time, not in an hour', async () => {
    const { time, clock, setBack } = settableClock();
    const air = openMemoryAir({ clock, seed: 'test' });
    const heard: number[] = [];
    const [listener, sender] = [air.join('listener'), air.join('sender')];
    await listener.scanner.start(({ heardAtMs }) => heard.push(heardAtMs - START));
    await sender.advertiser.set(ADVERT);
    await time.advance(500);
    setBack(HOUR);
    await sender.advertiser.set({ ...ADVERT, advert: Uint8Array.of(2, 1, 7) });
    await time.advance(3000);
    expect(heard.length).toBeGreaterThan(3);
    await air.close();
  });
});

it('an air looks at its clock once a minute at least, however long it has nothing to do', async () => {
  const { time, clock } = settableClock();
  let steps = 0;
  const pump = startPump(clock, (nowMs) => {
    steps += 1;
    return nowMs + HOUR;
  });
  await time.advance(10 * 60_000 + 1);
  await pump.close();
  expect(steps).toBeGreaterThan(9);
});
