/** For tests of what a user may not do: root may, whatever the mode of a file says. */
import { onTestFinished } from 'vitest';

/** Goes on as a user without rights until the test is over, where it runs as root. What the test makes first is made as root. */
export function leaveRoot(): void {
  if (process.geteuid?.() !== 0) return;
  process.seteuid?.(65_534);
  onTestFinished(() => process.seteuid?.(0));
}
