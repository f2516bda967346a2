/**
 * What happens in a deployment when a day turns, in a replay: day keys ahead, a new certificate before one runs out, and a
 * little later the pruning of the day that left the retention window.
 */
import { PRUNE_MARGIN_MS } from '../../authority/days/retention.js';
import type { Authority } from '../../authority/authority.js';
import type { Courier } from '../../courier/courier.js';
import type { VirtualClock } from '../../host/clock-virtual.js';
import { FirebreakError } from '../../protocol/errors.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';
import type { GatewayStatus } from '../../gateway/gateway.js';

const WAIT_MS = 20_000;
const LOOK_EVERY_MS = 5;

export interface DaysGiven {
  readonly clock: VirtualClock;
  readonly recording: Pick<ContactRecording, 'startMs' | 'endMs'>;
  readonly running: {
    readonly authority: Pick<Authority, 'maintain'>;
    readonly writer: { readonly courier: Pick<Courier, 'drained'> };
  };
  readonly signal: AbortSignal;
  readonly gatewayStatus: () => Pick<GatewayStatus, 'certificateToDay' | 'statementDays'>;
  /** Gives the gateway a certificate from today on. */
  readonly certify: () => Promise<void>;
}

/** Makes the first day ready, and schedules the others. Time stands still while a day is made ready. */
export async function keepDays(given: DaysGiven): Promise<void> {
  const { clock, recording } = given;
  await makeReady(given);
  const lastDay = dayOf(recording.endMs / 1000) + 1;
  for (let day = dayOf(recording.startMs / 1000) + 1; day <= lastDay; day++) {
    const midnightMs = day * DAY_SECONDS * 1000;
    clock.schedule(midnightMs, () => makeReady(given));
    clock.schedule(midnightMs + PRUNE_MARGIN_MS, () => maintain(given));
  }
}

async function maintain({ running, signal }: DaysGiven): Promise<void> {
  await running.authority.maintain();
  await running.writer.courier.drained(signal);
}

async function makeReady({ clock, running, signal, gatewayStatus, certify }: DaysGiven): Promise<void> {
  const today = dayOf(clock.nowMs() / 1000);
  await running.authority.maintain();
  if (gatewayStatus().certificateToDay <= today) await certify();
  await running.writer.courier.drained(signal);
  const deadline = Date.now() + WAIT_MS;
  while (![today - 1, today].every((day) => gatewayStatus().statementDays.includes(day))) {
    signal.throwIfAborted();
    if (Date.now() > deadline) throw new FirebreakError('timeout', 'the day keys did not reach the gateway');
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
