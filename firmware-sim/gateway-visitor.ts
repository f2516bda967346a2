/**
 * When a live tag talks to a gateway: as soon as it hears one while something waits, not again until a while has passed,
 * and later and later after failures. One session at a time; a session ends with the epoch.
 */
import { FirebreakError } from '../protocol/errors.js';
import type { ErrorCode } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';
import type { Central, RadioAddress } from '../radio/contract.js';
import { backOffMs } from './back-off.js';
import { runGatewaySession } from './gateway-session.js';
import type { SessionOutcome, SessionSettings } from './gateway-session.js';
import type { TagDevice } from './tag-device.js';

export interface VisitSettings {
  /** Deployment ms between sessions, drawn from 0.5 to 1.5 times this. */
  readonly apartMs: number;
  /** A tag with nothing to deliver still looks for notices this often. */
  readonly noticesEveryMs: number;
  readonly retryFirstMs: number;
  readonly retryLongestMs: number;
}

export const DEFAULT_VISITS: VisitSettings = {
  apartMs: 60_000,
  noticesEveryMs: 3_600_000,
  retryFirstMs: 5_000,
  retryLongestMs: 900_000,
};

export interface VisitorDeps {
  readonly device: TagDevice;
  readonly central: Central;
  readonly session: SessionSettings;
  readonly visits: VisitSettings;
  readonly nowMs: () => number;
  /** 0 to 1. */
  readonly fraction: () => number;
  readonly log: Log;
}

export interface VisitorStatus {
  readonly sessions: number;
  readonly failedSessions: number;
  readonly lastSessionMs: number | undefined;
  readonly lastEndedBy: ErrorCode | undefined;
}

export interface GatewayVisitor {
  /** A gateway's advert was heard. */
  heard(address: RadioAddress): void;
  /** Ends a session that is under way; the next advert may start another. */
  cut(): void;
  status(): VisitorStatus;
  /** Ends what is under way, for good. */
  close(): Promise<void>;
}

export function gatewayVisitor(deps: VisitorDeps): GatewayVisitor {
  return new Visitor(deps);
}

class Visitor implements GatewayVisitor {
  readonly #deps: VisitorDeps;
  #running: Promise<void> | undefined;
  #abort = new AbortController();
  #isClosed = false;
  #nextMs = -Infinity;
  #failuresInARow = 0;
  #status: VisitorStatus = {
    sessions: 0,
    failedSessions: 0,
    lastSessionMs: undefined,
    lastEndedBy: undefined,
  };

  constructor(deps: VisitorDeps) {
    this.#deps = deps;
  }

  heard(address: RadioAddress): void {
    if (this.#isClosed || this.#running !== undefined || !this.#isDue()) return;
    this.#abort = new AbortController();
    this.#running = this.#visit(address, this.#abort.signal).finally(() => (this.#running = undefined));
  }

  cut(): void {
    this.#abort.abort(new FirebreakError('epoch', 'the epoch ended during the session'));
  }

  status(): VisitorStatus {
    return this.#status;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#abort.abort(new FirebreakError('closed', 'the tag is shutting down'));
    await this.#running;
  }

  #isDue(): boolean {
    const { device, visits, nowMs } = this.#deps;
    if (nowMs() < this.#nextMs) return false;
    const { lastSessionMs } = this.#status;
    return (
      device.wantsSession || lastSessionMs === undefined || nowMs() - lastSessionMs >= visits.noticesEveryMs
    );
  }

  async #visit(address: RadioAddress, signal: AbortSignal): Promise<void> {
    const { nowMs, log } = this.#deps;
    const outcome = await this.#session(address, signal);
    const isFailed = outcome.endedBy !== undefined;
    this.#status = {
      sessions: this.#status.sessions + 1,
      failedSessions: this.#status.failedSessions + (isFailed ? 1 : 0),
      lastSessionMs: isFailed ? this.#status.lastSessionMs : nowMs(),
      lastEndedBy: outcome.endedBy,
    };
    this.#failuresInARow = isFailed ? this.#failuresInARow + 1 : 0;
    this.#nextMs = nowMs() + this.#waitMs();
    if (isFailed)
      log.warn('a gateway session broke off; it will be tried again', { reason: outcome.endedBy });
    else if (outcome.accepted > 0) log.info('reports delivered', { reports: outcome.accepted });
  }

  #waitMs(): number {
    const { visits, fraction } = this.#deps;
    if (this.#failuresInARow === 0) return visits.apartMs * (0.5 + fraction());
    const retry = { firstMs: visits.retryFirstMs, longestMs: visits.retryLongestMs };
    return backOffMs(retry, this.#failuresInARow, fraction());
  }

  async #session(address: RadioAddress, signal: AbortSignal): Promise<SessionOutcome> {
    const { central, device, session } = this.#deps;
    try {
      return await runGatewaySession(await central.connect(address, signal), device, session, signal);
    } catch (error) {
      if (error instanceof FirebreakError) return { accepted: 0, endedBy: error.code };
      this.#deps.log.error('a gateway session failed', {
        reason: error instanceof Error ? error.message : 'unknown',
      });
      return { accepted: 0, endedBy: 'unreachable' };
    }
  }
}
