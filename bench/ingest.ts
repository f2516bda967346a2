/**
 * How fast a ledger takes reports in: MQTT, checks, chain, tree, synced store, receipt. The ledger and its broker are this
 * process, the gateways another one (ingest-gateways.ts), on the same cores. Each
 * case is run three times, on a new ledger each time; prints one JSON line a case, that of the median.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { liveClock } from '../host/clock-live.js';
import { openAedesBroker } from '../ledger/broker/aedes.js';
import { openLedger, type Ledger } from '../ledger/ledger.js';
import { defaultCheckThreads } from '../ledger/intake/checker-threads.js';
import { encodeBatch, type BatchItem } from '../protocol/mqtt/batch.js';
import { asUnixMs } from '../protocol/brands.js';
import { toHex } from '../protocol/bytes.js';
import { fastSigner, type Signer } from '../protocol/crypto/ed25519.js';
import { ENTRY_TYPE } from '../protocol/tlog/entry.js';
import {
  encodeGatewayCertificate,
  issueGatewayCertificate,
} from '../protocol/session/gateway-certificate.js';
import { partyIdOf } from '../protocol/keys.js';
import { silentLog } from '../protocol/log.js';
import { noteSigner } from '../protocol/tlog/note.js';
import { encodeGatewayPayload } from '../protocol/payload/gateway.js';
import { dayOf } from '../protocol/time.js';
import { threadSeconds } from './thread-seconds.js';
import type { FromGateways, IngestCase, IngestPlan, IngestResult, ToGateways } from './ingest-plan.js';

const GATEWAYS = 8;
const RUNS = 3;
/** Goals: encounters a second in full reports, reports a second in small ones, and ms at half that. */
const FULL_GOAL = 100_000;
const SMALL_GOAL = 6_000;
const P99_GOAL_MS = 250;

const CASES: readonly IngestCase[] = [
  { name: 'warm-up', records: 8, reports: 2_000 },
  { name: 'full', records: 128, reports: 24_000 },
  { name: 'small', records: 8, reports: 30_000 },
  { name: 'full at half the goal', records: 128, reports: 2_400, reportsPerSecond: FULL_GOAL / 128 / 2 },
  { name: 'small at half the goal', records: 8, reports: 18_000, reportsPerSecond: SMALL_GOAL / 2 },
];

interface Cores {
  /** Shares of a core: of this process's main thread, and of its busiest others. */
  readonly ledgerMain: number;
  readonly ledgerOthers: readonly number[];
  readonly gateways: number;
  /** What other programs took. */
  readonly elsewhere: number;
}

/** Seconds the machine's cores have worked, all together. */
const workedSeconds = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1000;

/** To be called before and after: what the cores did between. */
function watchCores(): (seconds: number, gatewaySeconds: number) => Cores {
  const worked = workedSeconds();
  const before = threadSeconds();
  return (seconds, gatewaySeconds) => {
    const shares = [...threadSeconds()].map(([thread, total]) => {
      return { thread, share: (total - (before.get(thread) ?? 0)) / seconds };
    });
    const main = shares.find(({ thread }) => thread === String(process.pid))?.share ?? 0;
    const others = shares.filter(({ thread }) => thread !== String(process.pid)).map(({ share }) => share);
    const gateways = gatewaySeconds / seconds;
    const own = main + gateways + others.reduce((sum, share) => sum + share, 0);
    return {
      ledgerMain: round(main),
      ledgerOthers: others
        .sort((a, b) => b - a)
        .slice(0, 4)
        .map(round),
      gateways: round(gateways),
      elsewhere: round(Math.max(0, (workedSeconds() - worked) / seconds - own)),
    };
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

function certificateItem(issuer: Signer, gateway: Signer): BatchItem {
  const fromDay = dayOf(Date.now() / 1000);
  const days = { fromDay, toDay: fromDay + 1 };
  const certificate = issueGatewayCertificate(issuer, { gatewayPublicKey: gateway.publicKey, ...days });
  const inside = {
    kind: 'enrolled',
    salt: randomBytes(16),
    certificate: encodeGatewayCertificate(certificate),
  } as const;
  return { type: ENTRY_TYPE.gateway, timeMs: asUnixMs(Date.now()), payload: encodeGatewayPayload(inside) };
}

async function answerOf(gateways: ChildProcess): Promise<FromGateways> {
  const exited = once(gateways, 'exit').then(([code]: unknown[]) => {
    throw new Error(`the gateways ended with ${String(code)}`);
  });
  const [message] = (await Promise.race([once(gateways, 'message'), exited])) as [FromGateways];
  return message;
}

/** Where the cores went, in words. */
function boundBy({ ledgerMain, ledgerOthers, gateways, elsewhere }: Cores): string {
  const [checks = 0] = ledgerOthers;
  const own = ledgerMain + gateways + ledgerOthers.reduce((sum, share) => sum + share, 0);
  const cores = availableParallelism();
  if (own + elsewhere > 0.9 * cores && elsewhere > 0.1 * cores)
    return `all ${cores} cores are taken, ${elsewhere} of them by other programs; of the ledger's, most by ${checks > ledgerMain ? 'checks' : 'the main thread'}`;
  if (ledgerMain > 0.9) return 'the main thread: broker, order, chain and store';
  if (checks > 0.9) return 'the thread that checks signatures';
  if (own > 0.9 * cores) return `all ${cores} cores`;
  return 'no core: waits for syncs and for what gateways have under way';
}

function lineOf(one: IngestCase, threads: number, result: IngestResult, cores: Cores) {
  const { seconds, batches, busy, publishToReceiptMs, arrivalToReceiptMs } = result;
  const perSecond = one.reports / seconds;
  const { records, reports, reportsPerSecond } = one;
  const goal = records === 128 ? FULL_GOAL : SMALL_GOAL;
  const speed = records === 128 ? perSecond * records : perSecond;
  const p99 = quantile(publishToReceiptMs, 0.99);
  const micros = (share: number): number => Math.round((share * 1e6) / perSecond);
  return {
    bench: 'ingest',
    case: one.name,
    threads,
    gateways: GATEWAYS,
    records,
    reports,
    batches,
    busy,
    seconds: round(seconds),
    reportsPerSecond: Math.round(perSecond),
    encountersPerSecond: Math.round(perSecond * records),
    ...(reportsPerSecond === undefined
      ? { goal, ratio: round(speed / goal) }
      : { goalP99Ms: P99_GOAL_MS, ratio: round(P99_GOAL_MS / p99) }),
    publishToReceiptMs: { p50: quantile(publishToReceiptMs, 0.5), p99 },
    ...(reportsPerSecond !== undefined && {
      arrivalToReceiptMs: { p50: quantile(arrivalToReceiptMs, 0.5), p99: quantile(arrivalToReceiptMs, 0.99) },
    }),
    cpuMicrosPerReport: {
      ledgerMain: micros(cores.ledgerMain),
      ledgerOthers: micros(cores.ledgerOthers.reduce((sum, share) => sum + share, 0)),
      gateways: micros(cores.gateways),
    },
    cores,
    boundBy: boundBy(cores),
  };
}

type Line = ReturnType<typeof lineOf>;

/** In the folder the bench is started from: a temporary folder is often in memory, where a sync costs nothing. */
async function withLedger<T>(
  threads: number,
  run: (ledger: Ledger, plan: IngestPlan) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(process.cwd(), '.bench-'));
  const seeds = {
    issuer: randomBytes(32),
    gateways: Array.from({ length: GATEWAYS }, () => randomBytes(32)),
  };
  const issuer = fastSigner(seeds.issuer);
  const receiptSigner = fastSigner(randomBytes(32));
  const ledger = await openLedger({
    dir: join(dir, 'ledger'),
    logSigner: noteSigner('bench.example/ingest', fastSigner(randomBytes(32))),
    receiptSigner,
    issuerPublicKey: issuer.publicKey,
    writers: [{ publicKey: issuer.publicKey, types: [ENTRY_TYPE.gateway] }],
    retentionDays: 21,
    clock: liveClock(),
    checkThreads: threads,
  });
  const broker = await openAedesBroker({
    ledger,
    issuerPublicKey: issuer.publicKey,
    port: 0,
    log: silentLog,
  });
  try {
    const items = seeds.gateways.map((seed) => certificateItem(issuer, fastSigner(seed)));
    await ledger.submit(encodeBatch({ writerId: partyIdOf(issuer.publicKey), seq: 0, items }, issuer));
    return await run(ledger, {
      brokerUrl: broker.url,
      issuerSeed: toHex(seeds.issuer),
      gatewaySeeds: seeds.gateways.map(toHex),
      receiptKey: toHex(receiptSigner.publicKey),
      cases: CASES,
    });
  } finally {
    await broker.close();
    await ledger.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Lines of all cases but the warm-up. */
async function runCases(threads: number, ledger: Ledger, plan: IngestPlan): Promise<Line[]> {
  const gateways = fork(fileURLToPath(new URL('./ingest-gateways.js', import.meta.url)));
  try {
    gateways.send(plan);
    const ready = await answerOf(gateways);
    if (ready.kind !== 'ready') throw new Error('the gateways have no reports made');
    console.error(`reports made in ${round(ready.preparedInSeconds)} s`);
    const lines: Line[] = [];
    for (const [number, one] of CASES.entries()) {
      const line = await runCase(gateways, { number, one, threads, ledger });
      if (number > 0) lines.push(line);
    }
    return lines;
  } finally {
    gateways.kill();
  }
}

interface CaseRun {
  readonly number: number;
  readonly one: IngestCase;
  readonly threads: number;
  readonly ledger: Ledger;
}

async function runCase(gateways: ChildProcess, { number, one, threads, ledger }: CaseRun): Promise<Line> {
  const sizeBefore = ledger.status().size;
  const coresSince = watchCores();
  gateways.send({ run: number } satisfies ToGateways);
  const answer = await answerOf(gateways);
  if (answer.kind !== 'result') throw new Error('the gateways gave no result');
  const { seconds, cpuSeconds } = answer.result;
  const cores = coresSince(seconds, cpuSeconds);
  const appended = ledger.status().size - sizeBefore;
  if (appended !== one.reports) throw new Error(`${appended} of ${one.reports} reports are in the log`);
  return lineOf(one, threads, answer.result, cores);
}

/** The line of the run in the middle, with the ratios of all. */
function medianLine(runs: readonly Line[]): Line & { readonly ratios: readonly number[] } {
  const sorted = [...runs].sort((a, b) => a.ratio - b.ratio);
  const median = sorted[sorted.length >> 1];
  if (median === undefined) throw new Error('no run');
  return { ...median, ratios: runs.map(({ ratio }) => ratio) };
}

/** `threads`: how many check signatures, 0 for none beside the main one; as `ledger run` does when it is not given. */
export async function benchIngest(threads: string | undefined): Promise<void> {
  const count = threads === undefined ? defaultCheckThreads() : Number(threads);
  const runs: Line[][] = [];
  while (runs.length < RUNS)
    runs.push(await withLedger(count, (ledger, plan) => runCases(count, ledger, plan)));
  for (const number of CASES.slice(1).keys())
    console.log(JSON.stringify(medianLine(runs.flatMap((lines) => lines[number] ?? []))));
}
