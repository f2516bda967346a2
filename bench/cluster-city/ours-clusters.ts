/**
 * Clusters asked of a contact store as a tracer asks them (tracer/looks/look-ups.ts): walked in a thread of their own, weighed
 * on this one, the record of the look sealed; the ledger that takes it is left out.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { asUnixMs } from '../../protocol/brands.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { apiLimits } from '../../tracer/api/limits.js';
import type { ClusterRequest, ClusterResult } from '../../tracer/cluster/cluster-result.js';
import { clusterDesk } from '../../tracer/cluster/desk.js';
import { lookUpCluster } from '../../tracer/cluster/look-up.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import { accessRecorder } from '../../tracer/looks/access.js';
import type { WalkRequest } from '../../tracer/looks/trace-result.js';
import { PresenceBook } from '../../tracer/presence/presence-book.js';
import { presenceView } from '../../tracer/presence/snapshot.js';
import { Pace } from '../../tracer/walk/pace.js';
import { walkTrace } from '../../tracer/walk/trace-walks.js';
import type { WalkPool } from '../../tracer/walk/walk-pool.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import { columnsOf, take } from '../trace/taking.js';
import type { CalledOff, Clustered, ClusterLived } from '../trace/ours-messages.js';

const LOOK = { officer: 'bench', purpose: 'how long a cluster takes' };
const LOOK_EVERY_MS = 20;
const NANOSECONDS = 1e6;
/** As long as a tracer takes over a question (tracer/api/limits.ts). */
const LIMIT_MS = apiLimits().questionMs;
/** The delay that is told counts from when the timer was due, and it is set anew this often. */
const RESOLUTION_MS = 1;

const residentBytes = (): number => process.memoryUsage.rss();

interface Found {
  readonly result: ClusterResult | undefined;
  readonly refused: string | undefined;
  readonly recorded: number;
  readonly walkMs: number;
  readonly walks: readonly WalkRequest[];
}

export async function askCluster(
  store: ContactStore,
  pool: WalkPool,
  request: ClusterRequest,
): Promise<Clustered> {
  let peakBytes = residentBytes();
  const watch = setInterval(() => (peakBytes = Math.max(peakBytes, residentBytes())), LOOK_EVERY_MS);
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const stop = new AbortController();
  const late = new FirebreakError('timeout', 'the question takes too long');
  const timer = setTimeout(() => stop.abort(late), LIMIT_MS);
  const startMs = performance.now();
  try {
    const { result, ...found } = await find(store, pool, request, stop.signal);
    const ms = performance.now() - startMs;
    await pause(RESOLUTION_MS); // or the last delay would not be told
    return {
      ...{ ms, walkMs: found.walkMs, walks: found.walks, recorded: found.recorded },
      ...(found.refused !== undefined && { refused: found.refused }),
      blockedMs: delays.max / NANOSECONDS,
      candidates: result?.sourceCount ?? 0,
      weighed: result?.weighed.people ?? 0,
      peakBytes: Math.max(peakBytes, residentBytes()),
      residentBytes: residentBytes(),
    };
  } finally {
    clearTimeout(timer);
    delays.disable();
    clearInterval(watch);
  }
}

async function find(
  store: ContactStore,
  pool: WalkPool,
  request: ClusterRequest,
  signal?: AbortSignal,
): Promise<Found> {
  const view = store.view();
  const walks: WalkRequest[] = [];
  let walkMs = 0;
  let recorded = 0;
  const access = accessRecorder({
    auditPublicKey: x25519KeyPair(randomBytes(32)).publicKey,
    nowMs: () => asUnixMs(Date.now()),
    randomBytes,
    commit: async (entries) => entries.map((_, index) => index),
  });
  const desk = clusterDesk({
    people: view.people,
    tagOf: (person) => store.tagOf(person),
    walk: async (asked) => {
      walks.push(asked);
      const startMs = performance.now();
      const walked = await store.guarding(() => pool.walk(view, { request: asked }, { signal }));
      walkMs += performance.now() - startMs;
      return walked;
    },
    wordsOf: () => ({
      ledgerOf: ({ spot }) => (spot.kind === 'contact' ? store.contactAt(view, spot.place).ledger : []),
    }),
    presence: presenceView(new PresenceBook({ personOf: () => 0 }).snapshot()),
    access: {
      record: (look, asked, reached, stop) => {
        recorded = reached.length;
        return access.record(look, asked, reached, stop);
      },
    },
    signal,
  });
  try {
    const { result } = await lookUpCluster(desk, request, LOOK);
    return { result, refused: undefined, recorded, walkMs, walks };
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw asError(error);
    return { result: undefined, refused: error.code, recorded, walkMs, walks };
  }
}

/** As an officer does who goes away, or a tracer whose time for a question is over. */
export async function callOff(
  store: ContactStore,
  pool: WalkPool,
  request: ClusterRequest,
  afterMs: number,
): Promise<CalledOff> {
  const stop = new AbortController();
  const asked = find(store, pool, request, stop.signal);
  await pause(afterMs);
  const startMs = performance.now();
  stop.abort(new FirebreakError('closed', 'whoever asked has gone'));
  const { refused } = await asked;
  const endedMs = performance.now() - startMs;
  while (pool.status().walking > 0) await pause(1);
  return { endedMs, freeMs: performance.now() - startMs, wasUnderWay: refused !== undefined };
}

/** Contacts come in from when the question has begun to be walked. */
export async function askWhileTaking(
  store: ContactStore,
  pool: WalkPool,
  request: ClusterRequest,
  files: readonly string[],
): Promise<ClusterLived> {
  const days = await columnsOf(files);
  let isUnderWay = true;
  const asked = askCluster(store, pool, request).finally(() => (isUnderWay = false));
  const taken = await take(store, days);
  const wasUnderWay = isUnderWay;
  return { clustered: await asked, ...taken, wasUnderWay };
}

class CountingPace extends Pace {
  entries = 0;

  constructor() {
    super(undefined);
  }

  override step(entries: number): void {
    this.entries += entries;
  }
}

/** Walked once more to count. */
export async function entriesOf(store: ContactStore, walks: readonly WalkRequest[]): Promise<number> {
  const pace = new CountingPace();
  const space = new WalkWorkspace();
  for (const request of walks) walkTrace(store.view(), request, space, { pace });
  return pace.entries;
}
