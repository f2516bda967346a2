/** `firebreak authority status` where no authority runs. */
import { silence } from './heard-of.js';

/** Nothing is known but what any reader of the folder sees. */
export const neverSeenLines = (keyDays: string, sunset: string): readonly string[] => [
  'not running',
  keyDays,
  sunset,
  'start it to see tags, gateways and notices',
];

/**
 * @param lines  What its status said last (commands/authority-status.ts).
 * @param keyDays  The days that have keys now: `authority retain` ends days without an authority that runs.
 */
export function stoppedLines(lines: readonly string[], ageMs: number, keyDays: string): readonly string[] {
  const [health = '', ...then] = lines;
  const isSince = then.includes(keyDays) ? [] : [`now, without it: ${keyDays}`];
  return [
    `${silence({ isRunning: false, ageMs })}; then: ${health}`,
    ...then,
    ...isSince,
    'a notice or a revocation of its last moment may be missing here: start it before you give one again',
  ];
}
