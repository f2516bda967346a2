/**
 * The authority's retained topics (protocol.md §9): day-key statements, revocations, notices. A broker keeps
 * retained messages in memory, so that all are published again whenever it comes back.
 */
import { unlessAborted } from '../host/time-limit.js';
import type { Uplink } from '../courier/uplink.js';
import {
  joinDayKeyStatements,
  joinRevocations,
  MAX_REVOCATIONS,
  MAX_STATEMENTS,
} from '../protocol/mqtt/authority-topics.js';
import { asError } from '../protocol/errors.js';
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

/**
 * Never rejects: what did not reach the broker is published again when it is back. One topic that cannot be published keeps no
 * other back.
 */
async function publishRound(deps: PublisherDeps): Promise<boolean> {
  const reached: boolean[] = [];
  for (const [topic, payloadOf] of TOPICS) reached.push(await publishTopic(topic, payloadOf, deps));
  return reached.every(Boolean);
}

/** `undefined` where nothing is to be said. */
type PayloadOf = (deps: PublisherDeps) => Promise<Uint8Array | undefined>;

const TOPICS: readonly (readonly [topic: string, payloadOf: PayloadOf])[] = [
  [DAY_KEYS_TOPIC, dayKeys],
  [REVOCATIONS_TOPIC, revocations],
  [NOTICES_TOPIC, offeredNotices],
];

async function publishTopic(topic: string, payloadOf: PayloadOf, deps: PublisherDeps): Promise<boolean> {
  const { uplink, log } = deps;
  let payload: Uint8Array | undefined;
  try {
    payload = await payloadOf(deps);
  } catch (error) {
    log.error('statements of the authority cannot be put together for the broker', {
      topic,
      why: asError(error).message,
    });
    return false;
  }
  try {
    if (payload) await uplink.publishRetained(topic, payload);
    return true;
  } catch (error) {
    log.warn('the authority’s statements wait for the broker', { topic, error: asError(error).message });
    return false;
  }
}

/** The oldest are the least needed. */
async function dayKeys({ book }: PublisherDeps): Promise<Uint8Array> {
  return joinDayKeyStatements((await book.dayKeyStatements()).slice(-MAX_STATEMENTS));
}

/**
 * An empty payload takes the last one back (docs/protocol.md). Of more than the topic holds the newest go out: gateways keep
 * what they heard of themselves, and the ledger goes by the log, which has them all.
 */
async function revocations({ book, log }: PublisherDeps): Promise<Uint8Array> {
  const all = await book.revocations();
  if (all.length > MAX_REVOCATIONS)
    log.error('not all revoked gateways can be told: more are revoked than their topic holds', {
      revoked: all.length,
      told: MAX_REVOCATIONS,
    });
  return joinRevocations(all.slice(-MAX_REVOCATIONS));
}

/** Before the first notice nothing is said: an authority that lost its records must not take the others' back. */
async function offeredNotices({ notices }: PublisherDeps): Promise<Uint8Array | undefined> {
  if ((await notices.lastNumber()) === 0) return undefined;
  const logged = (await notices.list()).filter(({ state }) => state === 'logged');
  return joinNotices(withinBounds(logged, ({ bytes }) => bytes.length).map(({ bytes }) => bytes));
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
