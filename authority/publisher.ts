/**
 * The authority's retained topics (protocol.md §9): day-key statements, revocations, notices. A broker keeps
 * retained messages in memory, so that all are published again whenever it comes back.
 */
import { unlessAborted } from '../host/time-limit.js';
import type { Uplink } from '../courier/uplink.js';
import { joinDayKeyStatements, joinRevocations, MAX_STATEMENTS } from '../protocol/mqtt/authority-topics.js';
import type { Log } from '../protocol/log.js';
import { joinNotices, withinBounds } from '../protocol/tag/notice-list.js';
import { DAY_KEYS_TOPIC, NOTICES_TOPIC, REVOCATIONS_TOPIC } from '../protocol/mqtt/topics.js';
import type { NoticeBook } from './notices/notice-book.js';
import type { StatementBook } from './statement-book.js';

/** The part of the uplink that is needed here. */
export type RetainedUplink = Pick<Uplink, 'publishRetained' | 'onOnline'>;

export interface Publisher {
  /** Publishes what the book now holds, in the background; calls that come while it does make one more round. */
  publishSoon(): void;
  /** Resolves when nothing is under way: whether the last round reached the broker. */
  settled(): Promise<boolean>;
  /** Publishes no more; resolves when nothing is under way. */
  close(): Promise<void>;
}

export interface PublisherDeps {
  readonly book: StatementBook;
  readonly notices: NoticeBook;
  readonly uplink: RetainedUplink;
  readonly log: Log;
}

/** Publishes at once, and again whenever the broker is back. */
export function openPublisher(deps: PublisherDeps): Publisher {
  let rounds = Promise.resolve(true);
  let running = false;
  let again = false;
  let closed = false;

  async function publishRounds(): Promise<boolean> {
    again = false;
    const reached = await publishRound(deps);
    if (again) return publishRounds();
    running = false;
    return reached;
  }

  function publishSoon(): void {
    again = !closed;
    if (running || closed) return;
    running = true;
    rounds = publishRounds();
  }

  async function close(): Promise<void> {
    closed = true;
    again = false;
    await rounds;
  }

  deps.uplink.onOnline(publishSoon);
  return { publishSoon, settled: () => rounds, close };
}

/** Never rejects: what did not reach the broker is published again when it is back. */
async function publishRound({ book, notices, uplink, log }: PublisherDeps): Promise<boolean> {
  try {
    const revocations = await book.revocations();
    const logged = (await notices.list()).filter(({ state }) => state === 'logged');
    const offer = withinBounds(logged, ({ bytes }) => bytes.length).map(({ bytes }) => bytes);
    const statements = (await book.dayKeyStatements()).slice(-MAX_STATEMENTS); // the oldest are the least needed
    await uplink.publishRetained(DAY_KEYS_TOPIC, joinDayKeyStatements(statements));
    // An empty payload takes the last one back (docs/protocol.md).
    await uplink.publishRetained(REVOCATIONS_TOPIC, joinRevocations(revocations));
    // Before the first notice nothing is said: an authority that lost its records must not take the others' back.
    if ((await notices.lastNumber()) > 0) await uplink.publishRetained(NOTICES_TOPIC, joinNotices(offer));
    return true;
  } catch (error) {
    log.warn('the authority’s statements wait for the broker', { error: String(error) });
    return false;
  }
}

/** What the ledger said to something, and `out` where it has it and the broker too, by the time the signal aborts. */
export async function reachOf<State extends string>(
  state: State,
  publisher: Pick<Publisher, 'settled'>,
  signal: AbortSignal,
): Promise<State | 'out'> {
  if (state !== 'logged') return state;
  const isOut = await unlessAborted(publisher.settled(), signal).catch(() => false);
  return isOut ? 'out' : state;
}
