/** The screen of a gateway to which nothing is wrong but what is given. */
import { gatewayScreen, gatewayStatusSchema } from '../../cli/present/gateway-screen.js';
import { dayOf } from '../../protocol/time.js';

export const LAST_DAY = 20_520;

const each = (value: number, ...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, value]));

interface Shown {
  readonly clockMs?: number;
  readonly online?: boolean;
  readonly isRunning?: boolean;
  readonly courier?: Record<string, unknown>;
  readonly whyCertificateUnread?: string;
}

/** `value` is each number in it that is neither a time nor a sign of trouble. */
export function gatewayShown(
  value: number,
  changes: Record<string, unknown> = {},
  { clockMs = 0, online = true, isRunning = true, courier = {}, whyCertificateUnread }: Shown = {},
): string {
  const today = dayOf(clockMs / 1000);
  const status = gatewayStatusSchema.parse({
    ...{ name: 'hub-1', clockMs, whyCertificateUnread },
    gateway: {
      ...each(value, 'openSessions', 'sessions', 'turnedAway', 'timedOut', 'broken', 'reportsAccepted'),
      ...each(value, 'beaconsHeard', 'tagsInReach', 'presenceReported', 'presenceLost'),
      ...{ upSinceMs: 0, certificateToDay: LAST_DAY, gatewayId: 'a0'.repeat(16) },
      ...{ reportsRefused: {}, statementDays: [today - 1, today, today + 1], notices: 0, ...changes },
    },
    courier: {
      ...{ online, delivered: value },
      ...each(0, 'depth', 'refused', 'parked', 'keptAside'),
      ...courier,
    },
  });
  return gatewayScreen({ isRunning, ageMs: 0, status });
}
