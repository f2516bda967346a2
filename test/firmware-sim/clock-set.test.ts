import { describe, expect, it } from 'vitest';
import { decodeEncounterRecord } from '../../protocol/tag/encounter-record.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { openHello } from '../../protocol/session/hello.js';
import type { TagDevice } from '../../firmware-sim/tag/tag-device.js';
import { macOf, peerId } from './samples.js';
import { testAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';
import { restarted, sighting, testTag } from './test-tag.js';
import type { TestTag } from './test-tag.js';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const authority = testAuthority();

const helloAt = (timeMs: number) =>
  openHello(testGateway(authority, () => timeMs).hello(), authority.issuer.publicKey);

function pass(tag: TestTag, durationMs: number, device: TagDevice = tag.device): void {
  for (const endMs = tag.nowMs + durationMs; tag.nowMs < endMs; tag.nowMs += MINUTE) device.tick();
}

describe('a contact during which a tag’s clock is set', () => {
  const PEER = 5;

  /** The peer's beacons for so long, their MACs of the minute it is in truth. */
  function hear(tag: TestTag, device: TagDevice, durationMs: number): void {
    for (const endMs = tag.nowMs + durationMs; tag.nowMs < endMs; tag.nowMs += 1000)
      device.heard({ ...sighting(PEER, tag.nowMs), heardAtMs: tag.nowMs + tag.hostErrorMs });
  }

  const recordsOf = (tag: TestTag) =>
    [...tag.flash.entries()]
      .map(({ bytes }) => decodeEncounterRecord(bytes))
      .filter(({ peerEphId }) => Buffer.from(peerEphId).equals(peerId(PEER)));

  /** Whether each proof is the MAC of the minute that it claims. */
  const proofsOf = ({ start, proofA, proofB }: EncounterRecord) =>
    [proofA, proofB].map(({ minuteOffset, mac }) =>
      Buffer.from(mac).equals(macOf(PEER, start * 1000 + minuteOffset * MINUTE)),
    );

  const seconds = ({ bucketSeconds }: EncounterRecord) => bucketSeconds.reduce((sum, one) => sum + one, 0);

  it.each([
    ['ahead', 10 * MINUTE],
    ['behind', -10 * MINUTE],
  ])('that was %s counts in full from then on, and the rest stands as it was', async (_name, errorMs) => {
    const tag = await testTag(authority, { days: 7 });
    tag.nowMs += 5 * HOUR + 90_500;
    tag.hostErrorMs = errorMs;
    const { device } = restarted(tag);
    hear(tag, device, 2 * MINUTE);
    const setMs = tag.nowMs;
    device.meet(helloAt(setMs));
    expect(device.nowMs()).toBe(setMs);
    hear(tag, device, 12 * MINUTE);
    pass(tag, 20 * MINUTE, device);
    const [before, after, ...others] = recordsOf(tag);
    expect(others).toEqual([]);
    expect(before && [before.samples, seconds(before)]).toEqual([120, 120]);
    expect(after?.start).toBe(Math.floor(setMs / 1000));
    expect(after && [after.samples, seconds(after), proofsOf(after)]).toEqual([720, 720, [true, true]]);
  });

  it('by half a minute goes on in its record', async () => {
    const tag = await testTag(authority, { days: 7 });
    hear(tag, tag.device, 2 * MINUTE);
    tag.device.meet(helloAt(tag.nowMs + 30_000));
    hear(tag, tag.device, 2 * MINUTE);
    pass(tag, 20 * MINUTE);
    expect(recordsOf(tag)).toMatchObject([{ samples: 240 }]);
  });

  it('that was lost stands as it was too, whatever the host’s clock says by then', async () => {
    const tag = await testTag(authority, { days: 7 });
    hear(tag, tag.device, 2 * MINUTE);
    tag.hostErrorMs = -5 * HOUR;
    tag.device.tick();
    expect(tag.device.isClockLost).toBe(true);
    pass(tag, MINUTE);
    tag.device.meet(helloAt(tag.nowMs + 5 * MINUTE));
    tag.hostErrorMs += 5 * HOUR + 5 * MINUTE;
    hear(tag, tag.device, 2 * MINUTE);
    pass(tag, 20 * MINUTE);
    expect(recordsOf(tag)).toMatchObject([{ samples: 120 }, { samples: 120 }]);
  });

  it('that was lost for a moment, and is as it was, goes on in its record', async () => {
    const tag = await testTag(authority, { days: 7 });
    hear(tag, tag.device, MINUTE);
    tag.hostErrorMs = 5 * HOUR;
    tag.device.tick();
    tag.hostErrorMs = 0;
    pass(tag, 11 * MINUTE);
    expect(tag.device.isClockLost).toBe(false);
    hear(tag, tag.device, MINUTE);
    pass(tag, 20 * MINUTE);
    expect(recordsOf(tag)).toMatchObject([{ samples: 120 }]);
  });

  it('stands as it was also for a tag that takes its host’s word', async () => {
    const tag = await testTag(authority, { days: 7 });
    const { epochs, noticeKeys } = tag.state.shelf;
    for (const days of [epochs, noticeKeys]) days.clear();
    tag.state.aired = undefined; // as if nobody had certified it yet
    hear(tag, tag.device, 2 * MINUTE);
    tag.hostErrorMs = -5 * MINUTE;
    hear(tag, tag.device, 2 * MINUTE);
    pass(tag, 20 * MINUTE);
    expect(recordsOf(tag)).toMatchObject([{ samples: 120 }, { samples: 120 }]);
  });
});
