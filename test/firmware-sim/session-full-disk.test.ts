/** Warnings reach a tag whose disk takes nothing: that is the tag's own trouble, and no reason to leave a person unwarned. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_SESSION, runGatewaySession } from '../../firmware-sim/live/gateway-session.js';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { authKeyOf, makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { noticeToken, signNotice } from '../../protocol/tag/notice.js';
import { MIDNIGHT_MS } from './samples.js';
import { testAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';
import { testTag } from './test-tag.js';

const EPOCH_MS = 900_000;
const TODAY = MIDNIGHT_MS / 86_400_000;
const WARNINGS = [{ day: TODAY, number: 1, code: 2 }];

/** A tag with one record to report, and a gateway with a notice that means it. */
async function scene(days = 2) {
  const authority = testAuthority();
  const tag = await testTag(authority, { tag: 17, days });
  tag.hear(1);
  tag.nowMs = (Math.floor(tag.nowMs / EPOCH_MS) + 1) * EPOCH_MS + 120_000;
  tag.device.tick();
  const { idKey, macKey } = authority.dayKeys(TODAY);
  const key = authKeyOf(macKey, makeEphemeralId(idKey, asTagNumber(17), asEpoch(TODAY * 96)));
  const notice = { day: TODAY, number: 1, code: 2, tokens: [noticeToken(key, 1, 2)] };
  const gateway = testGateway(authority, () => tag.nowMs);
  gateway.refresh = { notices: signNotice(authority.issuer, notice, (n) => new Uint8Array(n)) };
  const visit = () =>
    runGatewaySession(gateway.connect(), tag.device, { ...DEFAULT_SESSION, receiptTimeoutMs: 50 });
  return { authority, tag, gateway, visit };
}

describe('a tag whose disk is full', () => {
  it('is warned when the disk filled up during an upload', async () => {
    const { tag, gateway, visit } = await scene();
    gateway.faults.onWrite = () => (tag.full.store = true);
    await expect(visit()).rejects.toThrow('ENOSPC');
    expect(tag.device.status().warnings).toEqual(WARNINGS);
  });

  it('is warned when the disk was full before, and hands out no report until there is room', async () => {
    const { tag, gateway, visit } = await scene();
    tag.full.store = true;
    await expect(visit()).rejects.toThrow('ENOSPC');
    expect(tag.device.status().warnings).toEqual(WARNINGS);
    expect(gateway.uploads).toEqual([]);
    tag.full.store = false;
    expect(await visit()).toEqual({ accepted: 1, endedBy: undefined });
  });

  it('is warned though its disk does not take the pack that comes first', async () => {
    const { authority, tag, gateway, visit } = await scene(1);
    let pack = new Uint8Array(0);
    const lossy = {
      ...authority.station,
      renew: async (report: Uint8Array) => {
        pack = new Uint8Array(await authority.station.renew(report));
        throw new Error('the wire broke');
      },
    };
    await expect(tag.device.renew(lossy, { firstDay: TODAY + 1, days: 2 })).rejects.toThrow('the wire broke');
    gateway.refresh = { ...gateway.refresh, pack };
    tag.full.store = true;
    await expect(visit()).rejects.toThrow('ENOSPC');
    expect(tag.device.status().warnings).toEqual(WARNINGS);
  });
});
