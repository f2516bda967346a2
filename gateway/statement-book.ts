/** The authority's word as a gateway has it: day keys, the newest notice, revocations; each verified before it counts. */
import { splitDayKeyStatements, splitRevocations } from '../protocol/authority-topics.js';
import { equalBytes } from '../protocol/bytes.js';
import { decodeDayKeyStatement, verifyDayKeyStatement } from '../protocol/day-key-statement.js';
import type { DayKeyStatement } from '../protocol/day-key-statement.js';
import type { Log } from '../protocol/log.js';
import { openNotice } from '../protocol/notice.js';
import { openRevocation } from '../protocol/revocation.js';
import { DAY_KEYS_TOPIC, NOTICES_TOPIC, REVOCATIONS_TOPIC } from '../protocol/topics.js';
import type { StatementStore } from './statement-store.js';

/** More than any retention window. */
const MAX_DAYS = 400;
const NOTHING = new Uint8Array(0);

export interface Downlink {
  subscribe(topic: string, listener: (payload: Uint8Array) => void): Promise<void>;
}

export interface StatementBookDeps {
  readonly issuerPublicKey: Uint8Array;
  readonly gatewayId: Uint8Array;
  readonly store: StatementStore;
  readonly log: Log;
}

export class StatementBook {
  readonly #deps: StatementBookDeps;
  readonly #statements = new Map<number, DayKeyStatement>();
  #notice: Uint8Array = NOTHING;
  #revokedFromMs = Infinity;

  constructor(deps: StatementBookDeps) {
    this.#deps = deps;
  }

  /** Takes what was kept, then listens to the authority's topics. */
  async open(downlink: Downlink): Promise<void> {
    const kept = await this.#deps.store.load();
    if (kept) this.#quietly(DAY_KEYS_TOPIC, () => this.#takeStatements(kept));
    await downlink.subscribe(DAY_KEYS_TOPIC, (payload) =>
      this.#quietly(DAY_KEYS_TOPIC, () => this.#keep(payload)),
    );
    await downlink.subscribe(NOTICES_TOPIC, (payload) =>
      this.#quietly(NOTICES_TOPIC, () => this.#takeNotice(payload)),
    );
    await downlink.subscribe(REVOCATIONS_TOPIC, (payload) =>
      this.#quietly(REVOCATIONS_TOPIC, () => this.#takeRevocations(payload)),
    );
  }

  statementOf(day: number): DayKeyStatement | undefined {
    return this.#statements.get(day);
  }

  /** Days whose statements are held, ascending. */
  days(): number[] {
    return [...this.#statements.keys()].sort((a, b) => a - b);
  }

  /** The newest notice, as it came; empty when there is none. */
  get notice(): Uint8Array {
    return this.#notice;
  }

  isRevokedAt(nowMs: number): boolean {
    return nowMs >= this.#revokedFromMs;
  }

  #keep(payload: Uint8Array): void {
    if (this.#takeStatements(payload) === 0) return;
    this.#deps.store
      .save(payload)
      .catch((error: unknown) =>
        this.#deps.log.error('the day-key statements cannot be kept', { why: String(error) }),
      );
  }

  /** How many were new. */
  #takeStatements(payload: Uint8Array): number {
    let fresh = 0;
    for (const bytes of splitDayKeyStatements(payload).slice(-MAX_DAYS)) {
      const statement = decodeDayKeyStatement(bytes);
      if (this.#statements.has(statement.day)) continue;
      if (!verifyDayKeyStatement(this.#deps.issuerPublicKey, statement)) continue;
      this.#statements.set(statement.day, statement);
      fresh += 1;
    }
    for (const day of this.days().slice(0, -MAX_DAYS)) this.#statements.delete(day);
    return fresh;
  }

  #takeNotice(payload: Uint8Array): void {
    openNotice(payload, this.#deps.issuerPublicKey);
    this.#notice = payload;
  }

  #takeRevocations(payload: Uint8Array): void {
    for (const bytes of splitRevocations(payload)) {
      const { gatewayId, fromMs } = openRevocation(bytes, this.#deps.issuerPublicKey);
      if (!equalBytes(gatewayId, this.#deps.gatewayId)) continue;
      this.#revokedFromMs = Math.min(this.#revokedFromMs, fromMs);
      this.#deps.log.error('the authority has revoked this gateway; it serves no tag from then on', {
        fromMs,
      });
    }
  }

  /** What is malformed or not the authority's is said and ignored. */
  #quietly(topic: string, take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#deps.log.warn('a message of the authority’s topics was ignored', { topic, why: String(error) });
    }
  }
}
