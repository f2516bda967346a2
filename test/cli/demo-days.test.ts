/** The turns of the days of a replay, for an authority with a retention window that is shorter than the recording. */
import { expect, it } from 'vitest';
import { keepDays } from '../../cli/demo/days.js';
import { virtualClock } from '../../host/clock-virtual.js';
import { decodePruningPayload } from '../../protocol/payload/pruning.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { courierThat, newAuthority, TODAY } from '../authority/fixture.js';
import type { Posted } from '../authority/fixture.js';

const DAY_MS = 86_400_000;
const DAYS = 4;
const RETENTION_DAYS = 2;

it('each day that leaves the window is pruned on the day it leaves, the last one too', async () => {
  const startMs = TODAY * DAY_MS + DAY_MS / 3;
  const endMs = startMs + (DAYS - 1) * DAY_MS;
  const clock = virtualClock(startMs);
  const pruned: [day: number, on: number][] = [];
  const note = ({ type, payload }: Posted): void => {
    if (type !== ENTRY_TYPE.pruning) return;
    pruned.push([decodePruningPayload(payload).day, Math.floor(clock.nowMs() / DAY_MS)]);
  };
  const courier = courierThat(
    async (entries) => entries.forEach(note),
    async () => ({ index: 1 }),
  );
  const { authority } = await newAuthority({ clock, courier, retentionDays: RETENTION_DAYS });
  const statementDays = Array.from({ length: DAYS + 2 }, (_, index) => TODAY - 1 + index);
  await keepDays({
    clock,
    recording: { startMs, endMs },
    running: { authority, writer: { courier: { drained: async () => {} } } },
    signal: new AbortController().signal,
    gatewayStatus: () => ({ certificateToDay: TODAY + DAYS + 7, statementDays }),
    certify: async () => {},
  });
  await clock.run(endMs);
  await authority.close();
  expect(pruned).toEqual([
    [TODAY - 1, TODAY - 1 + RETENTION_DAYS + 1],
    [TODAY, TODAY + RETENTION_DAYS + 1],
  ]);
});
