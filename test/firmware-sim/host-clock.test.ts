import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { openHello } from '../../protocol/session/hello.js';
import { silentLog } from '../../protocol/log.js';
import { keepCredentials } from '../../firmware-sim/live/credential-renewer.js';
import { HostClock } from '../../firmware-sim/live/host-clock.js';
import { noSampleJournal } from '../../firmware-sim/tag/sample-journal.js';
import { decodeSavedTag } from '../../firmware-sim/tag/saved-tag.js';
import { TagDevice } from '../../firmware-sim/tag/tag-device.js';
import { newTagState } from '../../firmware-sim/tag/tag-state.js';
import { MIDNIGHT_MS, SETTINGS } from './samples.js';
import { testAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';
import { afterKill, restarted, testTag } from './test-tag.js';
import type { TestTag } from './test-tag.js';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const EPOCH_MS = 900_000;
const TODAY = MIDNIGHT_MS / DAY;
const authority = testAuthority();

const helloAt = (timeMs: number) =>
  openHello(testGateway(authority, () => timeMs).hello(), authority.issuer.publicKey);

function pass(tag: TestTag, durationMs: number, device: TagDevice = tag.device): void {
  for (const endMs = tag.nowMs + durationMs; tag.nowMs < endMs;) {
    tag.nowMs = Math.min(endMs, tag.nowMs + MINUTE);
    device.tick();
  }
}

/** A tag on the air for half an hour, with a record waiting. */
async function running() {
  const tag = await testTag(authority, { days: 7 });
  tag.hear(1);
  pass(tag, 30 * MINUTE);
  return tag;
}

/** Every ID under the one address it was sent from, in the order in which they were. */
function requireUnlinkable(tag: TestTag): void {
  const places = new Map<number, string>();
  let newest = 0;
  for (const onAir of tag.adverts) {
    if (onAir === undefined) continue;
    expect(onAir.epoch).toBeGreaterThanOrEqual(newest);
    newest = onAir.epoch;
    expect(places.get(newest) ?? onAir.address).toBe(onAir.address);
    places.set(newest, onAir.address);
  }
}

describe('a host’s clock that is set back', () => {
  it('silences the tag at once; when it has agreed again for ten minutes the tag goes on, in a later epoch', async () => {
    const tag = await running();
    const before = tag.device.onAir?.epoch ?? 0;
    tag.hostErrorMs = -2 * HOUR;
    tag.device.tick();
    expect(tag.device.status()).toMatchObject({ isOnAir: false, isClockLost: true });
    pass(tag, HOUR);
    expect(tag.device.onAir).toBeUndefined();
    tag.hostErrorMs = 0;
    pass(tag, 9 * MINUTE);
    expect(tag.device.onAir).toBeUndefined();
    pass(tag, 2 * MINUTE);
    expect(tag.device.onAir?.epoch).toBe(Math.floor(tag.nowMs / EPOCH_MS));
    expect(tag.device.onAir?.epoch).toBeGreaterThan(before);
    requireUnlinkable(tag);
  });

  it('before a start leaves the tag silent until a gateway tells it the time', async () => {
    const tag = await running();
    const before = tag.device.onAir;
    tag.hostErrorMs = -2 * HOUR;
    const { device } = restarted(tag);
    expect(device.status()).toMatchObject({ isOnAir: false, isClockLost: true });
    expect(device.wantsSession).toBe(true);
    device.meet(helloAt(tag.nowMs));
    expect(device.nowMs()).toBe(tag.nowMs);
    expect(device.onAir?.address).toBe(before?.address);
    requireUnlinkable(tag);
  });
});

describe('a host’s clock that is set forward', () => {
  it('for a moment costs a tag nothing but ten minutes of silence', async () => {
    const tag = await running();
    const { secret, shelf } = tag.state;
    const days = [...shelf.epochs.keys()];
    tag.hostErrorMs = 30 * DAY;
    tag.device.tick();
    tag.hear(2);
    tag.hostErrorMs = 0;
    expect(tag.device.status()).toMatchObject({ isOnAir: false, waiting: 1, dropped: 0 });
    expect(tag.state.secret).toBe(secret);
    expect([...shelf.epochs.keys()]).toEqual(days);
    pass(tag, 12 * MINUTE);
    expect(tag.device.status()).toMatchObject({ isOnAir: true, waiting: 1, dropped: 0 });
  });

  it('does not date what is heard in that moment', async () => {
    const tag = await running();
    const { secret } = tag.state;
    const heard = {
      address: 'c00000000001',
      rssiDbm: -50,
      advert: tag.device.onAir?.advert ?? new Uint8Array(31),
    };
    tag.device.heard({ ...heard, heardAtMs: tag.nowMs + 30 * DAY });
    expect(tag.state.secret).toBe(secret);
    expect(tag.device.status()).toMatchObject({ waiting: 1, dropped: 0 });
  });

  it('and stays so makes a tag wait for a gateway', async () => {
    const tag = await running();
    tag.hostErrorMs = 5 * HOUR;
    pass(tag, 3 * HOUR);
    expect(tag.device.onAir).toBeUndefined();
    tag.device.meet(helloAt(tag.nowMs));
    expect(tag.device.status()).toMatchObject({ isOnAir: true, timeMs: tag.nowMs });
    tag.hostErrorMs = 0; // set right: it now says what the gateway said
    pass(tag, MINUTE);
    expect(tag.device.status()).toMatchObject({ isOnAir: true, timeMs: tag.nowMs });
  });
});

describe('a machine that slept, where no gateway comes', () => {
  /** Keeps the tag for some hours with an authority whose clock is wrong by `errorMs`, or that tells no time. */
  async function keep(tag: TestTag, hours: number, errorMs?: number, device = tag.device): Promise<void> {
    const stop = new AbortController();
    const endMs = tag.nowMs + hours * HOUR;
    const clock = {
      nowMs: () => asUnixMs(tag.nowMs),
      sleep: async (durationMs: number) => {
        pass(tag, durationMs, device);
        if (tag.nowMs >= endMs) stop.abort();
      },
    };
    const timeMs = async () => tag.nowMs + tag.hostErrorMs + (errorMs ?? 0);
    const station = errorMs === undefined ? authority.station : { ...authority.station, timeMs };
    const deps = { device, station, tag: asTagNumber(17), clock, log: silentLog, fraction: () => 0.5 };
    await keepCredentials(deps, stop.signal);
  }

  async function slept() {
    const tag = await running();
    tag.hostErrorMs = 5 * HOUR; // the counter stood still
    return tag;
  }

  it('gives the tag its time back when the authority has said the same, after two hours', async () => {
    const tag = await slept();
    await keep(tag, 1.5, 0);
    expect(tag.device.isClockLost).toBe(true);
    await keep(tag, 1.5, 0);
    expect(tag.device.status()).toMatchObject({
      isClockLost: false,
      isOnAir: true,
      timeMs: tag.nowMs + 5 * HOUR,
    });
    requireUnlinkable(tag);
  });

  it('does so after a start as well', async () => {
    const tag = await running();
    tag.nowMs += 3 * DAY;
    const { device } = restarted(tag);
    await keep(tag, 3, 0, device);
    expect(device.status()).toMatchObject({ isClockLost: false, isOnAir: true, timeMs: tag.nowMs });
  });

  it.each([
    ['the authority says another time', 2 * MINUTE],
    ['the authority tells no time', undefined],
  ])('leaves it lost when %s', async (_name, errorMs) => {
    const tag = await slept();
    await keep(tag, 5, errorMs);
    expect(tag.device.isClockLost).toBe(true);
  });

  it('leaves it lost while the host’s clock goes on jumping, and before a time that was signed', async () => {
    const tag = await slept();
    for (let hour = 0; hour < 5; hour += 1) {
      tag.hostErrorMs += 2 * MINUTE;
      await keep(tag, 1, 0);
    }
    expect(tag.device.isClockLost).toBe(true);
    const early = await running();
    early.device.meet(helloAt(early.nowMs));
    early.hostErrorMs = -5 * HOUR;
    await keep(early, 4, 0);
    expect(early.device.isClockLost).toBe(true);
  });
});

describe('a start', () => {
  it('in mid-epoch goes on from the same address, whenever the state was saved last', async () => {
    const tag = await running();
    const before = tag.device.onAir;
    const { device } = restarted(tag);
    expect(device.onAir).toMatchObject({ address: before?.address, phaseMs: before?.phaseMs });
    requireUnlinkable(tag);
  });

  it('takes the host’s word after a night', async () => {
    const tag = await running();
    tag.nowMs += 15 * HOUR;
    expect(restarted(tag).device.status()).toMatchObject({ isOnAir: true, isClockLost: false });
  });

  it('after weeks drops and erases nothing until a gateway has told the time', async () => {
    const tag = await running();
    tag.nowMs += 30 * DAY;
    const { device, state } = restarted(tag);
    expect(device.status()).toMatchObject({ isClockLost: true, waiting: 1, dropped: 0 });
    expect(state.secret.day).toBe(TODAY);
    device.meet(helloAt(tag.nowMs));
    expect(device.status()).toMatchObject({ isClockLost: false, timeMs: tag.nowMs, waiting: 0, dropped: 1 });
    await device.enrol(authority.station, { firstDay: TODAY + 30, days: 1 }, asTagNumber(3));
    expect(device.onAir?.epoch).toBe(Math.floor(tag.nowMs / EPOCH_MS));
  });

  it('by a clock that is hours slow is mended by the first hello, and only to a later time than was known', async () => {
    const tag = await running();
    tag.nowMs += 6 * HOUR;
    tag.hostErrorMs = -5 * HOUR;
    const { device } = restarted(tag);
    expect(device.status()).toMatchObject({ isOnAir: true, isClockLost: false });
    const slowMs = device.nowMs();
    device.meet(helloAt(tag.nowMs - 6 * HOUR - 10 * MINUTE)); // recorded before: moves it by a minute, as ever
    expect(slowMs - device.nowMs()).toBe(MINUTE);
    const again = restarted(tag).device;
    again.meet(helloAt(tag.nowMs));
    expect(again.nowMs()).toBe(tag.nowMs);
    requireUnlinkable(tag);
  });

  it('judges the host’s clock also when the notes of the last run cannot be read', async () => {
    const tag = await running();
    tag.nowMs += 30 * DAY;
    const journal = { ...noSampleJournal, samples: () => fail() };
    const { device } = afterKill(tag, journal);
    expect(() => device.restart()).toThrow('EIO');
    expect(device.status()).toMatchObject({ isClockLost: true, isOnAir: false });
  });

  it('reads the state of a version that kept what was on the air', async () => {
    const tag = await running();
    const { aired, ...saved } = JSON.parse(tag.saved.at(-1) ?? '') as Record<string, object>;
    const onAir = { ...aired, minute: 5, advert: '00'.repeat(31), txPowerDbm: 0 };
    const { seenMs, ...older } = { ...saved, onAir, seenMs: undefined };
    expect(seenMs).toBeUndefined();
    expect(decodeSavedTag(JSON.stringify(older), SETTINGS).aired).toEqual(aired);
  });
});

describe('a tag that nobody has certified yet', () => {
  it.each([
    ['behind', -20_000 * DAY],
    ['ahead', 400 * DAY],
  ])('follows a clock that was %s when its secret was made', async (_name, errorMs) => {
    const at = { nowMs: MIDNIGHT_MS + 12 * HOUR, errorMs };
    const day = Math.floor((at.nowMs + errorMs) / DAY);
    const secret = { day, bytes: new Uint8Array(32).fill(1) };
    const donor = await testTag(authority);
    const device = new TagDevice({
      state: newTagState({ settings: SETTINGS, issuerPublicKey: authority.issuer.publicKey, secret }),
      flash: donor.flash,
      store: { save: () => {} },
      journal: noSampleJournal,
      signerOf: fastSigner,
      random: (length) => new Uint8Array(length).fill(9),
      counterMs: () => at.nowMs,
      host: { nowMs: () => at.nowMs + at.errorMs, rate: 1 },
    });
    device.restart();
    at.errorMs = 0;
    device.tick();
    expect(device.status()).toMatchObject({ isClockLost: false, timeMs: at.nowMs });
    await device.enrol(authority.station, { firstDay: TODAY, days: 1 }, asTagNumber(4));
    expect(device.onAir?.epoch).toBe(Math.floor(at.nowMs / EPOCH_MS));
  });
});

describe('drift', () => {
  const known = { offsetMs: 0, isLost: false };
  function clocks(rate: number) {
    const at = { counterMs: 0, hostMs: 1_000 * DAY };
    const clock = new HostClock(() => at.counterMs, { nowMs: () => at.hostMs, rate });
    const step = (passMs: number, shiftMs: number) => {
      at.counterMs += passMs;
      at.hostMs += passMs + shiftMs;
      return clock.look(known)?.type;
    };
    return { at, clock, step };
  }

  it('of some seconds at a time is followed for as long as it goes on', () => {
    const { at, clock, step } = clocks(1);
    for (let hour = 0; hour < 48; hour += 1) expect(step(HOUR, 50_000)).toBe('moved');
    expect(clock.nowMs()).toBe(at.hostMs);
  });

  it('adds up to no more than a minute an hour', () => {
    const { step } = clocks(1);
    expect([step(MINUTE, 50_000), step(MINUTE, 50_000)]).toEqual(['moved', 'doubt']);
  });

  it('is measured in the host’s own time where a deployment runs faster', () => {
    const { step } = clocks(60);
    expect([step(HOUR, 50 * MINUTE), step(HOUR, 50 * MINUTE)]).toEqual(['moved', 'doubt']);
  });
});

describe('whatever happens to the clocks', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ type: fc.constant('pass' as const), minutes: fc.integer({ min: 1, max: 90 }) }),
      fc.record({ type: fc.constant('set' as const), minutes: fc.integer({ min: -4000, max: 4000 }) }),
      fc.constant({ type: 'right' as const }),
      fc.constant({ type: 'start' as const }),
      fc.constant({ type: 'hello' as const }),
    ),
    { maxLength: 14 },
  );

  it('no ID is ever sent from two addresses, nor one of an epoch before', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const tag = await running();
        let { device } = tag;
        for (const step of taken) {
          if (step.type === 'pass') pass(tag, step.minutes * MINUTE, device);
          else if (step.type === 'start') ({ device } = restarted(tag));
          else if (step.type === 'hello') attempt(() => device.meet(helloAt(tag.nowMs)));
          else tag.hostErrorMs = step.type === 'set' ? step.minutes * MINUTE : 0;
        }
        requireUnlinkable(tag);
      }),
      { numRuns: 30 },
    );
  });
});

const fail = (): never => {
  throw new Error('EIO: i/o error, read');
};

/** A hello may be refused; what matters is what the tag sends after. */
function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^(epoch|certificate)$/) as string });
  }
}
