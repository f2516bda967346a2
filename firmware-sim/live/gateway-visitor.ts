/**
 * When a live tag talks to a gateway: as soon as it hears one while something waits, not again until a while has passed,
 * and later and later after failures. One session at a time; a session ends with the epoch. Anyone can send a gateway's
 * advert: what fails at an address where no session was good yet holds nobody up but others like it.
 */
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import type { Central, RadioAddress } from '../../radio/contract.js';
import { backOffMs } from '../tag/back-off.js';
import { reasonOf } from '../tag/disk-trouble.js';
import { runGatewaySession } from './gateway-session.js';
import type { SessionOutcome, SessionSettings } from './gateway-session.js';
import type { TagDevice } from '../tag/tag-device.js';

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

/** Gateways remembered as good: more than anyone passes in a day. */
const MAX_GOOD = 64;

export interface VisitorDeps {
  readonly device: TagDevice;
  readonly central: Central;
  readonly session: SessionSettings;
  readonly visits: VisitSettings;
  /** Only goes on; sessions are spaced by it. */
  readonly counterMs: () => number;
  /** 0 to 1. */
  readonly fraction: () => number;
  readonly log: Log;
}

export interface VisitorStatus {
  readonly sessions: number;
  readonly failedSessions: number;
  /** Tag time. */
  readonly lastSessionMs: number | undefined;
  readonly lastEndedBy: ErrorCode | undefined;
}

export interface GatewayVisitor {
  /** A gateway's advert was heard. */
  heard(address: RadioAddress): void;
  /** Ends a session that is under way and goes by another epoch than this; the next advert may start another. */
  cutUnlessOf(epoch: number): void;
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
  /** That the session under way goes by: its hello may set the clock. */
  #epoch: number | undefined;
  /** Where a session was good, the newest last. */
  readonly #good = new Set<RadioAddress>();
  /** When the next session may be, at such a gateway and at any other. */
  #nextMs = { good: -Infinity, other: -Infinity };
  #lastGoodMs: number | undefined;
  #failuresInARow = { good: 0, other: 0 };
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
    if (this.#isClosed || this.#running !== undefined || !this.#isDue(address)) return;
    this.#abort = new AbortController();
    this.#epoch = this.#deps.device.epoch();
    this.#running = this.#visit(address, this.#abort.signal).finally(() => (this.#running = undefined));
  }

  cutUnlessOf(epoch: number): void {
    if (epoch === this.#epoch) return;
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

  #isDue(address: RadioAddress): boolean {
    const { device, visits, counterMs } = this.#deps;
    const nowMs = counterMs();
    if (nowMs < this.#nextMs[this.#kindOf(address)]) return false;
    const last = this.#lastGoodMs;
    return device.wantsSession || last === undefined || nowMs - last >= visits.noticesEveryMs;
  }

  async #visit(address: RadioAddress, signal: AbortSignal): Promise<void> {
    const { device, counterMs, log } = this.#deps;
    const { warnings } = device;
    const outcome = await this.#session(address, signal);
    if (device.warnings !== warnings)
      log.info('a warning came: you may have been near someone who fell ill; tag status says more');
    const isFailed = outcome.endedBy !== undefined;
    if (!isFailed) this.#lastGoodMs = counterMs();
    this.#status = {
      sessions: this.#status.sessions + 1,
      failedSessions: this.#status.failedSessions + (isFailed ? 1 : 0),
      lastSessionMs: isFailed ? this.#status.lastSessionMs : device.nowMs(),
      lastEndedBy: outcome.endedBy,
    };
    this.#plan(address, isFailed);
    if (isFailed)
      log.warn('a gateway session broke off; it will be tried again', {
        reason: outcome.endedBy,
        ...(outcome.why !== undefined && { why: outcome.why }),
      });
    else if (outcome.accepted > 0) log.info('reports delivered', { reports: outcome.accepted });
  }

  #kindOf(address: RadioAddress): 'good' | 'other' {
    return this.#good.has(address) ? 'good' : 'other';
  }

  #plan(address: RadioAddress, isFailed: boolean): void {
    const kind = this.#kindOf(address);
    const nowMs = this.#deps.counterMs();
    if (isFailed) {
      this.#failuresInARow[kind] += 1;
      const nextMs = nowMs + this.#backOffMs(this.#failuresInARow[kind]);
      this.#nextMs = { ...this.#nextMs, [kind]: nextMs };
      return;
    }
    const { visits, fraction } = this.#deps;
    const nextMs = nowMs + visits.apartMs * (0.5 + fraction());
    this.#failuresInARow = { good: 0, other: 0 };
    this.#nextMs = { good: nextMs, other: nextMs };
    this.#good.delete(address);
    this.#good.add(address);
    const [oldest] = this.#good;
    if (this.#good.size > MAX_GOOD && oldest !== undefined) this.#good.delete(oldest);
  }

  #backOffMs(failures: number): number {
    const { visits, fraction } = this.#deps;
    return backOffMs(
      { firstMs: visits.retryFirstMs, longestMs: visits.retryLongestMs },
      failures,
      fraction(),
    );
  }

  async #session(address: RadioAddress, signal: AbortSignal): Promise<SessionOutcome> {
    const { central, device, session } = this.#deps;
    const onEpoch = (epoch: number): void => void (this.#epoch = epoch);
    try {
      const link = await central.connect(address, signal);
      return await runGatewaySession(link, device, session, signal, onEpoch);
    } catch (error) {
      if (error instanceof FirebreakError) return { accepted: 0, endedBy: error.code, why: error.message };
      this.#deps.log.error('a gateway session failed', { reason: reasonOf(error) });
      return { accepted: 0, endedBy: 'unreachable' };
    }
  }
}
