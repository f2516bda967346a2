/**
 * One GATT connection inside a process, both ends of it; every simulated air connects its nodes with this.
 *
 * Requests of the client run one after another, as ATT has it (Bluetooth Core, Vol 3, Part F, 3.3.3): one answer
 * before the next request, and a request unanswered for the time-out ends the connection. Latency is deployment time;
 * the time-out is wall time, for it guards against code that hangs, which a scaled clock does not make faster.
 */
import { holdTime } from '../../host/clock-virtual.js';
import { FirebreakError, GATEWAY_REFUSALS } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import type { Clock } from '../../protocol/clock.js';
import { MAX_ATTRIBUTE_BYTES } from '../contract.js';
import type { Characteristic, Link, ServerPeer, ServerSession } from '../contract.js';
import { Lane } from '../lane.js';
import { checkSize, closedError } from '../link-rules.js';

export interface GattSettings {
  /** Usable bytes of one write or notification: ATT MTU − 3. */
  readonly payloadBytes: number;
  /** Deployment ms that connecting, each exchange and each notification take. */
  readonly latencyMs: number;
  /** Wall ms after which an unanswered request ends the connection. */
  readonly timeoutMs: number;
  /** Clients one server holds at a time; further ones are refused with `busy`. */
  readonly maxClients: number;
}

/** MTU 247 (what one link-layer packet carries), one 30 ms connection interval, ATT's 30 s, a usual controller's 16. */
export const DEFAULT_GATT: GattSettings = {
  payloadBytes: 244,
  latencyMs: 30,
  timeoutMs: 30_000,
  maxClients: 16,
};

export interface ConnectionDeps {
  readonly clock: Clock;
  readonly settings: GattSettings;
  /** Whether the two ends still hear each other; asked at every exchange. */
  readonly inReach: () => boolean;
}

export class GattConnection {
  readonly closed: Promise<void>;
  readonly #deps: ConnectionDeps;
  readonly #ended = new AbortController();
  readonly #subscriptions = new Map<Characteristic, (value: Uint8Array) => void>();
  readonly #requests = new Lane();
  readonly #notifications = new Lane();
  /** How to fail each exchange under way, for the moment the connection ends. */
  readonly #underway = new Set<(reason: Error) => void>();
  #session: ServerSession | undefined;
  #handling = false;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    this.closed = new Promise((resolve) => {
      this.#ended.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Asks the server's `accept`; rejects with `busy` or whatever refusal it threw, and the connection is over then. */
  async open(accept: (peer: ServerPeer) => ServerSession | Promise<ServerSession>): Promise<void> {
    try {
      await this.#exchange(async () => this.#begin(await accept(this.#peer())));
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  #begin(session: ServerSession): void {
    if (this.#ended.signal.aborted)
      session.onClosed(); // ended while it was being accepted
    else this.#session = session;
  }

  /** Ends both sides. Safe to call twice. */
  drop(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(closedError());
    for (const fail of this.#underway) fail(closedError());
    this.#subscriptions.clear();
    this.#session?.onClosed();
  }

  link(): Link {
    return {
      payloadBytes: this.#deps.settings.payloadBytes,
      read: (characteristic) => this.#request(() => this.#read(characteristic)),
      write: (characteristic, value) => this.#write(characteristic, value),
      subscribe: (characteristic, onNotify) =>
        this.#request(async () => void this.#subscriptions.set(characteristic, onNotify)),
      close: async () => this.drop(),
      closed: this.closed,
    };
  }

  #peer(): ServerPeer {
    return {
      payloadBytes: this.#deps.settings.payloadBytes,
      notify: (characteristic, value) => this.#notify(characteristic, value),
      disconnect: async () => this.drop(),
    };
  }

  async #read(characteristic: Characteristic): Promise<Uint8Array> {
    const value = await this.#serving().onRead(characteristic);
    if (value.length > MAX_ATTRIBUTE_BYTES) {
      throw new FirebreakError('size', `an attribute holds at most ${MAX_ATTRIBUTE_BYTES} bytes`);
    }
    return Uint8Array.from(value);
  }

  async #write(characteristic: Characteristic, value: Uint8Array): Promise<void> {
    checkSize(value, this.#deps.settings.payloadBytes);
    const sent = Uint8Array.from(value);
    return this.#request(() => this.#serving().onWrite(characteristic, sent));
  }

  async #notify(characteristic: Characteristic, value: Uint8Array): Promise<void> {
    checkSize(value, this.#deps.settings.payloadBytes);
    const sent = Uint8Array.from(value);
    await this.#notifications.run(async () => {
      // Sent while a request is served, it rides in the connection event that the request has paid for.
      await this.#travel(this.#handling ? 0 : this.#deps.settings.latencyMs);
      const onNotify = this.#subscriptions.get(characteristic);
      if (onNotify === undefined)
        throw new FirebreakError('unreachable', `nobody subscribed to ${characteristic}`);
      this.#handOver(onNotify, sent);
    });
  }

  /** A client that throws at a notification loses its connection; its failure is not the server's. */
  #handOver(onNotify: (value: Uint8Array) => void, value: Uint8Array): void {
    try {
      onNotify(value);
    } catch (error) {
      this.drop();
      throw new FirebreakError('closed', 'the client failed and the connection is closed', { cause: error });
    }
  }

  #serving(): ServerSession {
    if (this.#session === undefined) throw closedError();
    return this.#session;
  }

  #request<T>(handle: () => Promise<T>): Promise<T> {
    return this.#requests.run(() => this.#exchange(handle));
  }

  /** Latency, the server's work, and whichever comes first of its answer, the end of the connection and the time-out. */
  async #exchange<T>(handle: () => Promise<T>): Promise<T> {
    const cut = this.#cut();
    try {
      await Promise.race([this.#travel(this.#deps.settings.latencyMs), cut.promise]);
      this.#handling = true;
      const answer = handle().catch((error: unknown) => Promise.reject(attError(error)));
      return await holdTime(this.#deps.clock, Promise.race([answer, cut.promise]));
    } finally {
      this.#handling = false;
      cut.release();
    }
  }

  /** A promise that rejects when the connection ends or the time is up, whichever is first. */
  #cut(): { readonly promise: Promise<never>; readonly release: () => void } {
    const { timeoutMs } = this.#deps.settings;
    const { promise, reject } = withReject();
    const timer = setTimeout(() => {
      reject(new FirebreakError('timeout', `the other side did not answer within ${timeoutMs} ms`));
      this.drop();
    }, timeoutMs);
    this.#underway.add(reject);
    const release = (): void => {
      clearTimeout(timer);
      this.#underway.delete(reject);
    };
    return { promise, release };
  }

  /** One packet's way through the air: takes the latency, and ends the connection when the ends lost each other. */
  async #travel(latencyMs: number): Promise<void> {
    const { clock, inReach } = this.#deps;
    if (this.#ended.signal.aborted) throw closedError();
    if (latencyMs > 0) await clock.sleep(latencyMs, this.#ended.signal);
    if (!inReach()) this.drop();
    if (this.#ended.signal.aborted) throw closedError();
  }
}

function withReject(): { readonly promise: Promise<never>; readonly reject: (reason: Error) => void } {
  let reject: (reason: Error) => void = () => undefined;
  const promise = new Promise<never>((_, fail) => (reject = fail));
  promise.catch(() => undefined); // it may be rejected while nobody waits for it
  return { promise, reject };
}

const CROSSING_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(GATEWAY_REFUSALS);

/** What of a handler's failure crosses the air: an ATT error is one byte, so a refusal's number and nothing else. */
export function attError(error: unknown): FirebreakError {
  if (error instanceof FirebreakError && CROSSING_CODES.has(error.code)) {
    return new FirebreakError(error.code, `the server refused: ${error.code}`, { cause: error });
  }
  return new FirebreakError('unreachable', 'the server could not answer', { cause: error });
}
