/** The gateway of the vectors, or what is left of it for a test: desk, sessions with a peer in the test's hands. */
import { vi } from 'vitest';
import { Desk } from '../../gateway/desk.js';
import type { DeskDeps } from '../../gateway/desk.js';
import { GatewaySession } from '../../gateway/session.js';
import { StatementBook } from '../../gateway/statement-book.js';
import type { Downlink } from '../../gateway/statement-book.js';
import type { SequenceStore, StatementStore } from '../../gateway/statement-store.js';
import { virtualClock } from '../../host/clock-virtual.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { concat } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { silentLog } from '../../protocol/log.js';
import { openTagReceipt } from '../../protocol/session/tag-receipt.js';
import type { TagReceipt } from '../../protocol/session/tag-receipt.js';
import { dayOf } from '../../protocol/time.js';
import { DAY_KEYS_TOPIC } from '../../protocol/mqtt/topics.js';
import { uploadWrites } from '../../protocol/session/upload.js';
import type { Characteristic, ServerPeer } from '../../radio/contract.js';
import { gateway, vectors } from '../protocol/tag-vectors.js';

export const NOW_MS = vectors.receivedAt * 1000;
export const DAY_MS = 86_400_000;
const RETENTION_DAYS = 21;
export const STATEMENTS = concat(vectors.dayKeyStatementYesterday, vectors.dayKeyStatement);

export interface TestDownlink extends Downlink {
  publish(topic: string, payload: Uint8Array): void;
}

export function testDownlink(): TestDownlink {
  const listeners = new Map<string, (payload: Uint8Array) => void>();
  return {
    subscribe: async (topic, listener) => void listeners.set(topic, listener),
    publish: (topic, payload) => listeners.get(topic)?.(payload),
  };
}

/** Of statements, or of presence reports. */
export function memoryStore(kept?: Uint8Array): StatementStore & { kept: Uint8Array | undefined } {
  const store: StatementStore & { kept: Uint8Array | undefined } = {
    kept,
    load: async () => store.kept,
    save: async (statements) => void (store.kept = statements),
  };
  return store;
}

export function countingSequence(): SequenceStore {
  let next = 0;
  return { next: async () => next++ };
}

export interface TestPost {
  readonly items: BatchItem[];
  failure: FirebreakError | undefined;
  readonly uncertifiedFromMs: number[];
  post(items: readonly BatchItem[]): Promise<void>;
  noCertificateFrom(timeMs: number): void;
}

export function testPost(): TestPost {
  const post: TestPost = {
    items: [],
    failure: undefined,
    uncertifiedFromMs: [],
    noCertificateFrom: (timeMs) => void post.uncertifiedFromMs.push(timeMs),
    post: async (items) => {
      if (post.failure) throw post.failure;
      post.items.push(...items);
    },
  };
  return post;
}

export async function stand(changes: Partial<DeskDeps> = {}) {
  const clock = virtualClock(NOW_MS);
  const downlink = testDownlink();
  const { issuerPublicKey, gatewayId } = vectors;
  const store = memoryStore();
  const stores = { store, noticeStore: memoryStore() };
  const oldestNoticeDay = (): number => dayOf(clock.nowMs() / 1000) - RETENTION_DAYS;
  const book = new StatementBook({
    issuerPublicKey,
    gatewayId,
    ...stores,
    oldestNoticeDay,
    onNews: () => undefined,
    onRevoked: () => undefined,
    log: silentLog,
  });
  await book.open(downlink);
  downlink.publish(DAY_KEYS_TOPIC, STATEMENTS);
  const courier = testPost();
  const desk = new Desk({
    signer: gateway,
    certificate: () => vectors.gatewayCertificate,
    issuerPublicKey,
    retentionDays: RETENTION_DAYS,
    book,
    courier,
    packs: undefined,
    clock,
    log: silentLog,
    ...changes,
  });
  return { desk, clock, downlink, courier, store, book };
}

export interface TestSession {
  readonly receipts: TagReceipt[];
  readonly isClosed: () => boolean;
  isSubscribed: boolean;
  read(characteristic: Characteristic): Promise<Uint8Array>;
  write(characteristic: Characteristic, value: Uint8Array): Promise<void>;
  /** Every write of an upload; its receipt is the last of `receipts` then. */
  upload(report: Uint8Array, payloadBytes?: number): Promise<TagReceipt | undefined>;
}

/** A session with the nonce that the vectors' reports were made for. */
export function sessionAt(desk: Desk, nonce: Uint8Array = vectors.gatewayNonce): TestSession {
  const receipts: TagReceipt[] = [];
  let closed = false;
  const peer: ServerPeer = {
    payloadBytes: 244,
    notify: async (_, value) => {
      if (!session.isSubscribed) throw new FirebreakError('unreachable', 'nobody subscribed');
      receipts.push(openTagReceipt(value, gateway.publicKey));
    },
    disconnect: async () => void (closed = true),
  };
  const served = withNonce(desk, nonce, () => new GatewaySession(desk, peer, () => undefined));
  const session: TestSession = {
    receipts,
    isClosed: () => closed,
    isSubscribed: true,
    read: (characteristic) => served.onRead(characteristic),
    write: (characteristic, value) => served.onWrite(characteristic, value),
    upload: async (report, payloadBytes = 244) => {
      for (const write of uploadWrites(report, payloadBytes)) await served.onWrite('upload', write);
      return receipts.at(-1);
    },
  };
  return session;
}

function withNonce<T>(desk: Desk, nonce: Uint8Array, make: () => T): T {
  const spy = vi.spyOn(desk, 'freshNonce').mockReturnValue(nonce);
  try {
    return make();
  } finally {
    spy.mockRestore();
  }
}
