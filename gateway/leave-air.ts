/** How a gateway leaves the air: whatever the radio makes of it, it comes to an end, for there is more to be done after. */
import { asError, FirebreakError } from '../protocol/errors.js';
import type { Radio, ServerPeer } from '../radio/contract.js';

/** Wall ms; Bluetooth may take a few seconds over each part. Services are killed after 20 s (deploy/). */
const LEAVE_MS = 10_000;

/** Nothing new is heard or accepted, then the sessions end. Resolves what failed first, `timeout` for what did not end; never rejects. */
export async function leaveAir(
  { advertiser, scanner, server }: Radio,
  sessions: readonly ServerPeer[],
): Promise<Error | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Error>((resolve) => {
    const hangs = new FirebreakError('timeout', `the radio did not stop within ${LEAVE_MS / 1000} s`);
    timer = setTimeout(() => resolve(hangs), LEAVE_MS);
  });
  try {
    return await Promise.race([leave(), late]);
  } finally {
    clearTimeout(timer);
  }

  async function leave(): Promise<Error | undefined> {
    const quiet = await failureOf([() => advertiser.stop(), () => scanner.stop()]);
    await failureOf(sessions.map((peer) => () => peer.disconnect())); // whoever is gone already cannot be disconnected
    const closed = await failureOf([() => server.stop()]);
    return quiet ?? closed;
  }
}

/** Does them all, and gives the first that failed. */
async function failureOf(works: readonly (() => Promise<unknown>)[]): Promise<Error | undefined> {
  const ends = await Promise.allSettled(works.map(async (work) => work()));
  const failed = ends.find((end) => end.status === 'rejected');
  return failed && asError(failed.reason);
}
