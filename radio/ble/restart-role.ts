/** A controller that comes back knows nothing of what it did before: what a role did with it is taken up again. */
import type { Log } from '../../protocol/log.js';
import { TroubleTeller } from './trouble-teller.js';

export interface RestartDeps {
  /** As in "… could not be taken up again". */
  readonly role: 'scanning' | 'advertising';
  readonly restart: () => Promise<void>;
  readonly isUp: () => boolean;
  readonly log: Log;
  /** Wall ms between two attempts. */
  readonly pauseMs?: number;
}

const PAUSE_MS = 1_000;

/** To be called with each state of the controller. A restart that fails is tried again while the controller is up. */
export function restarterOf(deps: RestartDeps): (state: unknown) => void {
  const { role, restart, isUp, log, pauseMs = PAUSE_MS } = deps;
  const teller = new TroubleTeller(log, {
    failed: `${role} could not be taken up again; it is tried until it is`,
    works: `${role} is taken up again`,
  });
  let retry: NodeJS.Timeout | undefined;
  const attempt = (): void => {
    clearTimeout(retry);
    restart().then(
      () => teller.works(),
      (error: unknown) => {
        teller.failed(error);
        clearTimeout(retry);
        retry = setTimeout(() => (isUp() ? attempt() : undefined), pauseMs);
      },
    );
  };
  return (state) => {
    log.info('the Bluetooth controller changed its state', { state: String(state) });
    if (state === 'poweredOn') attempt();
  };
}
