/** What the ledger says to revocations of gateways that were posted to it, and who waits for that. */
import type { PostedEntry } from '../courier/courier.js';
import { unlessAborted } from '../host/time-limit.js';
import { toHex } from '../protocol/bytes.js';
import { asError } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';

/** `waits`: the ledger has not answered. */
export const REVOCATION_STATES = ['waits', 'logged', 'refused'] as const;
export type RevocationState = (typeof REVOCATION_STATES)[number];

export interface RevocationAnswers {
  isUnderWay(gatewayId: Uint8Array): boolean;
  /** Has the answer noted when it comes. Never rejects, as nobody waits for it here. */
  expect(gatewayId: Uint8Array, posted: PostedEntry, note: (state: RevocationState) => Promise<void>): void;
  /** Resolves when the answer is noted, the signal aborts or this is closed. */
  settled(gatewayId: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Waits for no answer any more. */
  close(): void;
}

/** Without an answer a revocation is posted again at the next start. */
export function revocationAnswers(log: Log): RevocationAnswers {
  const underWay = new Map<string, Promise<void>>();
  const closing = new AbortController();
  const { signal: closed } = closing;

  async function take(
    gateway: string,
    posted: PostedEntry,
    note: (state: RevocationState) => Promise<void>,
  ): Promise<void> {
    try {
      const delivery = await posted.delivered(closed);
      if (closed.aborted) return;
      if (delivery.index !== undefined) return await note('logged');
      await note('refused');
      log.error('the ledger refused the revocation of a gateway', { gateway, reason: delivery.refusal });
    } catch (error) {
      if (!closed.aborted)
        log.warn('no answer to the revocation of a gateway', { gateway, why: asError(error).message });
    }
  }

  return {
    isUnderWay: (gatewayId) => underWay.has(toHex(gatewayId)),
    expect: (gatewayId, posted, note) => {
      const id = toHex(gatewayId);
      const answer: Promise<void> = take(id, posted, note).finally(() => {
        if (underWay.get(id) === answer) underWay.delete(id);
      });
      underWay.set(id, answer);
    },
    settled: async (gatewayId, signal) => {
      const answer = unlessAborted(Promise.resolve(underWay.get(toHex(gatewayId))), signal);
      await unlessAborted(answer, closed).catch(() => undefined); // it has not come by then
    },
    close: () => closing.abort(),
  };
}
