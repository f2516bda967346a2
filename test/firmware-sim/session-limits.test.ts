import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { DEFAULT_SESSION, runGatewaySession } from '../../firmware-sim/live/gateway-session.js';
import { FirebreakError } from '../../protocol/errors.js';
import { signNotice } from '../../protocol/tag/notice.js';
import { decodeRefreshRequest, encodeRefreshSlice } from '../../protocol/session/refresh.js';
import type { Link } from '../../radio/contract.js';
import { MIDNIGHT_MS } from './samples.js';
import { testAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';
import { testTag } from './test-tag.js';

it('a session ends at a gateway that hands out its notices byte by byte, and goes on doing so', async () => {
  const authority = testAuthority();
  const tag = await testTag(authority, { tag: 17 });
  const link = testGateway(authority, () => tag.nowMs).connect();
  const whole = new Uint8Array(262_144);
  const notice = { day: MIDNIGHT_MS / 86_400_000, number: 1, code: 2, tokens: [new Uint8Array(8)] };
  whole.set(signNotice(authority.issuer, notice, (length) => new Uint8Array(length)));
  let isOpen = true;
  void link.closed.then(() => (isOpen = false));
  let offset = 0;
  const dribbling: Link = {
    ...link,
    write: async (_, value) => void (offset = decodeRefreshRequest(value).offset),
    read: async (characteristic) => {
      if (characteristic === 'hello') return link.read(characteristic);
      await sleep(offset === 0 ? 0 : 5);
      if (!isOpen) throw new FirebreakError('closed', 'the link is closed');
      return encodeRefreshSlice(whole, offset).subarray(0, 5);
    },
  };
  const outcome = await runGatewaySession(dribbling, tag.device, { ...DEFAULT_SESSION, limitMs: 100 });
  expect(outcome).toMatchObject({ accepted: 0, endedBy: 'timeout' });
  expect(isOpen).toBe(false);
});
